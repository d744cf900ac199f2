//! Workgroups of a kernel that are shared out among dispatches, so that none of these takes too
//! long.

use crate::gpu::dispatch::workgroups::{MOST_GROUPS, folded};

/// Dispatches of a kernel beyond which none is split any more: each is an object on the host, and a
/// uniform.
pub(crate) const MOST_DISPATCHES: u64 = 1 << 16;

/// A part of the workgroups of a kernel, from `first` on, that is one dispatch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Piece {
    pub first: [u32; 2],
    size: [u32; 2],
}

impl Piece {
    /// Cuts these workgroups into so many pieces, or a few more: first into rows of workgroups,
    /// then those.
    pub(crate) fn cut(extent: [u32; 2], pieces: u64) -> Vec<Self> {
        let [across, down] = extent;
        if extent.contains(&0) {
            return Vec::new();
        }
        if pieces <= 1 {
            return vec![Self { first: [0, 0], size: extent }];
        }
        let [width, height] = [even(across, pieces.div_ceil(down.into())), even(down, pieces)];
        let starts = |count: u32, step: u32| (0..count).step_by(step as usize);
        let columns = |y| starts(across, width).map(move |x| [x, y]);
        let size = |[x, y]: [u32; 2]| [width.min(across - x), height.min(down - y)];
        starts(down, height)
            .flat_map(columns)
            .map(|first| Self { first, size: size(first) })
            .collect()
    }

    /// The workgroups of the dispatch. A piece of several is never so large that it has to be
    /// folded, which would add to it.
    pub(crate) fn groups(&self) -> [u32; 3] {
        match self.size {
            [across, 1] => folded(across),
            [across, down] => {
                let [down, folds, _] = folded(down);
                [across, down, folds]
            }
        }
    }

    /// How many workgroups it has.
    pub(crate) fn count(&self) -> u64 {
        u64::from(self.size[0]) * u64::from(self.size[1])
    }

    /// How many of them are on the diagonal of a square or above it.
    pub(crate) fn above_diagonal(&self) -> u64 {
        let ([x, y], [across, down]) = (self.first, self.size);
        let of_row = |y: u32| u64::from((x + across).saturating_sub(y.max(x)));
        (y..y + down).map(of_row).sum()
    }

    /// The part of the piece in what all workgroups cost.
    pub(crate) fn share(&self, cost: u64, [across, down]: [u32; 2]) -> u64 {
        let count = |across: u32, down: u32| u128::from(across) * u128::from(down);
        (u128::from(cost) * count(self.size[0], self.size[1]) / count(across, down)) as u64
    }
}

/// How many of `count` each of so many parts has at most, evenly.
pub(crate) fn even(count: u32, parts: u64) -> u32 {
    let most = u64::from(count) / parts.clamp(1, count.into());
    count.div_ceil(count.div_ceil(most.min(MOST_GROUPS.into()) as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which workgroups the pieces hold, as often as they do.
    fn held(extent: [u32; 2], pieces: u64) -> (usize, Vec<[u32; 2]>) {
        let pieces = Piece::cut(extent, pieces);
        let across = |piece: &Piece, y: u32| {
            (0..piece.size[0]).map(|x| [piece.first[0] + x, y]).collect::<Vec<_>>()
        };
        let all = |piece: &Piece| {
            (0..piece.size[1]).flat_map(|y| across(piece, piece.first[1] + y)).collect::<Vec<_>>()
        };
        (pieces.len(), pieces.iter().flat_map(all).collect())
    }

    #[test]
    fn pieces_hold_every_workgroup_once() {
        for extent in [[1, 1], [7, 1], [1, 7], [5, 6], [64, 16]] {
            let [across, down] = extent;
            let all: Vec<_> = (0..down).flat_map(|y| (0..across).map(move |x| [x, y])).collect();
            for pieces in [0, 1, 2, 3, 5, 7, 16, 100, 10_000] {
                let (count, mut held) = held(extent, pieces);
                held.sort_by_key(|&[x, y]| [y, x]);
                assert_eq!(held, all, "{extent:?} in {pieces}");
                assert!(
                    count as u64 >= pieces.min(all.len() as u64),
                    "{extent:?} in {pieces}: {count}"
                );
            }
        }
    }

    #[test]
    fn half_of_a_square_and_its_diagonal_are_above_it() {
        for pieces in [1, 2, 5, 49, 100] {
            let all = Piece::cut([7, 7], pieces);
            let counts = [Piece::count, Piece::above_diagonal]
                .map(|count| all.iter().map(count).sum::<u64>());
            assert_eq!(counts, [49, 28], "in {pieces}");
        }
    }

    #[test]
    fn nothing_is_cut_that_need_not_be() {
        assert_eq!(Piece::cut([70_000, 3], 1).len(), 1);
        assert_eq!(Piece::cut([0, 3], 9), []);
    }

    #[test]
    fn a_piece_of_several_is_never_folded() {
        let pieces = Piece::cut([200_000, 1], 2);
        assert!(pieces.iter().all(|piece| piece.groups() == [piece.size[0], 1, 1]), "{pieces:?}");
        assert_eq!(Piece::cut([200_000, 1], 1)[0].groups(), [65_535, 4, 1]);
    }
}
