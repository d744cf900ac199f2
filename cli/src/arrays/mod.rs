//! Arrays in the kinds of files that people keep them in. What is no `.npy` file is made into the
//! one that numpy would write of it, and read as that.

#[cfg_attr(not(feature = "parquet"), path = "without_columns.rs")]
mod columns;
mod encoding;
mod tables;
mod write;

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, ReaderAt, ZipArchive, ZipArchiveEntryWayfinder};
use safetensors::tensor::{Dtype, Metadata};

use crate::kind::{self, Kind};
use crate::npy::Array;
use crate::{Error, Result, detail, names};
pub(crate) use encoding::encode;
pub(crate) use write::{Ending, Written, write};

/// The path that is the standard input.
const STANDARD_INPUT: &str = "-";

/// The most bytes of a pipe, but for an `.npy` file's, and of a table.
pub(crate) const LARGEST: u64 = 4 << 30;

/// A file, and after `#` the name of the array in it that is meant.
struct Place {
    file: PathBuf,
    name: Option<String>,
}

impl Place {
    /// A file that is there goes by its own name, whatever letters that has.
    fn of(path: &Path) -> Self {
        let whole = || Self { file: path.into(), name: None };
        let Some(text) = path.to_str().filter(|_| !path.exists()) else { return whole() };
        let mut cuts = text.match_indices('#').map(|(at, _)| (&text[..at], &text[at + 1..]));
        let is_there = |file: &str| file == STANDARD_INPUT || Path::new(file).exists();
        let found = cuts.clone().find(|(file, _)| is_there(file)).or_else(|| cuts.next_back());
        found.map_or_else(whole, |(file, name)| Self { file: file.into(), name: Some(name.into()) })
    }
}

/// The file that a path leads to, without the name of an array in it.
pub(crate) fn file(path: &Path) -> PathBuf {
    Place::of(path).file
}

/// Opens an array of a file of any kind, or of the standard input; its size is judged before any
/// value is read.
pub(crate) fn open(path: &Path) -> Result<Array<'static>> {
    let Place { file, name } = Place::of(path);
    let array = opened(&file, name.as_deref()).map_err(|problem| Error::file(&file, problem))?;
    detail(|| format!("reading {}: {}", path.display(), array.describe()));
    Ok(array)
}

/// Opens every array that a path leads to, with its name: all of a file, or the one that is meant.
pub(crate) fn open_all(path: &Path) -> Result<Vec<(String, Array<'static>)>> {
    let Place { file, name } = Place::of(path);
    let names = match &name {
        Some(_) => Vec::new(),
        None => names(&file).map_err(|problem| Error::file(&file, problem))?,
    };
    let open =
        |name: Option<&str>| opened(&file, name).map_err(|problem| Error::file(&file, problem));
    if names.is_empty() {
        let stem = || file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let name_of = name.clone().or_else(stem).filter(|name| name != STANDARD_INPUT);
        return Ok(vec![(name_of.unwrap_or_else(|| "array".into()), open(name.as_deref())?)]);
    }
    names.into_iter().map(|name| open(Some(&name)).map(|array| (name, array))).collect()
}

/// The names of the arrays of a file that has names for them.
fn names(path: &Path) -> Result<Vec<String>, String> {
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let file = File::open(path).map_err(text)?;
    let length = file.metadata().map_err(text)?.len();
    let mut file = Start::of(file)?;
    Ok(match file.kind {
        Kind::Npz => Archive::of(file.whole()?)?.names,
        Kind::Safetensors => Tensors::of(file.whole()?, length)?.names,
        _ => Vec::new(),
    })
}

fn text(error: io::Error) -> String {
    error.to_string()
}

fn opened(path: &Path, name: Option<&str>) -> Result<Array<'static>, String> {
    if path.as_os_str() == STANDARD_INPUT {
        return from_pipe(io::stdin(), name);
    }
    let file = File::open(path).map_err(text)?;
    let metadata = file.metadata().map_err(text)?;
    match metadata.is_file() {
        true => from_file(file, metadata.len(), name),
        false => from_pipe(file, name),
    }
}

