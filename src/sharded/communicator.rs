//! What ranks are to each other: the two ways in which words travel, and what is made of them.

use crate::error::{Error, ErrorKind, Result};

/// How the ranks of a group reach each other. All of them make the same calls in the same order.
///
/// A word is 32 bits: a label, a number, or half of one in f64. Nothing of these calls depends on
/// what arrives first, so sums of what they give, taken in the order of the ranks, always have the
/// same bits.
///
/// A rank that is gone, or does not answer, is an [`Error::Ranks`] in all others, after as long as
/// the implementation has patience.
pub trait Communicator {
    /// Which one this is, from 0.
    fn rank(&self) -> usize;

    /// How many there are.
    fn ranks(&self) -> usize;

    /// All-gather: the words of every rank, in the order of the ranks. `counts` says how many each
    /// gives, and is the same everywhere; `own` are this one's.
    ///
    /// # Errors
    ///
    /// [`Error::Ranks`].
    fn all_gather(&self, own: &[u32], counts: &[usize]) -> Result<Vec<u32>>;

    /// All-to-all: rank r gets `counts[r]` words of every rank, in the order of the ranks. `counts`
    /// is the same everywhere; `words` are those of this rank for each of them, one after the other.
    ///
    /// # Errors
    ///
    /// [`Error::Ranks`].
    fn all_to_all(&self, words: &[u32], counts: &[usize]) -> Result<Vec<u32>>;
}

/// What a rank says first of what it shares: the kind of its fault, 0 for none, and the bytes of
/// that.
const STATE: usize = 2;

const KINDS: [ErrorKind; 5] = [
    ErrorKind::Input,
    ErrorKind::Unsupported,
    ErrorKind::Limit,
    ErrorKind::Device,
    ErrorKind::Runtime,
];

/// The words of every rank, so many of each; or the fault of the first rank that has one, which is
/// then the same error in all.
pub(super) fn agree(
    communicator: &impl Communicator,
    own: Result<Vec<u32>>,
    count: usize,
) -> Result<Vec<Vec<u32>>> {
    let (kind, message, words) = match own {
        Ok(words) => (0, String::new(), words),
        // It is not told twice whose fault it is.
        Err(error @ Error::Ranks { .. }) => return Err(error),
        Err(error) => {
            let kind = KINDS.iter().position(|&kind| kind == error.kind()).map_or(0, |at| at + 1);
            (kind as u32, error.to_string(), vec![0; count])
        }
    };
    let words = [vec![kind, message.len() as u32], words].concat();
    let counts = vec![STATE + count; communicator.ranks()];
    let all = communicator.all_gather(&words, &counts)?;
    let mut all: Vec<_> = all.chunks_exact(STATE + count).map(<[u32]>::to_vec).collect();
    let Some(rank) = all.iter().position(|words| words[0] != 0) else {
        all.iter_mut().for_each(|words| drop(words.drain(..STATE)));
        return Ok(all);
    };
    let lengths: Vec<_> = all.iter().map(|words| words[1] as usize).collect();
    let message = message_of(communicator, &message, &lengths, rank)?;
    let kind = KINDS.get(all[rank][0] as usize - 1).copied().unwrap_or(ErrorKind::Runtime);
    Err(Error::OfRank { rank, kind, message })
}

/// The message of this rank, of messages that have these lengths in bytes.
fn message_of(
    communicator: &impl Communicator,
    own: &str,
    lengths: &[usize],
    rank: usize,
) -> Result<String> {
    let mut bytes = own.as_bytes().to_vec();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    let own: Vec<u32> = bytes.chunks_exact(4).map(bytemuck::pod_read_unaligned).collect();
    let counts: Vec<_> = lengths.iter().map(|length| length.div_ceil(4)).collect();
    let all = communicator.all_gather(&own, &counts)?;
    let start: usize = counts[..rank].iter().sum();
    let bytes: &[u8] = bytemuck::cast_slice(&all[start..start + counts[rank]]);
    Ok(String::from_utf8_lossy(&bytes[..lengths[rank]]).into_owned())
}

/// The two words of a count, or of a number in f64 by its bits.
pub(super) fn halves(bits: u64) -> [u32; 2] {
    [bits as u32, (bits >> 32) as u32]
}

/// What [`halves`] made two words of.
pub(super) fn whole(halves: &[u32]) -> u64 {
    u64::from(halves[0]) | u64::from(halves[1]) << 32
}
