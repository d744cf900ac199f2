//! Rows and what they are compared with, by the distance that ranks them.

use std::borrow::Cow;

use wgpu_metric_learning::search::Search;
use wgpu_metric_learning::{Cpu, Distance};

use super::Rows;
use crate::Result;

/// Rows, and the rows that each of them is compared with.
#[derive(Clone, Copy)]
pub(crate) struct Pairs<'a> {
    pub queries: Rows<'a>,
    pub references: Rows<'a>,
    /// Query i is the same row as reference i + this, and is not compared with itself.
    pub offset: Option<usize>,
    pub distance: Distance,
    /// Whether every row is divided by its norm first.
    pub normalize: bool,
}

impl<'a> Pairs<'a> {
    /// Rows that are compared with each other by their Euclidean distance.
    pub(crate) fn among(rows: Rows<'a>) -> Self {
        let distance = Distance::Euclidean;
        Self { queries: rows, references: rows, offset: Some(0), distance, normalize: false }
    }

    /// Of some queries each the nearest of some references with their distances, so many at most;
    /// of those at one distance the first comes first.
    pub(super) fn nearest(
        &self,
        queries: &[usize],
        references: &[usize],
        most: usize,
    ) -> Result<Vec<Vec<(usize, f32)>>> {
        let own = usize::from(self.offset.is_some());
        let k = references.len().min(most.saturating_add(own));
        let (Self { distance, normalize, .. }, reference_offset) = (*self, None);
        let search = Search { k, distance, normalize, reference_offset };
        let columns = self.queries.columns;
        let sides = [picked(&self.queries, queries), picked(&self.references, references)];
        let found = Cpu::default().search(&search, columns, &sides[0], &sides[1]).wait()?;
        let of = |(at, indices): (usize, &[u32])| {
            let own = self.offset.map(|offset| queries[at] + offset);
            let found = indices.iter().zip(&found.distances[at * k..]);
            let found = found.map(|(&index, &distance)| (references[index as usize], distance));
            found.filter(|(reference, _)| Some(*reference) != own).take(most).collect()
        };
        Ok(found.indices.chunks(k).enumerate().map(of).collect())
    }
}

/// The values of some rows; of all of them as they stand.
fn picked<'a>(rows: &Rows<'a>, taken: &[usize]) -> Cow<'a, [f32]> {
    match taken.len() == rows.labels.len() {
        true => Cow::Borrowed(rows.values),
        false => taken.iter().flat_map(|&row| rows.row(row)).copied().collect::<Vec<_>>().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first_and_no_row_is_its_own() {
        let values = [0.0, 3.0, 1.0, -1.0, 9.0, 2.0, 8.0];
        let (labels, numbers) = ([0; 7], [0, 1, 2, 3, 4, 5, 6]);
        let rows =
            Rows { values: &values, columns: 1, labels: &labels, classes: &[], numbers: &numbers };
        let pairs = Pairs::among(rows);
        let indices = |pairs: Pairs<'_>, queries: &[usize], references: &[usize], most| {
            let found = pairs.nearest(queries, references, most).unwrap().remove(0);
            found.into_iter().map(|(row, _)| row).collect::<Vec<_>>()
        };
        assert_eq!(indices(pairs, &[0], &numbers, 5), [2, 3, 5, 1, 6]);
        assert_eq!(indices(pairs, &[4], &[4, 6, 0], usize::MAX), [6, 0]);
        assert_eq!(indices(Pairs { offset: None, ..pairs }, &[4], &[4, 6], 1), [4]);
        assert_eq!(indices(Pairs { offset: Some(2), ..pairs }, &[4], &[4, 6], 2), [4]);
        let by_product = Pairs { distance: Distance::InnerProduct, ..pairs };
        assert_eq!(indices(by_product, &[1], &numbers, 2), [4, 6]);
    }
}
