//! What a loss says of one anchor: the frame that every loss file fills.

use super::anchor::Anchor;
use super::choice::Choice;
use super::columns::Columns;
use super::number::{Count, Number, ROUNDING, Term};
use crate::data::batch::Batch;
use crate::loss::{Description, Reduction, Thresholds};

/// A loss by its definition.
pub(crate) trait Definition: Description {
    /// What an anchor's terms need to know beyond the anchor's own row.
    type Known<N: Number>: Send + Sync;

    /// Finds that out.
    fn survey<N: Number>(&self, anchors: &impl Anchors<N>) -> Self::Known<N>;

    /// Whether `terms_of` gives terms their weights itself: those of both ends of a pair.
    const WEIGHS_PAIRS: bool = false;

    /// The terms of one anchor, without its weight where the loss does not weigh pairs.
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, known: &Self::Known<N>) -> AnchorTerms<N>;

    /// What is left to multiply the terms of this anchor by, where the rows have these weights.
    fn weight_of<N: Number>(&self, anchor: &Anchor<N>, weights: &[f32]) -> Option<N> {
        let is_left = !Self::WEIGHS_PAIRS && !weights.is_empty();
        is_left.then(|| N::input(weights[anchor.name]))
    }

    /// What the sum of all terms is multiplied by.
    fn scale<N: Number>(&self, terms: u64, nonzero: Count) -> N {
        scale_of(self.settings().2, terms, nonzero)
    }

    /// An anchor's terms as they enter the result: within the thresholds, and with its weight.
    fn reduced<N: Number>(
        &self,
        terms: AnchorTerms<N>,
        anchor: &Anchor<N>,
        weights: &[f32],
    ) -> AnchorTerms<N> {
        terms.within(self.anchor_thresholds()).weighed(self.weight_of(anchor, weights))
    }
}

type TermsOf<'a, N> = &'a (dyn Fn(&Anchor<N>, &[f32]) -> AnchorTerms<N> + Sync);

/// What evaluations take of a loss, whatever it is: what is made of it is compiled once for all.
pub(crate) struct Surveyed<'a, N: Number> {
    pub description: &'a dyn Description,
    /// The terms of an anchor as they enter the result, where the rows have these weights.
    pub terms_of: TermsOf<'a, N>,
    /// What the sum of so many terms, of which so many are not 0, is multiplied by.
    pub scale_of: &'a (dyn Fn(u64, Count) -> N + Sync),
}

