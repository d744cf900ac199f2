//! `.npy` files, made and read back for the tests.

use std::fs;
use std::path::Path;

/// The values of an array of f32, and its shape.
pub(crate) fn read(path: &Path) -> (Vec<f32>, Vec<u64>) {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file = npyz::NpyFile::new(&bytes[..]).expect("an .npy file");
    let shape = file.shape().to_vec();
    (file.into_vec().expect("f32 values"), shape)
}

/// A file of format 1.0 with this header and this data, whether they fit together or not.
pub(crate) fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

/// The header of an array in C order.
pub(crate) fn header(dtype: &str, shape: &str) -> String {
    format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n")
}

/// A file of f32.
pub(crate) fn floats(shape: &str, values: &[f32]) -> Vec<u8> {
    file(
        &header("<f4", shape),
        &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>(),
    )
}

/// A file of u32.
pub(crate) fn entries(shape: &str, values: &[u32]) -> Vec<u8> {
    file(
        &header("<u4", shape),
        &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>(),
    )
}

/// A file of u32 in one dimension.
pub(crate) fn labels(values: &[u32]) -> Vec<u8> {
    entries(&format!("({},)", values.len()), values)
}
