//! A page and its pictures as files: each picture as SVG, and as PNG made of that.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, Tree};

use super::frame::failed;
use super::page::{OF_PICTURES, Page};
use crate::Result;
use crate::output::{self, Named};

/// The letters of the pixels, so that they are the same on every machine.
const TYPEFACE: &[u8] = include_bytes!("../../data/dejavu-sans.ttf");

/// Pixels of a PNG for each unit of a picture.
const SCALE: f32 = 2.0;

/// Where pictures of a result are written.
#[derive(Args)]
#[command(next_help_heading = "Pictures")]
pub(crate) struct Paths {
    /// Where a report is written, an .html file of tables and pictures. It needs no network.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// The folder that the pictures of the report are written to, each as .svg and as .png; made
    /// where there is none.
    #[arg(long, value_name = "FOLDER")]
    plots: Option<PathBuf>,
}

impl Paths {
    /// Whether any are asked for.
    pub(crate) fn are_given(&self) -> bool {
        self.report.is_some() || self.plots.is_some()
    }

    /// Refuses, before anything is computed, what cannot be written, with other outputs.
    pub(crate) fn check(&self, others: &[Named], inputs: &[Named]) -> Result<()> {
        let report = self.report.as_deref().map(|path| Named { option: "--report", path });
        output::check(&others.iter().copied().chain(report).collect::<Vec<_>>(), inputs)?;
        self.plots.as_deref().map_or(Ok(()), output::check_folder)
    }

    /// Writes what is asked for; `page` makes it where anything is.
    pub(crate) fn write(&self, page: impl FnOnce() -> Result<Page>) -> Result<()> {
        if !self.are_given() {
            return Ok(());
        }
        let page = page()?;
        if let Some(path) = &self.report {
            page.write(path)?;
        }
        self.plots.as_deref().map_or(Ok(()), |folder| write_plots(folder, &page))
    }
}

fn write_plots(folder: &Path, page: &Page) -> Result<()> {
    for picture in &page.pictures {
        let svg = alone(&picture.svg);
        let png = png(&svg)?;
        let path = |ending: &str| folder.join(format!("{}.{ending}", picture.name));
        output::write(&path("svg"), |file| file.write_all(svg.as_bytes()))?;
        output::write(&path("png"), |file| file.write_all(&png))?;
    }
    Ok(())
}

/// A picture outside of a page: on white, with its own style.
fn alone(svg: &str) -> String {
    let own = format!(
        ">\n<style>\n{OF_PICTURES}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>"
    );
    svg.replacen('>', &own, 1)
}

/// The pixels of a picture. What only a pointer shows is not among them.
fn png(svg: &str) -> Result<Vec<u8>> {
    let mut options = usvg::Options::default();
    let letters = Arc::make_mut(&mut options.fontdb);
    letters.load_font_data(TYPEFACE.to_vec());
    letters.set_sans_serif_family("DejaVu Sans");
    let tree = Tree::from_str(svg, &options).map_err(failed)?;
    let size = tree.size().to_int_size().scale_by(SCALE).ok_or_else(|| failed("it is empty"))?;
    let pixels = Pixmap::new(size.width(), size.height());
    let mut pixels = pixels.ok_or_else(|| failed("no memory for its pixels"))?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many pixels of a picture are dark.
    fn dark(svg: &str) -> usize {
        let png = png(&alone(svg)).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (120, 80));
        pixels.chunks(4).filter(|pixel| pixel[0] < 128 && pixel[3] == 255).count()
    }

    #[test]
    fn pixels_have_letters_and_nothing_that_a_pointer_shows() {
        let start = "<svg width=\"60\" height=\"40\" xmlns=\"http://www.w3.org/2000/svg\">";
        let text =
            "<text x=\"5\" y=\"20\" font-family=\"sans-serif\" font-size=\"12\">0.5 ms</text>";
        let hidden = "<g class=\"point\"><image width=\"60\" height=\"40\" href=\"data:image/png,%89\"/></g>";
        assert_eq!(dark(&format!("{start}</svg>")), 0);
        assert!((100..2000).contains(&dark(&format!("{start}{text}{hidden}</svg>"))));
    }
}
