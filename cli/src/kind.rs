//! What a file is, told by its first bytes and not by its name.

/// Enough of a file to tell its kind.
pub const START: u64 = 512;

/// The first bytes of an `.npy` file.
pub const NPY: &[u8] = b"\x93NUMPY";

/// The kinds of files that people keep arrays in, and those that are met in their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Npy,
    Npz,
    PyTorch,
    Zip,
    Safetensors,
    Parquet,
    Arrow,
    Hdf5,
    Matlab,
    Pickle,
    Gzip,
    LfsPointer,
    Json,
    Table,
    Text,
    Empty,
    Unknown,
}

impl Kind {
    /// The kind of a file that starts so.
    pub fn of(start: &[u8]) -> Self {
        const STARTS: [(&[u8], Kind); 9] = [
            (NPY, Kind::Npy),
            (b"PAR1", Kind::Parquet),
            (b"ARROW1", Kind::Arrow),
            (b"FEA1", Kind::Arrow),
            (b"\x89HDF\r\n\x1a\n", Kind::Hdf5),
            (b"MATLAB 5.0 MAT-file", Kind::Matlab),
            (b"\x1f\x8b", Kind::Gzip),
            (b"version https://git-lfs.github.com/spec/", Kind::LfsPointer),
            (b"PK\x05\x06", Kind::Zip),
        ];
        let known = STARTS.iter().find(|(first, _)| start.starts_with(first));
        match (known, start) {
            (Some((_, kind)), _) => *kind,
            (None, []) => Self::Empty,
            (None, [b'P', b'K', 3, 4, ..]) => archive(start),
            (None, [0x80, 2..=5, ..]) => Self::Pickle,
            _ if is_safetensors(start) => Self::Safetensors,
            _ => text(start),
        }
    }

    /// What stands in the place of an `.npy` file, and how it becomes one.
    pub fn instead_of_npy(self) -> String {
        let (found, advice) = match self {
            Self::Npy | Self::Unknown => {
                return r"not an .npy file: it does not begin with \x93NUMPY".into();
            }
            Self::Npz => (
                "an .npz archive of arrays",
                "numpy.save(\"one.npy\", numpy.load(\"this.npz\")[\"name\"]) takes one out",
            ),
            Self::PyTorch => (
                "what torch.save writes",
                "numpy.save(\"one.npy\", torch.load(\"this.pt\").numpy()) keeps a tensor as .npy",
            ),
            Self::Zip => ("a zip archive", "unpack it"),
            Self::Safetensors => (
                "a safetensors file",
                "numpy.save(\"one.npy\", safetensors.numpy.load_file(\"this\")[\"name\"]) takes one out",
            ),
            Self::Parquet => (
                "a Parquet file",
                "numpy.save(\"one.npy\", pandas.read_parquet(\"this\").to_numpy()) keeps its numbers",
            ),
            Self::Arrow => (
                "an Arrow file",
                "numpy.save(\"one.npy\", pandas.read_feather(\"this\").to_numpy()) keeps its numbers",
            ),
            Self::Hdf5 => (
                "an HDF5 file",
                "numpy.save(\"one.npy\", h5py.File(\"this\")[\"name\"][:]) takes one array out",
            ),
            Self::Matlab => (
                "a MATLAB file",
                "numpy.save(\"one.npy\", scipy.io.loadmat(\"this\")[\"name\"]) takes one array out",
            ),
            Self::Pickle => (
                "a pickle",
                "numpy.save(\"one.npy\", numpy.asarray(pickle.load(open(\"this\", \"rb\")))) keeps an array",
            ),
            Self::Gzip => ("compressed by gzip", "unpack it"),
            Self::LfsPointer => ("a pointer of Git LFS", "git lfs pull brings the file itself"),
            Self::Json => (
                "JSON",
                "numpy.save(\"one.npy\", numpy.array(json.load(open(\"this\")))) keeps its numbers",
            ),
            Self::Table => (
                "text with columns",
                "numpy.save(\"one.npy\", pandas.read_csv(\"this\").to_numpy()) keeps a CSV's numbers",
            ),
            Self::Text => {
                ("text", "numpy.save(\"one.npy\", numpy.loadtxt(\"this\")) keeps its numbers")
            }
            Self::Empty => return "not an .npy file: it is empty".into(),
        };
        format!("not an .npy file but {found}: {advice}")
    }
}

