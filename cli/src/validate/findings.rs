//! What the comparisons have found, case after case.

use wgpu_metric_learning::Shape;
use wgpu_metric_learning::reference::Deviation;

use super::cases::Asked;
use super::comparison::Verdict;

/// The sum of all verdicts.
#[derive(Default)]
pub(crate) struct Findings {
    pub cases: usize,
    pub numbers: usize,
    /// Numbers with a bound above half of themselves: their agreement says nothing.
    pub unsure: usize,
    /// Cases whose result is beyond f32, and was refused.
    pub refused: usize,
    /// Cases in which a loss and a gradient, or measures, that are 1 % off would have been
    /// noticed.
    pub noticing: usize,
    /// Cases whose result is 0, so that no part of it can be off.
    pub zero: usize,
    /// The largest error of all in shares of its bound.
    pub largest: Option<Finding<Deviation>>,
    pub failures: Vec<Finding<Problem>>,
    pub faults: Faults,
}

/// Something that was found, and in which case.
pub(crate) struct Finding<T> {
    pub what: T,
    pub asked: Asked,
    pub shape: Shape,
    /// The inputs in words.
    pub inputs: String,
}

/// Why a case failed.
pub(crate) enum Problem {
    /// A number is beyond its bound.
    Beyond(Deviation),
    /// There is no result.
    Error(String),
}

/// What came of faults that were injected.
#[derive(Default)]
pub(crate) struct Faults {
    pub injected: usize,
    /// What happened to those that were not survived.
    pub problems: Vec<String>,
}

impl Faults {
    /// How many were told as errors, and did no more harm.
    pub(crate) fn survived(&self) -> usize {
        self.injected - self.problems.len()
    }
}

impl Findings {
    /// Takes in what came of a case.
    pub(crate) fn add(&mut self, case: Finding<Verdict>) {
        self.cases += 1;
        let Finding { what, asked, shape, inputs } = case;
        let compared = match what {
            Verdict::Refused => {
                self.refused += 1;
                return;
            }
            Verdict::Failed(error) => {
                let what = Problem::Error(error.to_string());
                return self.failures.push(Finding { what, asked, shape, inputs });
            }
            Verdict::Compared(compared) => compared,
        };
        self.numbers += compared.numbers;
        self.unsure += compared.unsure;
        self.noticing += usize::from(compared.notices == Some(true));
        self.zero += usize::from(compared.notices.is_none());
        let worst = compared.worst;
        if !worst.agrees() {
            let (asked, inputs) = (asked.clone(), inputs.clone());
            self.failures.push(Finding {
                what: Problem::Beyond(worst.clone()),
                asked,
                shape,
                inputs,
            });
        }
        if self.largest.as_ref().is_none_or(|largest| worst.share > largest.what.share) {
            self.largest = Some(Finding { what: worst, asked, shape, inputs });
        }
    }

    /// Whether every result is as the reference says, and every fault was survived.
    pub(crate) fn agree(&self) -> bool {
        self.failures.is_empty() && self.faults.problems.is_empty()
    }

    /// Cases that have a result to compare.
    pub(crate) fn compared(&self) -> usize {
        let without_result = self
            .failures
            .iter()
            .filter(|failure| matches!(failure.what, Problem::Error(_)))
            .count();
        self.cases - self.refused - without_result
    }
}
