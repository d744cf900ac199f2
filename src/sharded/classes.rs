//! The way of a loss whose positive pairs need something of the rows of both their ends: every rank
//! sees to some classes, all of whose rows meet the rows of all.
//!
//! The gathered rows stand by classes, these in the order of their first rows: a batch whose classes
//! come one after the other stays as it is. A rank takes the classes that begin among as many rows as
//! it holds, in the place of those.

use std::collections::HashMap;
use std::ops::Range;

use super::communicator::Communicator;
use super::evaluate::Task;
use super::own::{Part, Scaled, add, narrowed, total};
use super::shard::{Gathered, Rows, Weights};
use crate::data::batch::Batch;
use crate::data::evaluation::Evaluation;
use crate::error::Result;
use crate::loss::Loss;

/// The rows of a batch by their classes.
struct Classes {
    /// The row of the batch that stands at each place.
    order: Vec<usize>,
    /// The places at which a class begins.
    starts: Vec<usize>,
}

impl Classes {
    fn of(labels: &[u32]) -> Self {
        let mut firsts = HashMap::new();
        let first_of = |(row, &label)| *firsts.entry(label).or_insert(row);
        let firsts: Vec<usize> = labels.iter().enumerate().map(first_of).collect();
        let mut order: Vec<_> = (0..labels.len()).collect();
        order.sort_by_key(|&row| firsts[row]);
        let starts = (0..order.len()).filter(|&place| firsts[order[place]] == order[place]);
        Self { starts: starts.collect(), order }
    }

    /// The places of the classes that begin in a part of all places.
    fn beginning_in(&self, part: Range<usize>) -> Range<usize> {
        let next = |place: usize| {
            let next = self.starts.partition_point(|&start| start < place);
            self.starts.get(next).copied().unwrap_or(self.order.len())
        };
        next(part.start)..next(part.end)
    }
}

impl<C: Communicator> Task<'_, C> {
    /// Whether what a term needs beside its own row is of the other rows of its class.
    pub(super) fn is_by_classes(&self) -> bool {
        matches!(self.loss, Loss::LiftedStructured(_))
    }

    pub(super) fn evaluate_classes(
        &self,
        columns: &Gathered,
        engine: impl Fn(&Loss, &Batch<'_>) -> Result<Evaluation>,
    ) -> Result<Evaluation> {
        let classes = Classes::of(columns.rows().labels);
        let own = classes.beginning_in(self.sizes.own_columns());
        let all = columns.in_order(&classes.order, self.dimensions());
        let weights = self.gather_weights()?;
        let weights: Vec<_> = match weights.is_empty() {
            true => Vec::new(),
            false => classes.order[own.clone()].iter().map(|&row| weights[row]).collect(),
        };
        let parts = [Part::whole(self.loss)];
        let found = self.classes_of(all.rows(), own.clone(), &weights);
        let found = found.and_then(|batch| {
            batch.map_or_else(|| Ok(Evaluation::default()), |batch| engine(&parts[0].loss, &batch))
        });
        let (evaluations, sums) = self.add_up(found.map(|found| vec![found]), &parts)?;
        let scales = self.scales(&parts, &sums);
        let found = self.conclude(&sums, &scales)?;
        let evaluations = parts.iter().zip(evaluations).zip(scales);
        let scaled: Vec<_> =
            evaluations.map(|((part, evaluation), scale)| part.scaled(evaluation, scale)).collect();
        let gradient = self.gradient_of_classes(&classes, own, &scaled);
        self.ranks.agree(gradient.map(|gradient| Evaluation { gradient, ..found }))
    }

    /// The rows at these places against all; nothing where there are none.
    fn classes_of<'b>(
        &'b self,
        all: Rows<'b>,
        own: Range<usize>,
        weights: &'b [f32],
    ) -> Result<Option<Batch<'b>>> {
        if own.is_empty() {
            return Ok(None);
        }
        let weights = match self.shard.weights {
            Weights::Rows(_) => Weights::Rows(weights),
            others => others,
        };
        let rows = Rows {
            numbers: &all.numbers[self.numbers(own.clone())],
            labels: &all.labels[own.clone()],
        };
        let batch = self.shard.batch(rows, Some(all), weights)?;
        Ok(Some(batch.with_reference_offset(own.start)?.of_classes()))
    }

    /// The gradient of the rows that this rank holds, of what all ranks have pulled at them.
    fn gradient_of_classes(
        &self,
        classes: &Classes,
        own: Range<usize>,
        parts: &[Scaled],
    ) -> Result<Vec<f32>> {
        let counts = self.sizes.words_of_columns(self.dimensions());
        let all = counts.iter().sum();
        let of_columns = total(parts, all, |found| found.gradient_references.as_ref());
        let mut by_classes: Vec<_> = of_columns.collect();
        let own = self.numbers(own);
        let of_rows = total(parts, own.len(), |found| Some(&found.gradient));
        add(&mut by_classes[own], of_rows);
        let mut gradient = vec![0.0; all];
        for (place, &row) in classes.order.iter().enumerate() {
            let found = &by_classes[self.numbers(place..place + 1)];
            gradient[self.numbers(row..row + 1)].copy_from_slice(found);
        }
        narrowed("the gradient", &self.scatter(gradient.into_iter(), &counts)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_by_classes_of_which_each_begins_in_one_part() {
        let classes = Classes::of(&[7, 3, 7, 9, 3, 7]);
        assert_eq!(classes.order, [0, 2, 5, 1, 4, 3]);
        assert_eq!(classes.starts, [0, 3, 5]);
        let parts = [0..1, 1..3, 3..3, 3..6].map(|part| classes.beginning_in(part));
        assert_eq!(parts, [0..3, 3..3, 3..3, 3..6]);
        let together = Classes::of(&[5, 5, 2, 2, 2]);
        assert_eq!(together.order, [0, 1, 2, 3, 4]);
        assert_eq!(together.beginning_in(2..5), 2..5);
    }
}
