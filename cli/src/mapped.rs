//! Numbers of a large file where they lie: mapped into memory, and not copied.

use std::fs::File;
use std::ops::Deref;
use std::path::Path;

use memmap2::Mmap;

use super::kind::Kind;

/// Smaller files are read.
const LEAST_BYTES: usize = 64 << 20;

/// Numbers that were read, or that lie in a file.
pub(crate) enum Floats {
    Read(Vec<f32>),
    Mapped(Mapped),
}

/// The bytes of a file, and where among them numbers begin that reach to its end.
pub(crate) struct Mapped {
    file: Mmap,
    start: usize,
}

impl Deref for Floats {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match self {
            Self::Read(values) => values,
            Self::Mapped(Mapped { file, start }) => bytemuck::cast_slice(&file[*start..]),
        }
    }
}

impl From<Floats> for Vec<f32> {
    fn from(values: Floats) -> Self {
        match values {
            Floats::Read(values) => values,
            Floats::Mapped(_) => values.to_vec(),
        }
    }
}

impl Floats {
    /// The numbers of a large `.npy` file, which ends with so many: `None` where it is to be read,
    /// since it is small, is no such file or cannot be mapped.
    pub(crate) fn mapped(path: &Path, count: usize) -> Option<Self> {
        let bytes = count.checked_mul(size_of::<f32>())?;
        if bytes < LEAST_BYTES || cfg!(target_endian = "big") {
            return None;
        }
        let file =
            File::open(path).ok().filter(|file| file.metadata().is_ok_and(|it| it.is_file()))?;
        // SAFETY: the file is opened to be read, and nothing of this program writes it: outputs are
        // files of their own until they take the place of others. Any bits are an f32. Another
        // program that writes into it meanwhile changes the numbers, and one that cuts it short
        // ends this one, which docs/guide/program.md says.
        #[allow(unsafe_code, reason = "a file that others write cannot be mapped safely")]
        let file = unsafe { Mmap::map(&file) }.ok()?;
        let start = file.len().checked_sub(bytes)?;
        let is_aligned = bytemuck::try_cast_slice::<u8, f32>(&file[start..]).is_ok();
        (is_aligned && Kind::of(&file) == Kind::Npy).then_some(Self::Mapped(Mapped { file, start }))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Seek, SeekFrom, Write};

    use super::*;
    use crate::files;

    /// A file of 4,194,304 x 4 numbers, of which two are not 0, in this order and of this type.
    fn large(folder: &Path, order: &str, of: &str, start: usize) -> std::path::PathBuf {
        let path = folder.join("large.npy");
        let mut file = File::create(&path).expect("a scratch file");
        let header =
            format!("{{'descr': '{of}', 'fortran_order': {order}, 'shape': (4194304, 4), }}");
        let width = start - 10;
        let length = u16::try_from(width).expect("a short header").to_le_bytes();
        file.write_all(b"\x93NUMPY\x01\x00").and_then(|()| file.write_all(&length)).expect("space");
        writeln!(file, "{header:<0$}", width - 1).expect("space");
        file.write_all(&1.5_f32.to_le_bytes()).expect("space");
        file.set_len((start + LEAST_BYTES) as u64).expect("space");
        file.seek(SeekFrom::End(-4))
            .and_then(|_| file.write_all(&2.5_f32.to_le_bytes()))
            .expect("space");
        path
    }

    #[test]
    fn what_is_large_is_mapped_and_has_the_numbers_that_are_read() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        // In C order, in Fortran order, big-endian, and where no f32 may begin.
        let cases = [
            ("False", "<f4", 128, true),
            ("True", "<f4", 128, false),
            ("False", ">f4", 128, false),
            ("False", "<f4", 130, false),
        ];
        for (order, of, start, is_mapped) in cases {
            let path = large(folder.path(), order, of, start);
            let found = files::read_matrix(&path).expect("a matrix");
            assert_eq!(
                matches!(found.values, Floats::Mapped(_)),
                is_mapped,
                "{order} {of} {start}"
            );
            let ends = [found.values[0], *found.values.last().expect("numbers")];
            let byte_order: fn(f32) -> f32 = match of {
                ">f4" => |number| f32::from_bits(number.to_bits().swap_bytes()),
                _ => |number| number,
            };
            assert_eq!(ends, [1.5, 2.5].map(byte_order), "{order} {of} {start}");
            assert_eq!([found.rows, found.columns, found.values.len()], [1 << 22, 4, 1 << 24]);
            fs::remove_file(path).expect("the file");
        }
    }
}
