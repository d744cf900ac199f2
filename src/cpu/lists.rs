//! The way of a loss over listed pairs: their distances, the terms of parts of the list, and what
//! the pairs pull at each row, in the order of the list.

use super::points::{Points, between, coefficient};
use super::step::Steps;
use super::terms::Terms;
use super::totals::{Gathered, Summary, conclude};
use crate::data::batch::Batch;
use crate::data::evaluation::Evaluation;
use crate::definition::anchor::Anchor;
use crate::definition::list::List;
use crate::definition::loss::{Anchors, Surveyed, learned_of};
use crate::error::Result;
use crate::loss::Distance;
use crate::parallel;
use crate::parallel::prelude::*;

/// A list with its rows.
struct Listed<'a> {
    list: &'a List,
    distance: Distance,
    points: [&'a Points; 2],
    learned: Vec<f64>,
    targets: &'a [f32],
}

/// A listed pair as one of its rows sees it.
#[derive(Clone, Copy)]
struct End {
    other: usize,
    pair: usize,
}

/// Evaluates a loss on a list.
pub(super) fn evaluate<L: Terms>(
    loss: &L,
    batch: &Batch,
    list: &List,
    steps: &mut Steps<'_>,
) -> Result<Evaluation> {
    let shape = batch.shape();
    let (distance, normalize, _) = loss.settings();
    let distance = distance.unwrap_or_default();
    let unit = normalize || distance.is_of_unit_rows();
    let points = |rows| Points::new(rows, shape.dimensions(), unit, None);
    let queries = points(batch.embeddings());
    let references = shape.has_references().then(|| points(batch.references()));
    let columns = references.as_ref().unwrap_or(&queries);
    let points = [&queries, columns];
    let (learned, targets) = (learned_of(loss, batch), batch.targets());
    let listed = Listed { list, distance, points, learned, targets };
    steps.step(0)?;
    let known = loss.known(&listed);
    let surveyed = Surveyed {
        description: loss,
        // Pairs have weights, not anchors, and single terms are held against thresholds.
        terms_of: &|anchor, _| loss.terms(anchor, &known),
        scale_of: &|terms, nonzero| loss.scale(terms, nonzero),
    };
    let parts = listed.map_anchors(|anchor| {
        let terms = (surveyed.terms_of)(&anchor, &[]);
        let summary = Summary::new(&anchor, &terms);
        (summary, listed.coefficients(&anchor, &terms.slopes))
    });
    steps.step(shape.listed() as u64 / 2)?;
    let (summaries, coefficients): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    let coefficients = coefficients.concat();
    let ends = |kinds: &[usize]| ends(list, kinds, shape.queries());
    let gathered = |kinds: &[usize], points, others| {
        let sums = listed.gather(&ends(kinds), [points, others], &coefficients);
        Gathered { points, sums, stride: shape.dimensions(), factor: 1.0, order: None }
    };
    let (gradient, gradient_references) = match &references {
        Some(references) => (
            gathered(&[0], &queries, references),
            shape.has_reference_gradient().then(|| gathered(&[1], references, &queries)),
        ),
        None => (gathered(&[0, 1], &queries, &queries), None),
    };
    conclude(&surveyed, batch, summaries, gradient, gradient_references)
}

/// What each row is part of, by its place in a pair, in the order of the list.
fn ends(list: &List, kinds: &[usize], rows: usize) -> Vec<Vec<End>> {
    let mut ends = vec![Vec::new(); rows];
    for (pair, listed) in list.pairs(0..list.parts()).iter().enumerate() {
        for &kind in kinds {
            ends[listed.rows[kind]].push(End { other: listed.rows[1 - kind], pair });
        }
    }
    ends
}

impl Listed<'_> {
    /// The coefficients of the pairs of a part.
    fn coefficients(&self, anchor: &Anchor<f64>, slopes: &[f64]) -> Vec<f64> {
        let [x, y] = self.points;
        let pairs = self.list.pairs(anchor.index..anchor.index + 1).iter();
        let numbers = pairs.zip(slopes.iter().zip(anchor.distances.iter()));
        numbers
            .map(|(pair, (&slope, &d))| {
                let [i, j] = pair.rows;
                coefficient(self.distance, slope, d.into(), || x.is_zero(i) || y.is_zero(j))
            })
            .collect()
    }

    /// The gradient of every row: the sum of coefficient times direction over the pairs it is in.
    fn gather(
        &self,
        ends: &[Vec<End>],
        [points, others]: [&Points; 2],
        coefficients: &[f64],
    ) -> Vec<f64> {
        let mut sums = vec![0.0; ends.len() * points.dimensions()];
        let rows = sums.par_chunks_mut(points.dimensions()).zip(ends).enumerate();
        rows.for_each(|(row, (sums, ends))| {
            for end in ends {
                let coefficient = coefficients[end.pair];
                let coordinates = points.row(row).iter().zip(others.row(end.other));
                for (sum, (&x, &y)) in sums.iter_mut().zip(coordinates) {
                    let (x, y) = (f64::from(x), f64::from(y));
                    *sum += coefficient
                        * match self.distance {
                            Distance::Manhattan => f64::from(x > y) - f64::from(x < y),
                            Distance::InnerProduct => -y,
                            Distance::Euclidean | Distance::SquaredEuclidean | Distance::Cosine => {
                                x - y
                            }
                        };
                }
            }
        });
        sums
    }

    /// Something of every part of the list. Compiled once for each type of it.
    fn map_parts<T: Send + Sync>(&self, find: &(dyn Fn(Anchor<'_, f64>) -> T + Sync)) -> Vec<T> {
        let between = |i, j| between(self.distance, self.points, [i, j]) as f32;
        parallel::map(self.list.parts(), &|part| find(self.list.anchor(part, between)))
    }
}

impl Anchors<f64> for Listed<'_> {
    fn map_anchors<T: Send + Sync>(&self, find: impl Fn(Anchor<'_, f64>) -> T + Sync) -> Vec<T> {
        self.map_parts(&find)
    }

    fn dimensions(&self) -> usize {
        self.points[0].dimensions()
    }

    fn learned(&self) -> &[f64] {
        &self.learned
    }

    fn targets(&self) -> &[f32] {
        self.targets
    }
}
