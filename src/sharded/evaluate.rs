//! A loss over the rows of all ranks, and the way of those that need all rows for every term.

use std::ops::Range;

use super::Sharded;
use super::communicator::{Communicator, agree};
use super::shard::{Gathered, Rows, Shard, Sizes, Weights};
use super::sums::Sums;
use crate::data::batch::Batch;
use crate::data::checks::narrow;
use crate::data::evaluation::Evaluation;
use crate::data::mode::Mode;
use crate::data::shape::Shape;
use crate::error::Result;
use crate::loss::{LearnedGradients, Loss};

impl<C: Communicator> Sharded<'_, C> {
    /// Evaluates `loss` on the rows of all ranks, each of which makes this call with its own shard
    /// and with an engine of its own: [`Cpu::evaluate`](crate::Cpu::evaluate) or another one, whose
    /// runs it waits for.
    ///
    /// The loss, counts, mean distances and derivatives by beta, scale and bias are those of all
    /// rows, the same in every rank. The gradients and the per-anchor losses are of the rows that
    /// this rank holds.
    ///
    /// Sums are taken before the reduction: where the sum of all terms, or its gradient, is beyond
    /// f32, it is an [`Error::Overflow`](crate::Error::Overflow) even if their mean is not. Of terms
    /// [within thresholds](crate::Reduction::MeanWithin) a rank takes the mean.
    ///
    /// # Errors
    ///
    /// [`Error::OfRank`](crate::Error::OfRank), the same in every rank, for what is wrong with the inputs of one, with its
    /// engine, or with a rank that asks for something else than the first; those of
    /// [`Loss::check`] for rows of these sizes; [`Error::Ranks`](crate::Error::Ranks) where one does not answer, and
    /// [`Error::Overflow`](crate::Error::Overflow).
    pub fn evaluate(
        &self,
        loss: impl Into<Loss>,
        shard: &Shard<'_>,
        engine: impl Fn(&Loss, &Batch<'_>) -> Result<Evaluation>,
    ) -> Result<Evaluation> {
        let loss = loss.into();
        let sizes = Sizes::agree(self.communicator, shard, &format!("{loss:?}"))?;
        let shape = shard.shape_of(&sizes);
        shape.check()?;
        loss.check(&shape)?;
        let columns = self.gather(shard.columns(), &sizes.words_of_columns(1), shard)?;
        let task = Task { ranks: self, loss: &loss, shard, sizes: &sizes, shape };
        // What one rank holds alone is the whole batch.
        if self.communicator.ranks() == 1 {
            return task.evaluate_all(&columns, engine);
        }
        match loss.needs_all_rows() {
            false => task.evaluate_own(&columns, engine),
            true if task.has_two_sides() => task.evaluate_sides(&columns, engine),
            true if task.is_by_classes() => task.evaluate_classes(&columns, engine),
            true => task.evaluate_all(&columns, engine),
        }
    }

    pub(super) fn gather(&self, own: Rows, counts: &[usize], shard: &Shard) -> Result<Gathered> {
        Gathered::of(self.communicator, own, counts, shard.dimensions)
    }
}

/// One evaluation in one rank.
pub(super) struct Task<'t, C> {
    pub ranks: &'t Sharded<'t, C>,
    pub loss: &'t Loss,
    pub shard: &'t Shard<'t>,
    pub sizes: &'t Sizes,
    /// That of all rows.
    pub shape: Shape,
}

