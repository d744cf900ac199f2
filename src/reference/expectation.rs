//! What is expected of f32 kernels.

use crate::data::evaluation::Evaluation;

/// A sum of this size may have passed f32's largest number, 3.4e38, on its way.
const LARGE: f64 = 1e37;

/// The result of a loss by its definition, and how far from each of its numbers correct f32 kernels
/// may be.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// The result in f64.
    pub evaluation: Evaluation<f64>,
    /// The allowed absolute deviation of every number of it, counts included.
    ///
    /// It is a running error bound: the rounding of every operation, carried through the formula.
    /// Where rounding may decide otherwise, at the kink of a hinge or between nearly equal
    /// candidates, it holds the other decision too.
    pub bounds: Evaluation<f64>,
    /// Numbers in a row of the gradients.
    pub(super) dimensions: usize,
    pub(super) sums: Sums,
}

/// How large the sums are that kernels add up before they scale them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sums {
    /// No less than the largest that a row adds up to.
    pub of_row: f64,
    /// No less than how much larger a sum of slopes is than the gradient.
    pub of_gradient: f64,
}

impl Expectation {
    /// Whether a number of the result, or what one row or a gradient adds up to on the way to it,
    /// may be beyond f32, so that kernels may refuse it with
    /// [`Error::Overflow`](crate::Error::Overflow). The sum over all rows may be beyond f32, where
    /// the mean is not.
    pub fn may_overflow(&self) -> bool {
        self.may_overflow_times(1.0)
    }

    /// Whether [`may_overflow`](Self::may_overflow) holds of gradients that are multiplied by a
    /// weight.
    pub(super) fn may_overflow_times(&self, weight: f64) -> bool {
        let expected = &self.evaluation;
        let numbers =
            [&expected.gradient].into_iter().chain(expected.gradient_references.as_ref()).flatten();
        let steepest = numbers.fold(0.0, |largest: f64, number| largest.max(number.abs()));
        let weighed = expected.loss.abs().max(steepest * self.sums.of_gradient);
        (weighed * weight.abs().max(1.0)).max(self.sums.of_row) > LARGE
    }
}

#[cfg(test)]
mod tests {
    use super::super::evaluate_with_bounds;
    use super::super::samples::{Sample, losses};
    use super::*;

    fn numbers(evaluation: &Evaluation<f64>) -> Vec<f64> {
        let mut numbers = Vec::new();
        evaluation.clone().map(|number| numbers.push(number));
        numbers
    }

    fn largest(numbers: &[f64]) -> f64 {
        numbers.iter().map(|number| number.abs()).fold(0.0, f64::max)
    }

    /// The expected result rounded to f32.
    fn rounded(expected: &Evaluation<f64>) -> Evaluation<f32> {
        expected.clone().map(|number| number as f32)
    }

    /// Calls `check` for every loss in every mode.
    fn for_all(sample: &Sample, check: impl Fn(&Expectation, &str)) {
        for loss in losses() {
            for batch in sample.batches(&loss) {
                let expectation = evaluate_with_bounds(&loss, &batch).expect("a valid batch");
                check(&expectation, &format!("{loss:?} in {} mode", batch.shape().mode().name()));
            }
        }
    }

    /// Losses whose gradients are less certain than others', and how much of them their bounds are
    /// at most. The exponents of circle are steep, the slope of a rank or of a histogram is itself
    /// a difference, and so is what centres share, over gamma; slopes of positives and of negatives
    /// and of lower and higher targets come to nearly the same in the others, so that they cancel.
    const LOOSE: [(&str, f64); 10] = [
        ("Circle", 1e-3),
        ("CoSent", 1e-3),
        ("SmoothAp", 7e-4),
        ("FastAp", 5e-4),
        ("SoftTriple", 4e-4),
        ("ProxyAnchor", 2.5e-4),
        ("MultiSimilarity", 2e-4),
        ("GeneralizedLifted", 2e-4),
        ("Nca", 2e-4),
        ("Clip", 1.2e-4),
    ];

