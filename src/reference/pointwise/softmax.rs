//! The softmax of a row of logits.

use super::Bounded;

const ONE: Bounded = Bounded::exact(1.0);

/// exp(x(c) - m) of every logit, with the largest logit m, and their sum.
pub(super) struct Softmax {
    /// m.
    pub largest: Bounded,
    /// The lowest column of m.
    pub column: usize,
    exponentials: Vec<Bounded>,
    /// The sum of the exponentials without that of m, which is 1.
    others: Bounded,
}

impl Softmax {
    pub(crate) fn of(row: &[Bounded]) -> Self {
        let column =
            (1..row.len()).fold(0, |best, c| if row[c].value > row[best].value { c } else { best });
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

    fn sum(&self) -> Bounded {
        ONE + self.others
    }

    /// log sum over c of exp(x(c) - m).
    pub(crate) fn log_sum(&self) -> Bounded {
        self.others.ln_of_one_and()
    }

    /// P(c) of every logit.
    pub(crate) fn parts(&self) -> Vec<Bounded> {
        self.exponentials.iter().map(|&part| part / self.sum()).collect()
    }

    /// 1 - P(c) of the largest logit, with all its digits.
    pub(crate) fn rest(&self) -> Bounded {
        self.others / self.sum()
    }
}