impl<C: Communicator> Task<'_, C> {
    pub(super) fn dimensions(&self) -> usize {
        self.shard.dimensions
    }

    /// The numbers of these rows.
    pub(super) fn numbers(&self, rows: Range<usize>) -> Range<usize> {
        rows.start * self.dimensions()..rows.end * self.dimensions()
    }

    /// How many numbers the loss learns.
    pub(super) fn learned(&self) -> usize {
        let learned = self.loss.description().learned();
        learned.into_iter().map(|learned| learned.numbers(&self.shape)).sum()
    }

    /// Every rank evaluates all rows and keeps what is of its own; the numbers of all are those of
    /// the first.
    fn evaluate_all(
        &self,
        columns: &Gathered,
        engine: impl Fn(&Loss, &Batch<'_>) -> Result<Evaluation>,
    ) -> Result<Evaluation> {
        let communicator = self.ranks.communicator;
        let queries = match self.shard.mode() {
            Mode::Batch => None,
            _ => {
                let counts = self.sizes.words_of_queries(1);
                Some(self.ranks.gather(self.shard.queries, &counts, self.shard)?)
            }
        };
        let gathered = self.gather_weights()?;
        let weights = match self.shard.weights {
            Weights::Rows(_) => Weights::Rows(&gathered),
            others => others,
        };
        let evaluation = match &queries {
            None => self.shard.batch(columns.rows(), None, weights),
            Some(queries) => self.shard.batch(queries.rows(), Some(columns.rows()), weights),
        };
        let evaluation = evaluation
            .and_then(|batch| self.with_settings(batch))
            .and_then(|batch| engine(self.loss, &batch));
        let own =
            evaluation.as_ref().map(|one| Sums::of(one, 1.0).to_words()).map_err(Clone::clone);
        let all = agree(communicator, own, Sums::words(self.learned()))?;
        let evaluation = evaluation?;
        let mut found = self.conclude(&[Sums::from_words(&all[0])], &[1.0])?;
        let rows = self.sizes.own_queries();
        let of_columns = evaluation.gradient_references.as_ref();
        found.gradient = evaluation.gradient[self.numbers(rows.clone())].to_vec();
        found.gradient_references =
            of_columns.map(|all| all[self.numbers(self.sizes.own_columns())].to_vec());
        found.per_anchor = evaluation.per_anchor.map(|all| all[rows].to_vec());
        Ok(found)
    }

    /// The weights of the rows of all ranks, where rows have any.
    pub(super) fn gather_weights(&self) -> Result<Vec<f32>> {
        let Weights::Rows(own) = self.shard.weights else { return Ok(Vec::new()) };
        let counts = self.sizes.words_of_queries(1);
        let words = self.ranks.communicator.all_gather(bytemuck::cast_slice(own), &counts)?;
        Ok(words.into_iter().map(f32::from_bits).collect())
    }

    /// All rows, with what the shard says of its references.
    fn with_settings<'b>(&self, batch: Batch<'b>) -> Result<Batch<'b>> {
        let fixed = self.shard.has_fixed_references;
        let batch = if fixed { batch.with_fixed_references() } else { batch };
        match (self.shard.mode(), self.shard.own_offset()) {
            (Mode::Reference, Some(offset)) => batch.with_reference_offset(offset),
            _ => Ok(batch),
        }
    }

    /// What is the same in every rank, of the sums of every part and what each is multiplied by.
    pub(super) fn conclude(&self, sums: &[Sums], scales: &[f64]) -> Result<Evaluation> {
        let total = |of: &dyn Fn(&Sums) -> f64| {
            sums.iter().zip(scales).map(|(sums, scale)| of(sums) * scale).sum::<f64>()
        };
        let count = |kind: usize| sums.iter().map(|sums| sums.nonzero[kind]).sum();
        let slope = |at: usize| narrow("the gradient", total(&|sums| sums.learned[at]));
        let learned = (0..self.learned()).map(slope).collect::<Result<_>>()?;
        let learned = LearnedGradients::of(self.loss.description(), &self.shape, learned);
        // Every part sees all terms and all pairs.
        let first = &sums[0];
        let mean = |what, kind| narrow(what, first.mean_distance(kind));
        Ok(Evaluation {
            loss: narrow("the loss", total(&|sums| sums.loss))?,
            terms: first.terms,
            nonzero_terms: count(0),
            nonzero_positive_terms: count(1),
            nonzero_negative_terms: count(2),
            positive_pairs: first.pairs[0],
            negative_pairs: first.pairs[1],
            mean_positive_distance: mean("the sum of the positive distances", 0)?,
            mean_negative_distance: mean("the sum of the negative distances", 1)?,
            gradient_beta: learned.beta,
            gradient_scale: learned.scale,
            gradient_bias: learned.bias,
            ..Evaluation::default()
        })
    }
}