/// An archive by the name of its first file: `numpy.savez` and `torch.save` both write one.
fn archive(start: &[u8]) -> Kind {
    let length = start.get(26..28).map_or(0, |bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
    let name = start.get(30..).map(|rest| &rest[..rest.len().min(length.into())]);
    match name {
        Some(name) if name.ends_with(b".npy") => Kind::Npz,
        Some(name) if name.ends_with(b"/data.pkl") => Kind::PyTorch,
        _ => Kind::Zip,
    }
}

/// The length of a JSON object, and the object.
fn is_safetensors(start: &[u8]) -> bool {
    let Some((length, rest)) = start.split_first_chunk() else { return false };
    (2..=100_000_000).contains(&u64::from_le_bytes(*length)) && rest.first() == Some(&b'{')
}

fn text(start: &[u8]) -> Kind {
    let is_text = |byte: &u8| !byte.is_ascii_control() || byte.is_ascii_whitespace();
    let start = start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(start);
    // Its last character may be cut.
    let is_whole =
        std::str::from_utf8(start).map_or_else(|error| error.error_len().is_none(), |_| true);
    match start.trim_ascii_start().first() {
        _ if !is_whole || !start.iter().all(is_text) => Kind::Unknown,
        Some(b'{' | b'[') => Kind::Json,
        _ if start.iter().any(|byte| matches!(byte, b',' | b';' | b'\t')) => Kind::Table,
        _ => Kind::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_by_its_first_bytes() {
        let zip = |name: &str| {
            let mut bytes = b"PK\x03\x04".to_vec();
            bytes.resize(26, 0);
            bytes.extend([name.len() as u8, 0, 0, 0]);
            [&bytes, name.as_bytes(), b"content"].concat()
        };
        let safetensors = [&60_u64.to_le_bytes()[..], b"{\"x\":{\"dtype\":\"F32\""].concat();
        let cases: [(&[u8], Kind); 21] = [
            (b"\x93NUMPY\x01\x00", Kind::Npy),
            (&zip("arr_0.npy"), Kind::Npz),
            (&zip("archive/data.pkl"), Kind::PyTorch),
            (&zip("readme.txt"), Kind::Zip),
            (b"PK\x03\x04", Kind::Zip),
            (&safetensors, Kind::Safetensors),
            (b"PAR1\x15\x04", Kind::Parquet),
            (b"ARROW1\0\0", Kind::Arrow),
            (b"\x89HDF\r\n\x1a\n\0", Kind::Hdf5),
            (b"MATLAB 5.0 MAT-file, Platform: GLNXA64", Kind::Matlab),
            (b"\x80\x04\x95", Kind::Pickle),
            (b"\x1f\x8b\x08", Kind::Gzip),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:", Kind::LfsPointer),
            (b" [[1, 2], [3, 4]]", Kind::Json),
            (b"{\"a\": 1}", Kind::Json),
            (b"x,y\n1.0,2.0\n", Kind::Table),
            ("\u{feff}id\tn\u{e4}me\n".as_bytes(), Kind::Table),
            (b"1.0 2.0\n3.0 4.0\n", Kind::Text),
            // Cut within a character.
            (b"\xc3\xa4\xc3", Kind::Text),
            (b"", Kind::Empty),
            (b"\x7fELF\x02\x01\x01\0", Kind::Unknown),
        ];
        for (start, kind) in cases {
            assert_eq!(Kind::of(start), kind, "{}", String::from_utf8_lossy(start));
        }
    }
}