/// An array of what comes piece by piece: kinds whose arrays have places are read whole first.
fn from_pipe(mut pipe: impl Read + 'static, name: Option<&str>) -> Result<Array<'static>, String> {
    let mut start = Vec::new();
    pipe.by_ref().take(kind::START).read_to_end(&mut start).map_err(text)?;
    let is_npy = Kind::of(&start) == Kind::Npy;
    let mut all = Cursor::new(start).chain(pipe);
    if is_npy {
        refuse(name)?;
        return Array::parse(all, None);
    }
    let mut bytes = Vec::new();
    all.by_ref().take(LARGEST + 1).read_to_end(&mut bytes).map_err(text)?;
    let length = bytes.len() as u64;
    if length > LARGEST {
        return Err(format!(
            "more than {LARGEST} bytes that are no .npy file: keep them in a file"
        ));
    }
    from_file(Cursor::new(bytes), length, name)
}

fn from_file(
    file: impl Read + Seek + 'static,
    length: u64,
    name: Option<&str>,
) -> Result<Array<'static>, String> {
    let Start { kind, mut file } = Start::of(file)?;
    file.rewind().map_err(text)?;
    match kind {
        Kind::Npz => Archive::of(file)?.array(name),
        Kind::Safetensors => Tensors::of(file, length)?.array(name),
        Kind::Table | Kind::Text | Kind::Parquet => {
            let table = whole(file, length)?;
            let bytes = match kind {
                Kind::Parquet => columns::read(table, name)?,
                _ => tables::read(&table, name)?,
            };
            let length = bytes.len() as u64;
            Array::parse(Cursor::new(bytes), Some(length))
        }
        _ => {
            refuse(name)?;
            Array::parse(file, Some(length))
        }
    }
}

/// All bytes of a table.
fn whole(mut file: impl Read, length: u64) -> Result<Vec<u8>, String> {
    if length > LARGEST {
        return Err(format!("a table of {length} bytes, at most {LARGEST} are read"));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(text)?;
    Ok(bytes)
}

/// Refuses a name where there are none.
fn refuse(name: Option<&str>) -> Result<(), String> {
    name.map_or(Ok(()), |name| {
        Err(format!("holds one array, which has no name: leave #{name} out"))
    })
}

/// The array of this name, or the only one.
fn chosen(names: &[String], name: Option<&str>) -> Result<usize, String> {
    let Some(name) = name else {
        return match names {
            [_] => Ok(0),
            [] => Err("holds no array".into()),
            _ => {
                let (count, all) = (names.len(), names.join(", "));
                Err(format!("holds {count} arrays, FILE#NAME takes one: {all:.400}"))
            }
        };
    };
    let exact = names.iter().position(|one| one == name);
    let similar = || names::find("array of it", name, names.iter().map(String::as_str));
    match exact {
        Some(at) => Ok(at),
        None => similar().map(|name| names.iter().position(|one| one == name).unwrap_or_default()),
    }
}

/// A file whose kind is known.
struct Start<F> {
    kind: Kind,
    file: F,
}

impl<F: Read + Seek> Start<F> {
    fn of(mut file: F) -> Result<Self, String> {
        let mut start = Vec::new();
        file.by_ref().take(kind::START).read_to_end(&mut start).map_err(text)?;
        Ok(Self { kind: Kind::of(&start), file })
    }

    /// The file from its first byte on.
    fn whole(&mut self) -> Result<&mut F, String> {
        self.file.rewind().map_err(text)?;
        Ok(&mut self.file)
    }
}

/// An `.npz` file: an archive of `.npy` files.
struct Archive<R> {
    archive: ZipArchive<R>,
    /// In the order of the archive.
    names: Vec<String>,
    members: Vec<Member>,
}

/// A file of an archive.
#[derive(Clone, Copy)]
struct Member {
    place: ZipArchiveEntryWayfinder,
    method: CompressionMethod,
    /// The bytes that it says it has.
    length: u64,
}

impl Archive<()> {
    fn of(file: impl Read + Seek) -> Result<Archive<impl ReaderAt>, String> {
        let problem = |error: rawzip::Error| format!("no whole archive: {error}");
        let mut room = vec![0; rawzip::RECOMMENDED_BUFFER_SIZE];
        let archive = ZipArchive::from_seekable(file, &mut room).map_err(problem)?;
        let (mut names, mut members) = (Vec::new(), Vec::new());
        let mut entries = archive.entries(&mut room);
        while let Some(entry) = entries.next_entry().map_err(problem)? {
            let name = String::from_utf8_lossy(entry.file_path().as_bytes()).into_owned();
            names.push(name.strip_suffix(".npy").map_or_else(|| name.clone(), String::from));
            members.push(Member {
                place: entry.wayfinder(),
                method: entry.compression_method(),
                length: entry.uncompressed_size_hint(),
            });
        }
        Ok(Archive { archive, names, members })
    }
}

impl<R: ReaderAt> Archive<R> {
    fn array(self, name: Option<&str>) -> Result<Array<'static>, String> {
        let at = chosen(&self.names, name)?;
        let (name, member) = (&self.names[at], self.members[at]);
        // Judged by its header before all of it is unpacked.
        Array::parse(self.unpacked(name, member)?, Some(member.length))?;
        let mut bytes = Vec::new();
        self.unpacked(name, member)?
            .take(member.length.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| format!("{name}: {error}"))?;
        let length = bytes.len() as u64;
        Array::parse(Cursor::new(bytes), Some(length))
    }

    /// The bytes of a file, which are an error in the end where they are not what was packed.
    fn unpacked<'a>(&'a self, name: &str, member: Member) -> Result<Box<dyn Read + 'a>, String> {
        let problem = |error: rawzip::Error| format!("{name}: {error}");
        let entry = self.archive.get_entry(member.place).map_err(problem)?;
        Ok(match member.method {
            CompressionMethod::STORE => Box::new(entry.verifying_reader(entry.reader())),
            CompressionMethod::DEFLATE => {
                Box::new(entry.verifying_reader(DeflateDecoder::new(entry.reader())))
            }
            other => {
                return Err(format!(
                    "{name} is packed by method {other:?}: numpy.savez writes none"
                ));
            }
        })
    }
}

