//! The softmax of a row of logits.

use super::Number;

/// exp(x(c) - m) of every logit, with the largest logit m, and their sum.
pub(crate) struct Softmax<N> {
    /// m.
    pub largest: N,
    /// The lowest column of m.
    pub column: usize,
    exponentials: Vec<N>,
    /// The sum of the exponentials without that of m, which is 1.
    others: N,
}

impl<N: Number> Softmax<N> {
    pub(super) fn of(row: &[N]) -> Self {
        let column = (1..row.len())
            .fold(0, |best, c| if row[c].value() > row[best].value() { c } else { best });
        let largest = row[column];
        let exponentials: Vec<_> =
            row.iter().map(|&x| (x - largest).exp_of_part().or_flushed()).collect();
        let others = exponentials
            .iter()
            .enumerate()
            .filter(|&(c, _)| c != column)
            .map(|(_, &part)| part)
            .sum();
        Self { largest, column, exponentials, others }
    }

    fn sum(&self) -> N {
        N::ONE + self.others
    }

    /// log sum over c of exp(x(c) - m).
    pub(super) fn log_sum(&self) -> N {
        self.others.ln_of_one_and()
    }

    /// P(c) of every logit.
    pub(super) fn parts(&self) -> Vec<N> {
        self.exponentials.iter().map(|&part| part / self.sum()).collect()
    }

    /// 1 - P(c) of the largest logit, with all its digits.
    pub(super) fn rest(&self) -> N {
        self.others / self.sum()
    }
}