/// All anchors of an evaluation.
pub(crate) trait Anchors<N: Number> {
    /// Something of every anchor, in the order of the matrix.
    fn map_anchors<T: Send + Sync>(&self, find: impl Fn(Anchor<'_, N>) -> T + Sync) -> Vec<T>;

    /// Something of every column as if it were a row, and the rows its columns, in the order of
    /// the batch. Of one set the columns are the anchors.
    fn map_columns<T: Send + Sync>(&self, find: impl Fn(Anchor<'_, N>) -> T + Sync) -> Vec<T> {
        self.map_anchors(find)
    }

    /// Whether terms of columns are left to another evaluation.
    fn is_one_sided(&self) -> bool {
        false
    }

    /// What the first row is in the batch that ranks share.
    fn first_row(&self) -> usize {
        0
    }

    /// The column that the first row is, where rows are among the columns.
    fn first_column(&self) -> usize {
        0
    }

    /// Columns of the embeddings.
    fn dimensions(&self) -> usize;

    /// All numbers that the loss learns, one after the other.
    fn learned(&self) -> &[f64];

    /// The weight of every row of the batch; nothing where there are none.
    fn weights(&self) -> &[f32] {
        &[]
    }

    /// How similar the rows of every listed pair should be; nothing where no target says so.
    fn targets(&self) -> &[f32] {
        &[]
    }
}

/// All numbers that the loss learns, one after the other: those of the batch, or its own.
pub(crate) fn learned_of(loss: &(impl Description + ?Sized), batch: &Batch) -> Vec<f64> {
    batch.learned(loss).into_iter().map(f64::from).collect()
}

/// What a reduction multiplies the sum of the terms by.
pub(crate) fn scale_of<N: Number>(reduction: Reduction, terms: u64, nonzero: Count) -> N {
    match reduction {
        Reduction::Sum => N::ONE,
        Reduction::Mean => Count::exact(terms).reciprocal(),
        Reduction::MeanNonZero | Reduction::MeanWithin(_) => nonzero.reciprocal(),
        Reduction::HadsellMean => Count::exact(2 * terms).reciprocal(),
    }
}

/// What one anchor adds to the result.
pub(crate) struct AnchorTerms<N> {
    /// The sum of the terms.
    pub loss: N,
    /// The value of the term as it enters the reduced loss, before the common scale.
    pub contribution: N,
    pub terms: u64,
    pub nonzero: Count,
    pub nonzero_positive: Count,
    pub nonzero_negative: Count,
    /// The derivative of the contribution by the distance to every column.
    pub slopes: Vec<N>,
    /// The derivatives of the contribution by numbers that the loss learns, and which.
    pub learned: Vec<(usize, N)>,
}

impl<N: Number> AnchorTerms<N> {
    /// No terms yet.
    pub(crate) fn none(anchor: &Anchor<N>) -> Self {
        Self {
            loss: N::ZERO,
            contribution: N::ZERO,
            terms: 0,
            nonzero: Count::default(),
            nonzero_positive: Count::default(),
            nonzero_negative: Count::default(),
            slopes: vec![N::ZERO; anchor.distances.len()],
            learned: Vec::new(),
        }
    }

    /// Sets the sum of the terms, for losses that weigh all terms alike.
    pub(crate) fn with_loss(mut self, loss: N) -> Self {
        self.loss = loss;
        self.contribution = loss;
        self
    }

    /// The same with a weight, where there is one: all but the counts is multiplied by it.
    pub(crate) fn weighed(mut self, weight: Option<N>) -> Self {
        let Some(weight) = weight else { return self };
        // Kernels may take the mean of both ends' weights, for both ends of a pair.
        let times = |number: N| (weight * number).widened(ROUNDING);
        self.loss = times(self.loss);
        self.contribution = times(self.contribution);
        self.slopes.iter_mut().for_each(|slope| *slope = times(*slope));
        self.learned.iter_mut().for_each(|(_, slope)| *slope = times(*slope));
        self
    }

    /// Adds the values of the terms at some columns to a sum, and sets their slopes; how many are
    /// not 0.
    pub(crate) fn add(
        &mut self,
        anchor: &Anchor<N>,
        columns: &Columns,
        total: &mut N::Total,
        term: impl Fn(N) -> Term<N>,
    ) -> Count {
        if anchor.weights.is_empty() {
            return N::terms_at(&anchor.distances, columns, &mut self.slopes, total, term);
        }
        let term = |column: usize| {
            let term = anchor.weighed(column, term(anchor.distance(column)));
            *total += term.value;
            self.slopes[column] = term.slope;
            term.nonzero
        };
        columns.iter().map(term).sum()
    }

    /// The same of the terms within thresholds, where there are any. Without them the loop over the
    /// terms has nothing of them, and goes by the processor's vectors.
    pub(crate) fn add_within(
        &mut self,
        anchor: &Anchor<N>,
        columns: &Columns,
        total: &mut N::Total,
        thresholds: Option<Thresholds>,
        term: impl Fn(N) -> Term<N>,
    ) -> Count {
        if thresholds.is_none() {
            return self.add(anchor, columns, total, term);
        }
        self.add(anchor, columns, total, |d| term(d).within(thresholds))
    }

    /// Gives a slope to the candidate that is picked; whatever could be picked instead may get it
    /// too.
    pub(crate) fn add_slope(&mut self, choice: &Choice<N>, slope: N) {
        let picked = &mut self.slopes[choice.index];
        *picked = N::new(picked.value() + slope.value(), picked.error());
        let doubt = if choice.plausible.len() > 1 { slope.magnitude() } else { slope.error() };
        for &candidate in &choice.plausible {
            let slope = &mut self.slopes[candidate];
            *slope = N::new(slope.value(), slope.error() + doubt);
        }
    }
}