    #[test]
    fn bounds_of_ordinary_inputs_are_small() {
        for_all(&Sample::new(24, 6, 1.0), |expectation, name| {
            let Expectation { evaluation, bounds, .. } = expectation;
            if bounds.nonzero_terms == 0 {
                let share = largest(&bounds.gradient) / largest(&evaluation.gradient);
                let limit = LOOSE.iter().find(|(loss, _)| name.starts_with(loss));
                let limit = limit.map_or(1e-4, |(_, limit)| *limit);
                assert!(share < limit, "{name}: the gradient's bounds are {share:.1e} of it");
            }
            let share = bounds.loss / evaluation.loss.abs();
            // A triplet's term is a difference of distances, which are rounded before; so are those
            // of a histogram.
            let is_loose = ["Triplet", "FastAp"].iter().any(|loss| name.starts_with(loss));
            let limit = if is_loose { 1e-4 } else { 2e-5 };
            assert!(share < limit, "{name}: the loss's bound is {share:.1e} of it");
            assert!(numbers(bounds).iter().all(|&bound| bound >= 0.0), "{name}");
        });
    }

    #[test]
    fn every_number_and_bound_is_finite_at_any_magnitude() {
        for magnitude in [1e-30, 1e-19, 1e-10, 1e10, 1e19, 1e30] {
            for_all(&Sample::new(7, 3, magnitude), |expectation, name| {
                let finite =
                    |evaluation| numbers(evaluation).iter().all(|number| number.is_finite());
                assert!(
                    finite(&expectation.evaluation) && finite(&expectation.bounds),
                    "{name} at {magnitude:e}"
                );
            });
        }
    }

    #[test]
    fn every_run_gives_the_same_bits() {
        // More anchors than are held at a time, on one thread and on several.
        let sample = Sample::new(300, 5, 1.0);
        let run = |threads| {
            let pool =
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| {
                let losses = losses().into_iter().step_by(11);
                let evaluate = |loss| {
                    let batches = sample.batches(&loss);
                    batches
                        .iter()
                        .map(|batch| evaluate_with_bounds(&loss, batch))
                        .collect::<Vec<_>>()
                };
                losses.flat_map(evaluate).collect::<Vec<_>>()
            })
        };
        assert_eq!(run(1), run(3));
    }

    #[test]
    fn the_rounded_result_agrees() {
        for_all(&Sample::new(11, 4, 1.0), |expectation, name| {
            let comparison = expectation.compare(&rounded(&expectation.evaluation));
            assert!(comparison.agrees(), "{name}\n{comparison}");
        });
    }

    #[test]
    fn one_wrong_element_is_caught() {
        for_all(&Sample::new(11, 4, 1.0), |expectation, name| {
            let mut actual = rounded(&expectation.evaluation);
            actual.gradient[6] =
                (expectation.evaluation.gradient[6] + 3.0 * expectation.bounds.gradient[6]) as f32;
            let comparison = expectation.compare(&actual);
            let worst = comparison.worst();
            if expectation.bounds.gradient[6] > 0.0 {
                assert!(
                    !comparison.agrees() && worst.quantity == "gradient",
                    "{name}\n{comparison}"
                );
                assert_eq!(worst.row * expectation.dimensions + worst.column, 6, "{name}");
            }
        });
    }

    #[test]
    fn nan_a_wrong_count_and_a_wrong_length_are_caught() {
        for_all(&Sample::new(11, 4, 1.0), |expectation, name| {
            let right = rounded(&expectation.evaluation);
            let mut wrong = vec![
                Evaluation { loss: f32::NAN, ..right.clone() },
                Evaluation { terms: right.terms + 1, ..right.clone() },
                Evaluation {
                    nonzero_terms: right.nonzero_terms + expectation.bounds.nonzero_terms + 1,
                    ..right.clone()
                },
                Evaluation { positive_pairs: right.positive_pairs + 1, ..right.clone() },
                Evaluation { gradient: right.gradient[1..].to_vec(), ..right.clone() },
                Evaluation {
                    gradient_beta: right.gradient_beta.is_none().then(|| vec![0.0]),
                    ..right.clone()
                },
                Evaluation {
                    per_anchor: right.per_anchor.is_none().then(|| vec![0.0; 11]),
                    ..right.clone()
                },
            ];
            for poison in [f32::NAN, f32::INFINITY] {
                let mut gradient = right.gradient.clone();
                gradient[2] = poison;
                wrong.push(Evaluation { gradient, ..right.clone() });
            }
            for wrong in wrong {
                let comparison = expectation.compare(&wrong);
                assert!(
                    !comparison.agrees() && comparison.worst().share > 1.0,
                    "{name}\n{comparison}"
                );
            }
        });
    }
}