/// A `.safetensors` file: a list of tensors, and their numbers behind it.
struct Tensors<F> {
    file: F,
    length: u64,
    /// Where the numbers begin.
    data: u64,
    metadata: Metadata,
    names: Vec<String>,
}

impl<F: Read + Seek> Tensors<F> {
    fn of(mut file: F, length: u64) -> Result<Self, String> {
        let mut size = [0; 8];
        file.read_exact(&mut size).map_err(text)?;
        let size = u64::from_le_bytes(size);
        let mut list = Vec::new();
        file.by_ref().take(size).read_to_end(&mut list).map_err(text)?;
        let metadata: Metadata = serde_json::from_slice(&list)
            .map_err(|error| format!("is no .safetensors file: {error}"))?;
        let mut names: Vec<_> = metadata.tensors().into_keys().collect();
        names.sort_unstable();
        Ok(Self { file, length, data: 8 + size, metadata, names })
    }
}

impl<F: Read + Seek + 'static> Tensors<F> {
    fn array(mut self, name: Option<&str>) -> Result<Array<'static>, String> {
        let name = &self.names[chosen(&self.names, name)?];
        let info = self.metadata.info(name).ok_or_else(|| format!("holds no {name}"))?.clone();
        let (begin, end) = info.data_offsets;
        let begin = self.data.saturating_add(begin as u64);
        let bytes = self.data.saturating_add(end as u64).min(self.length).saturating_sub(begin);
        self.file.seek(SeekFrom::Start(begin)).map_err(text)?;
        let numbers = self.file.take(bytes);
        let with_header = |element, bytes: u64, numbers: Box<dyn Read>| {
            let header = encoding::header(element, &info.shape);
            let length = header.len() as u64 + bytes;
            Array::parse(Cursor::new(header).chain(numbers), Some(length))
        };
        match info.dtype {
            // The upper half of an f32.
            Dtype::BF16 => with_header("<f4", 2 * bytes, Box::new(Widened::of(numbers))),
            of => {
                let element = element(of).ok_or_else(|| {
                    format!("{name} holds {of:?}: tensor.to(torch.float32) where it is numbers")
                })?;
                with_header(element, bytes, Box::new(numbers))
            }
        }
    }
}

/// The type of numbers as numpy writes it.
fn element(of: Dtype) -> Option<&'static str> {
    Some(match of {
        Dtype::BOOL => "|b1",
        Dtype::U8 => "|u1",
        Dtype::I8 => "|i1",
        Dtype::U16 => "<u2",
        Dtype::I16 => "<i2",
        Dtype::F16 => "<f2",
        Dtype::U32 => "<u4",
        Dtype::I32 => "<i4",
        Dtype::F32 => "<f4",
        Dtype::U64 => "<u8",
        Dtype::I64 => "<i8",
        Dtype::F64 => "<f8",
        _ => return None,
    })
}

/// Numbers of 16 bits as the upper halves of numbers of 32.
struct Widened<R> {
    halves: io::Bytes<io::BufReader<R>>,
    /// Bytes that were handed on.
    at: u64,
}

impl<R: Read> Widened<R> {
    fn of(halves: R) -> Self {
        Self { halves: io::BufReader::new(halves).bytes(), at: 0 }
    }
}

impl<R: Read> Read for Widened<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        for (count, byte) in bytes.iter_mut().enumerate() {
            *byte = match self.at % 4 {
                0 | 1 => 0,
                _ => match self.halves.next() {
                    Some(found) => found?,
                    None => return Ok(count),
                },
            };
            self.at += 1;
        }
        Ok(bytes.len())
    }
}
