//! Arrays as the bytes of `.npy` files.

use std::io::{self, Write};

use npyz::{WriteOptions, WriterBuilder};

use crate::kind::NPY;

/// Writes an array of f32; a value beyond its range is an error.
pub(crate) fn encode(file: &mut dyn Write, shape: &[usize], values: &[f64]) -> io::Result<()> {
    if values.iter().any(|&value| !(value as f32).is_finite()) {
        return Err(io::Error::other("a value is beyond the range of f32 (3.4e38)"));
    }
    let shape: Vec<u64> = shape.iter().map(|&size| size as u64).collect();
    let options = WriteOptions::new().default_dtype().shape(&shape);
    let mut writer = options.writer(file).begin_nd()?;
    writer.extend(values.iter().map(|&value| value as f32))?;
    writer.finish()
}

/// The header of an array as numpy writes it.
pub(super) fn header(element: &str, shape: &[usize]) -> Vec<u8> {
    let sizes: Vec<_> = shape.iter().map(usize::to_string).collect();
    let comma = if let [_] = shape { "," } else { "" };
    let sizes = sizes.join(", ") + comma;
    let text = format!("{{'descr': '{element}', 'fortran_order': False, 'shape': ({sizes}), }}");
    // Numbers begin at a multiple of 64 bytes.
    let length = (10 + text.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = [NPY, &[1, 0], &(length as u16).to_le_bytes()].concat();
    bytes.extend(format!("{text:<0$}\n", length - 1).into_bytes());
    bytes
}

/// A whole file of elements, of which these are the bytes.
pub(super) fn bytes<B: AsRef<[u8]>>(
    element: &str,
    shape: &[usize],
    elements: impl IntoIterator<Item = B>,
) -> Vec<u8> {
    let mut bytes = header(element, shape);
    elements.into_iter().for_each(|element| bytes.extend_from_slice(element.as_ref()));
    bytes
}

/// A whole file of strings.
pub(super) fn of_texts(shape: &[usize], texts: &[String]) -> Vec<u8> {
    let longest = texts.iter().map(|text| text.chars().count()).max().unwrap_or_default().max(1);
    let letters = |text: &String| {
        let letters = text.chars().map(u32::from).chain(std::iter::repeat(0)).take(longest);
        letters.flat_map(u32::to_le_bytes).collect::<Vec<_>>()
    };
    bytes(&format!("<U{longest}"), shape, texts.iter().map(letters))
}
