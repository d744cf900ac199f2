//! The way of a loss of two sides, whose positive pairs have a term among the columns of their row,
//! and one among the rows of their column: every rank sees to its own rows against all references,
//! and to its own references against all rows.

use super::communicator::Communicator;
use super::evaluate::Task;
use super::own::{Part, Scaled, add, narrowed, total};
use super::shard::{Gathered, Rows, Weights};
use crate::data::batch::Batch;
use crate::data::evaluation::Evaluation;
use crate::definition::loss::scale_of;
use crate::definition::number::Count;
use crate::error::Result;
use crate::loss::Loss;

impl<C: Communicator> Task<'_, C> {
    /// Whether the loss has two sides that can be told apart: a weight of a row, and its place among
    /// the references, are of both.
    pub(super) fn has_two_sides(&self) -> bool {
        let has_own_columns = self.shard.own_offset().is_some();
        matches!(self.loss, Loss::Clip(_))
            && matches!(self.shard.weights, Weights::None)
            && !has_own_columns
    }

    pub(super) fn evaluate_sides(
        &self,
        columns: &Gathered,
        engine: impl Fn(&Loss, &Batch<'_>) -> Result<Evaluation>,
    ) -> Result<Evaluation> {
        let counts = self.sizes.words_of_queries(1);
        let rows = self.ranks.gather(self.shard.queries, &counts, self.shard)?;
        let part = || Part::whole(self.loss);
        let parts = [part(), part()];
        let side = |own, others: &Gathered, is_fixed| {
            self.evaluate_side(&parts[0].loss, [own, others.rows()], is_fixed, &engine)
        };
        let sides = [
            side(self.shard.queries, columns, self.shard.has_fixed_references),
            side(self.shard.columns(), &rows, false),
        ];
        let (evaluations, mut sums) = self.add_up(sides.into_iter().collect(), &parts)?;
        let reduction = self.loss.reduction();
        // Half of the terms are those of the other side, which are 0 here, and may be within
        // thresholds.
        for side in &mut sums {
            let others = reduction.zeros_within(side.terms / 2).value;
            side.nonzero[0] = side.nonzero[0].saturating_sub(others);
        }
        // Each side has counted the terms of both, and pairs are those of the first.
        let nonzero = Count::exact(sums.iter().map(|sums| sums.nonzero[0]).sum());
        let scale = scale_of(reduction, sums[0].terms, nonzero);
        let found = self.conclude(&sums, &[scale; 2])?;
        let sides: Vec<_> = (parts.iter().zip(evaluations))
            .map(|(part, evaluation)| part.scaled(evaluation, scale))
            .collect();
        let found = self.with_gradients(found, &sides);
        self.ranks.agree(found)
    }

    /// The terms of the own rows among the others, which may be fixed; nothing where there are none.
    fn evaluate_side(
        &self,
        loss: &Loss,
        [own, others]: [Rows; 2],
        is_fixed: bool,
        engine: impl Fn(&Loss, &Batch<'_>) -> Result<Evaluation>,
    ) -> Result<Evaluation> {
        if own.labels.is_empty() {
            return Ok(Evaluation::default());
        }
        let batch = self.shard.batch(own, Some(others), Weights::None)?.one_sided();
        engine(loss, &if is_fixed { batch.with_fixed_references() } else { batch })
    }

    /// The result with the gradients of the own rows and references, each of which the others pull
    /// at as well.
    fn with_gradients(&self, mut found: Evaluation, sides: &[Scaled]) -> Result<Evaluation> {
        let (of_rows, of_columns) = sides.split_at(1);
        let counts = self.sizes.words_of_queries(self.dimensions());
        let gradient = self.pulled(of_rows, of_columns, &counts)?;
        if !self.shard.has_fixed_references {
            let counts = self.sizes.words_of_columns(self.dimensions());
            let of_references = self.pulled(of_columns, of_rows, &counts)?;
            found.gradient_references = Some(narrowed("the gradient", &of_references)?);
        }
        found.gradient = narrowed("the gradient", &gradient)?;
        Ok(found)
    }

    /// What the rows of the one side get by it, and by the other, where those of all ranks have so
    /// many numbers.
    fn pulled(&self, own: &[Scaled], other: &[Scaled], counts: &[usize]) -> Result<Vec<f64>> {
        let held = counts[self.ranks.communicator.rank()];
        let mut sums: Vec<_> = total(own, held, |found| Some(&found.gradient)).collect();
        let all = total(other, counts.iter().sum(), |found| found.gradient_references.as_ref());
        add(&mut sums, self.scatter(all, counts)?);
        Ok(sums)
    }
}
