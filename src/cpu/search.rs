//! The nearest columns of every row, from one look at each.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::matrix::Matrix;
use super::step::Steps;
use crate::definition::anchor::Anchor;
use crate::error::{Error, Result};
use crate::parallel::prelude::*;
use crate::search::Neighbours;

/// A column of a row: the nearest is the least, and of those at one distance the first.
#[derive(Clone, Copy, PartialEq)]
struct Neighbour {
    distance: f32,
    column: u32,
}

impl Ord for Neighbour {
    fn cmp(&self, other: &Self) -> Ordering {
        self.distance.total_cmp(&other.distance).then(self.column.cmp(&other.column))
    }
}

impl PartialOrd for Neighbour {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for Neighbour {}

/// Finds the k nearest columns of every row of a matrix whose rows all have one label.
pub(super) fn search(k: usize, matrix: &Matrix, steps: &mut Steps<'_>) -> Result<Neighbours> {
    let mut found = Neighbours::default();
    matrix.for_stripes(|rows, distances| {
        steps.step(rows.start as u64)?;
        let rows = rows.into_par_iter().zip(distances.par_chunks(matrix.stride()));
        let nearest = rows.map(|(row, distances)| nearest(k, &matrix.axes.anchor(row, distances)));
        for neighbour in nearest.collect::<Vec<_>>().into_iter().flatten() {
            if !neighbour.distance.is_finite() {
                return Err(Error::Overflow { what: "the distance of a neighbour" });
            }
            found.indices.push(neighbour.column);
            found.distances.push(neighbour.distance);
        }
        Ok(())
    })?;
    Ok(found)
}

fn nearest(k: usize, query: &Anchor<f64>) -> Vec<Neighbour> {
    let mut nearest = BinaryHeap::with_capacity(k);
    for column in query.positives.iter() {
        // Of a product that is 0 the sign says nothing: -0 + 0 is 0.
        let distance = query.distances[column] + 0.0;
        let neighbour = Neighbour { distance, column: column as u32 };
        if nearest.len() < k {
            nearest.push(neighbour);
        } else if let Some(mut last) = nearest.peek_mut().filter(|last| neighbour < **last) {
            *last = neighbour;
        }
    }
    nearest.into_sorted_vec()
}
