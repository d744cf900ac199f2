//! The losses without pairs: what a row of values adds up to.

mod binary_cross_entropy;
mod cross_entropy;
mod elastic_net;
mod hinge;
mod huber;
mod l1;
mod l2;
mod mean_squared_error;
mod softmax;
mod uniform_entropy;

use super::number::{Count, Number, Term};
use crate::data::batch::Batch;
use crate::loss::Description;
use crate::parallel;

/// A loss by its definition, row by row.
pub(crate) trait Pointwise: Description {
    /// What a row of values adds to the result, beside its targets or its class, as the loss has
    /// them.
    fn row_of<N: Number>(&self, values: &[N], targets: &[f32], class: usize) -> Row<N>;

    /// What every row of a batch adds, with `values` in the place of the batch's own.
    fn rows<N: Number, V: Copy + Into<f64> + Sync>(
        &self,
        batch: &Batch,
        values: &[V],
    ) -> Vec<Row<N>> {
        let dimensions = batch.shape().dimensions();
        parallel::map(values.len() / dimensions, &|row| {
            let values = &values[row * dimensions..][..dimensions];
            let values: Vec<_> = values.iter().copied().map(N::input).collect();
            let targets = batch.targets().chunks(dimensions).nth(row).unwrap_or_default();
            let class = batch.labels().get(row).map_or(0, |&label| label as usize);
            self.row_of(&values, targets, class)
        })
    }
}

/// A loss whose terms are single values.
pub(crate) trait Elementwise: Description {
    /// The term of a value and its target; 0 where the loss has no targets.
    fn term_of<N: Number>(&self, value: N, target: N) -> Term<N>;
}

impl<L: Elementwise> Pointwise for L {
    fn row_of<N: Number>(&self, values: &[N], targets: &[f32], _: usize) -> Row<N> {
        let targets = targets.iter().copied().map(N::input).chain(std::iter::repeat(N::ZERO));
        let terms: Vec<_> = values
            .iter()
            .zip(targets)
            .map(|(&value, target)| self.term_of(value, target))
            .collect();
        Row {
            loss: terms.iter().map(|term| term.value.or_flushed()).sum(),
            terms: terms.len() as u64,
            nonzero: terms.iter().map(|term| term.nonzero).sum(),
            slopes: terms.iter().map(|term| term.slope).collect(),
        }
    }
}

/// What one row adds to the result.
pub(crate) struct Row<N> {
    /// The sum of the terms.
    pub loss: N,
    pub terms: u64,
    pub nonzero: Count,
    /// The derivative of the sum by every value.
    pub slopes: Vec<N>,
}

impl<N: Number> Row<N> {
    /// A row that is one term, an entropy: greater than 0 wherever there are several classes.
    fn of_one_entropy(loss: N, slopes: Vec<N>) -> Self {
        let nonzero = Count::exact(u64::from(slopes.len() > 1));
        Self { loss: loss.or_flushed(), terms: 1, nonzero, slopes }
    }
}
