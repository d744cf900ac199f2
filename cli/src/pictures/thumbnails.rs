//! Rows that are pictures themselves, small enough to stand in the page.

use std::fmt::Write;

use super::Rows;
use crate::Result;
use crate::pictures::frame::failed;

/// Rows as grey pictures.
pub(crate) struct Thumbnails<'a> {
    pub rows: Rows<'a>,
    /// The columns of a picture; a row is its lines one after the other, the largest number black.
    pub width: usize,
}

impl Thumbnails<'_> {
    /// A row as the address of a picture that holds it whole.
    pub(super) fn address(&self, row: usize) -> Result<String> {
        let row = self.rows.row(row);
        let most = row.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        let greys = row.iter().map(|&number| 255 - (255.0 * (number / most).max(0.0)) as u8);
        let greys: Vec<u8> = greys.collect();
        let height = (greys.len() / self.width) as u32;
        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(&mut png, self.width as u32, height);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(&greys).map_err(failed)?;
        writer.finish().map_err(failed)?;
        // Percent signs in the place of base64, since a picture has some hundred bytes.
        let mut address = String::from("data:image/png,");
        for byte in png {
            let _ = write!(address, "%{byte:02x}");
        }
        Ok(address)
    }
}
