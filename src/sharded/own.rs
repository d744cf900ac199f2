//! The way of most losses: every rank sees to its own anchors, which meet the rows of all.

use super::communicator::{Communicator, agree};
use super::evaluate::Task;
use super::shard::{Gathered, Weights};
use super::sums::Sums;
use crate::data::batch::Batch;
use crate::data::checks::narrow;
use crate::data::evaluation::Evaluation;
use crate::data::mode::Mode;
use crate::definition::loss::scale_of;
use crate::definition::number::Count;
use crate::error::Result;
use crate::loss::{Contrastive, Loss, Reduction};

/// A part of a loss whose terms all have the same weight, which is known once all are counted.
pub(super) struct Part {
    /// Of what a rank evaluates: a sum or, where terms are held against thresholds, a mean of those
    /// within.
    pub loss: Loss,
    /// Which of [`Sums::nonzero`] counts its terms.
    pub kind: usize,
}

impl Part {
    /// All terms of a loss.
    pub(super) fn whole(loss: &Loss) -> Self {
        let loss = match loss.reduction().thresholds() {
            Some(_) => loss.clone(),
            None => loss.clone().with_reduction(Reduction::Sum),
        };
        Self { loss, kind: 0 }
    }

    /// The parts of a loss. That of [`Contrastive`] whose positive and negative terms have means of
    /// their own has two, with margins that leave the terms of the other kind at 0.
    fn all(loss: &Loss) -> Vec<Self> {
        let whole = Self::whole(loss);
        match (loss, &whole.loss) {
            (Loss::Contrastive(asked), Loss::Contrastive(one)) if asked.has_two_means() => {
                let positive = Contrastive { negative_margin: f32::MIN, ..one.clone() };
                let negative = Contrastive { positive_margin: f32::MAX, ..one.clone() };
                let of_kind = |(loss, kind)| Self { loss: Loss::Contrastive(loss), kind };
                [(positive, 1), (negative, 2)].map(of_kind).into()
            }
            _ => vec![whole],
        }
    }

    /// What the numbers of an evaluation are multiplied by to be sums: those within thresholds are
    /// divided by their count.
    fn divisor(&self, evaluation: &Evaluation) -> f64 {
        match self.loss.reduction().thresholds() {
            Some(_) => Sums::nonzero_of(evaluation)[self.kind] as f64,
            None => 1.0,
        }
    }

    /// The sums of an evaluation.
    fn sums(&self, evaluation: &Evaluation) -> Sums {
        let mut sums = Sums::of(evaluation, self.divisor(evaluation));
        if self.kind > 0 {
            // Those of the other kind are 0, and may be within thresholds.
            let own = sums.nonzero[self.kind];
            sums.nonzero = [own, 0, 0];
            sums.nonzero[self.kind] = own;
        }
        sums
    }

    /// What the sums of all ranks are multiplied by.
    fn scale(&self, reduction: Reduction, sums: &Sums) -> f64 {
        scale_of(reduction, sums.terms, Count::exact(sums.nonzero[self.kind]))
    }

    /// An evaluation, and what it is multiplied by where sums are by a scale.
    pub(super) fn scaled(&self, evaluation: Evaluation, scale: f64) -> Scaled {
        let scale = scale * self.divisor(&evaluation);
        Scaled { evaluation, scale }
    }
}

/// What a part comes to in one rank, and what that is multiplied by.
pub(super) struct Scaled {
    pub evaluation: Evaluation,
    pub scale: f64,
}

impl<C: Communicator> Task<'_, C> {
    pub(super) fn evaluate_own(
        &self,
        columns: &Gathered,
        engine: impl Fn(&Loss, &Batch<'_>) -> Result<Evaluation>,
    ) -> Result<Evaluation> {
        let parts = Part::all(self.loss);
        let evaluations =
            parts.iter().map(|part| self.evaluate_part(&part.loss, columns, &engine)).collect();
        let (evaluations, sums) = self.add_up(evaluations, &parts)?;
        let scales = self.scales(&parts, &sums);
        let found = self.conclude(&sums, &scales)?;
        let scaled: Vec<_> = (parts.iter().zip(evaluations).zip(scales))
            .map(|((part, evaluation), scale)| part.scaled(evaluation, scale))
            .collect();
        let found = self.with_tables(found, &scaled);
        self.ranks.agree(found)
    }

    /// Whether a gradient of rows is twice what their own anchors have of it.
    fn is_twice_its_half(&self) -> bool {
        self.shard.mode() == Mode::Batch
            && matches!(self.shard.weights, Weights::None)
            && self.loss.description().is_symmetric()
    }

    /// Whether gathered rows have a gradient, which goes back to the ranks that hold them.
    fn has_gradient_of_columns(&self) -> bool {
        match self.shard.mode() {
            Mode::Batch => !self.is_twice_its_half(),
            _ => !self.shard.has_fixed_references,
        }
    }

    /// A part of the loss on the own rows against those of all; nothing where there are none.
    fn evaluate_part(
        &self,
        loss: &Loss,
        columns: &Gathered,
        engine: impl Fn(&Loss, &Batch<'_>) -> Result<Evaluation>,
    ) -> Result<Evaluation> {
        let own = self.shard.queries;
        if own.labels.is_empty() {
            return Ok(Evaluation::default());
        }
        let mut batch = self.shard.batch(own, Some(columns.rows()), self.shard.weights)?;
        if let Some(offset) = self.shard.own_offset() {
            batch = batch.with_reference_offset(offset + self.sizes.own_queries().start)?;
        }
        if !self.has_gradient_of_columns() {
            batch = batch.with_fixed_references();
        }
        engine(loss, &batch.with_first_row(self.sizes.own_queries().start))
    }

    /// What the sums of each part are multiplied by.
    pub(super) fn scales(&self, parts: &[Part], sums: &[Sums]) -> Vec<f64> {
        let reduction = self.loss.reduction();
        parts.iter().zip(sums).map(|(part, sums)| part.scale(reduction, sums)).collect()
    }

    /// The evaluations of this rank, one of each part, and the sums of each part over all ranks.
    pub(super) fn add_up(
        &self,
        evaluations: Result<Vec<Evaluation>>,
        parts: &[Part],
    ) -> Result<(Vec<Evaluation>, Vec<Sums>)> {
        let count = Sums::words(self.learned());
        let words = |(part, evaluation): (&Part, &Evaluation)| {
            let mut sums = part.sums(evaluation);
            // A rank without rows has found none.
            sums.learned.resize(self.learned(), 0.0);
            sums.to_words()
        };
        let own = evaluations.as_ref().map(|all| parts.iter().zip(all).flat_map(words).collect());
        let own = own.map_err(Clone::clone);
        let mut sums = vec![Sums::default(); parts.len()];
        for of_rank in agree(self.ranks.communicator, own, parts.len() * count)? {
            let of_parts = of_rank.chunks_exact(count).map(Sums::from_words);
            sums.iter_mut().zip(of_parts).for_each(|(sums, part)| sums.add(&part));
        }
        Ok((evaluations?, sums))
    }

    /// The result with the gradients and the per-anchor losses of the own rows.
    fn with_tables(&self, mut found: Evaluation, parts: &[Scaled]) -> Result<Evaluation> {
        let own = self.numbers(self.sizes.own_queries()).len();
        let factor = if self.is_twice_its_half() { 2.0 } else { 1.0 };
        let mut gradient: Vec<_> =
            total(parts, own, |found| Some(&found.gradient)).map(|slope| factor * slope).collect();
        if self.has_gradient_of_columns() {
            let all = self.shape.references() * self.dimensions();
            let of_columns = total(parts, all, |found| found.gradient_references.as_ref());
            let counts = self.sizes.words_of_columns(self.dimensions());
            let of_columns = self.scatter(of_columns, &counts)?;
            match self.shard.mode() {
                Mode::Batch => add(&mut gradient, of_columns),
                _ => found.gradient_references = Some(narrowed("the gradient", &of_columns)?),
            }
        }
        found.gradient = narrowed("the gradient", &gradient)?;
        if self.loss.has_per_anchor(&self.shape) {
            let losses = parts.iter().filter_map(|part| part.evaluation.per_anchor.as_ref());
            let mut sums = vec![0.0; self.sizes.own_queries().len()];
            losses.for_each(|losses| add(&mut sums, losses.iter().copied().map(f64::from)));
            found.per_anchor = Some(narrowed("the loss", &sums)?);
        }
        Ok(found)
    }

    /// Hands the gradient of gathered rows to the ranks that hold them, so many words each; what the
    /// own ones get, summed up in the order of the ranks. What is beyond f32 stays so in the sum, and
    /// is told there, when nobody waits any more.
    pub(super) fn scatter(
        &self,
        gradient: impl Iterator<Item = f64>,
        counts: &[usize],
    ) -> Result<Vec<f64>> {
        let numbers: Vec<_> = gradient.map(|number| number as f32).collect();
        let communicator = self.ranks.communicator;
        let received = communicator.all_to_all(bytemuck::cast_slice(&numbers), counts)?;
        let received: &[f32] = bytemuck::cast_slice(&received);
        let own = counts[communicator.rank()];
        let mut sums = vec![0.0; own];
        for of_rank in received.chunks_exact(own.max(1)) {
            add(&mut sums, of_rank.iter().copied().map(f64::from));
        }
        Ok(sums)
    }
}

/// A table of the result, of so many numbers, as the parts have it; 0 where they have none.
pub(super) fn total<'p>(
    parts: &'p [Scaled],
    count: usize,
    table: impl Fn(&'p Evaluation) -> Option<&'p Vec<f32>>,
) -> impl Iterator<Item = f64> {
    let weighed = |part: &'p Scaled| Some((table(&part.evaluation)?, part.scale));
    let tables: Vec<_> =
        parts.iter().filter_map(weighed).filter(|(table, _)| !table.is_empty()).collect();
    (0..count).map(move |at| {
        tables.iter().map(|(table, scale)| scale * f64::from(table[at])).sum::<f64>()
    })
}

pub(super) fn add(sums: &mut [f64], numbers: impl IntoIterator<Item = f64>) {
    sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
}

pub(super) fn narrowed(what: &'static str, numbers: &[f64]) -> Result<Vec<f32>> {
    numbers.iter().map(|&number| narrow(what, number)).collect()
}
