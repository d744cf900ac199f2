//! What must hold whatever the inputs are: symmetries of the losses, and ways to the same result, on every adapter. Failing
//! cases shrink, and are printed.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use support::adapters::{Device, contexts, contexts_with};
use support::bits::bits;
use support::losses::{losses, reach};
use wgpu_metric_learning::reference::{self, Expectation};
use wgpu_metric_learning::{
    Batch, Checks, Contrastive, Distance, Evaluation, Form, LiftedStructured, Loss, Margin, Mining, Mode, Options,
    Reduction, Sampling, Triplet, Weighted,
};

/// The distances that depend on the differences of coordinates alone.
const EUCLIDEAN_FAMILY: [Distance; 3] = [Distance::Euclidean, Distance::SquaredEuclidean, Distance::Manhattan];
/// Coordinates are multiples of 1 / GRID: sums of a few of them are exact in f32.
const GRID: f32 = 64.0;
const CLASSES: u32 = 4;

/// Inputs of a batch, and of references beside it.
#[derive(Clone, Debug)]
struct Case {
    /// Which loss, and with it which distance.
    kind: usize,
    against_references: bool,
    rows: [usize; 2],
    d: usize,
    embeddings: Vec<f32>,
    references: Vec<f32>,
    labels: Vec<u32>,
    reference_labels: Vec<u32>,
    beta: Vec<f32>,
}

fn case(rows: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Case> {
    let kinds = matrix_losses(Distance::Euclidean, false, 1.0).len();
    let sizes = (0..kinds, any::<bool>(), rows, 2..12_usize, 1..10_usize);
    sizes.prop_flat_map(|(kind, against_references, n, m, d)| {
        let set = |rows: usize| {
            let coordinates = prop::collection::vec(-(GRID as i16)..=GRID as i16, rows * d);
            (coordinates, prop::collection::vec(0..CLASSES, rows))
        };
        (set(n), set(m)).prop_map(move |((embeddings, labels), (references, reference_labels))| {
            let on_grid = |numbers: Vec<i16>| numbers.into_iter().map(|number| f32::from(number) / GRID).collect();
            Case {
                kind,
                against_references,
                rows: [n, m],
                d,
                embeddings: on_grid(embeddings),
                references: on_grid(references),
                labels,
                reference_labels,
                beta: vec![1.0, 0.75, 0.5, 1.25],
            }
        })
    })
}

/// Losses over all pairs of labelled rows, with margins and temperatures of the size of `reach`: some stand for others that differ
/// in a constant.
fn matrix_losses(distance: Distance, normalize: bool, reach: f32) -> Vec<Loss> {
    let is_taken = |loss: &Loss| match loss {
        Loss::Contrastive(_) => loss.reduction() == Reduction::MeanNonZero,
        Loss::Triplet(Triplet { mining, soft, .. }) => {
            matches!((mining, soft), (Mining::All, _) | (Mining::Hard, false))
        }
        // What is drawn depends on the place of a row, and on D.
        Loss::Margin(Margin { sampling, .. }) => *sampling == Sampling::All,
        Loss::NtXent(_) => loss.reduction() == Reduction::Mean,
        _ => matches!(loss, Loss::LiftedStructured(_)),
    };
    losses(distance, normalize, reach).into_iter().filter(is_taken).collect()
}

impl Case {
    /// Its loss, by one of these distances.
    fn loss(&self, distances: &[Distance], normalize: bool) -> Loss {
        self.scaled_loss(distances, normalize, 1.0)
    }

    /// The same with every margin and temperature times `factor`.
    fn scaled_loss(&self, distances: &[Distance], normalize: bool, factor: f32) -> Loss {
        // The same for many properties, so that few pipelines are made.
        let distance = distances[self.kind % Distance::ALL.len() % distances.len()];
        let reach = reach(distance, normalize, self.d, 0.5 * (self.d as f32).sqrt());
        matrix_losses(distance, normalize, factor * reach).swap_remove(self.kind)
    }

    /// Its loss by any distance, some of them on unit rows.
    fn any_loss(&self) -> Loss {
        self.loss(&Distance::ALL, self.kind.is_multiple_of(3))
    }

    fn batch(&self, loss: &Loss) -> Batch<'_> {
        let [n, m] = self.rows;
        let batch = Batch::new(&self.embeddings, [n, self.d], &self.labels);
        let batch = batch.and_then(|batch| match self.is_against_references(loss) {
            true => batch.with_references(&self.references, m, &self.reference_labels),
            false => Ok(batch),
        });
        let betas = match loss {
            Loss::Margin(Margin { beta_per_class: true, .. }) => &self.beta[..],
            Loss::Margin(_) => &self.beta[..1],
            _ => return batch.expect("a valid case"),
        };
        batch.and_then(|batch| batch.with_beta(betas)).expect("a valid case")
    }

    fn is_against_references(&self, loss: &Loss) -> bool {
        self.against_references && loss.modes().contains(&Mode::Reference)
    }

    /// With every coordinate of both sets made into another one.
    fn map(&self, change: impl Fn(f32) -> f32) -> Self {
        let [embeddings, references] =
            [&self.embeddings, &self.references].map(|set| set.iter().map(|&x| change(x)).collect());
        Self { embeddings, references, ..self.clone() }
    }
}

/// What a device makes of a batch, and what is expected.
struct Run {
    actual: Evaluation,
    expected: Expectation,
}

type Outcome<T> = Result<T, TestCaseError>;

fn run(device: &Device, loss: &Loss, batch: &Batch) -> Outcome<Run> {
    let failed = |error| TestCaseError::fail(format!("{}: {loss:?}: {error}", device.name));
    let expected = reference::evaluate_with_bounds(loss, batch).map_err(failed)?;
    Ok(Run { actual: evaluate(device, loss, batch)?, expected })
}

fn evaluate(device: &Device, loss: &Loss, batch: &Batch) -> Outcome<Evaluation> {
    let failed = |error| TestCaseError::fail(format!("{}: {loss:?}: {error}", device.name));
    device.context.evaluate(loss, batch).map_err(failed)
}

fn same_bits(device: &Device, loss: &Loss, one: &Evaluation, other: &Evaluation) -> Outcome<()> {
    prop_assert_eq!(bits(one), bits(other), "{}: {:?}", device.name, loss);
    Ok(())
}

/// Whether two results are no farther apart than the sum of their bounds.
fn agree(device: &Device, loss: &Loss, one: &Run, other: &Run) -> Outcome<()> {
    let mut sum = one.expected.clone();
    sum.evaluation = map(&one.actual, |&number| f64::from(number));
    sum.bounds = sum_of(&one.expected.bounds, &other.expected.bounds);
    let comparison = sum.compare(&other.actual);
    prop_assert!(comparison.agrees(), "{}: {:?}\n{}", device.name, loss, comparison);
    Ok(())
}

fn sum_of(one: &Evaluation<f64>, other: &Evaluation<f64>) -> Evaluation<f64> {
    let table = |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(one, other)| one + other).collect::<Vec<_>>();
    let optional = |one: &Option<Vec<f64>>, other: &Option<Vec<f64>>| {
        one.as_ref().zip(other.as_ref()).map(|(one, other)| table(one, other))
    };
    Evaluation {
        loss: one.loss + other.loss,
        terms: one.terms + other.terms,
        nonzero_terms: one.nonzero_terms + other.nonzero_terms,
        nonzero_positive_terms: one.nonzero_positive_terms + other.nonzero_positive_terms,
        nonzero_negative_terms: one.nonzero_negative_terms + other.nonzero_negative_terms,
        positive_pairs: one.positive_pairs + other.positive_pairs,
        negative_pairs: one.negative_pairs + other.negative_pairs,
        mean_positive_distance: one.mean_positive_distance + other.mean_positive_distance,
        mean_negative_distance: one.mean_negative_distance + other.mean_negative_distance,
        gradient: table(&one.gradient, &other.gradient),
        gradient_references: optional(&one.gradient_references, &other.gradient_references),
        gradient_beta: optional(&one.gradient_beta, &other.gradient_beta),
        per_anchor: optional(&one.per_anchor, &other.per_anchor),
    }
}

/// The same with every number made into another one.
fn map<T, U>(evaluation: &Evaluation<T>, change: impl Fn(&T) -> U + Copy) -> Evaluation<U> {
    let table = |numbers: &Vec<T>| numbers.iter().map(change).collect();
    Evaluation {
        loss: change(&evaluation.loss),
        terms: evaluation.terms,
        nonzero_terms: evaluation.nonzero_terms,
        nonzero_positive_terms: evaluation.nonzero_positive_terms,
        nonzero_negative_terms: evaluation.nonzero_negative_terms,
        positive_pairs: evaluation.positive_pairs,
        negative_pairs: evaluation.negative_pairs,
        mean_positive_distance: change(&evaluation.mean_positive_distance),
        mean_negative_distance: change(&evaluation.mean_negative_distance),
        gradient: table(&evaluation.gradient),
        gradient_references: evaluation.gradient_references.as_ref().map(table),
        gradient_beta: evaluation.gradient_beta.as_ref().map(table),
        per_anchor: evaluation.per_anchor.as_ref().map(table),
    }
}

/// Tries a property on so many cases, the same in every run. It says whether it saw a gradient that is not 0, as it must in a
/// third of them.
fn hold<S: Strategy>(cases: u32, inputs: S, property: impl Fn(S::Value) -> Outcome<bool>) {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let seen = Cell::new(0);
    let result = TestRunner::new_with_rng(config, random).run(&inputs, |case| {
        seen.set(seen.get() + u32::from(property(case)?));
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(3 * seen.get() >= cases, "{} of {cases} cases have a gradient", seen.get());
}

fn has_gradient(evaluation: &Evaluation) -> bool {
    evaluation.gradient.iter().any(|&number| number != 0.0)
}

/// The rows of a table with `columns` columns, in this order.
fn reordered<T: Clone>(table: &[T], order: &[usize], columns: usize) -> Vec<T> {
    order.iter().flat_map(|&row| table[row * columns..][..columns].to_vec()).collect()
}

/// Sums run in another order, and ties go to another row: within the bounds.
#[test]
fn gradients_permute_with_the_rows() {
    let devices = contexts();
    let permuted = case(2..=20).prop_flat_map(|case| {
        let order: Vec<_> = (0..case.rows[0]).collect();
        (Just(case), Just(order).prop_shuffle())
    });
    hold(16, permuted, |(case, order)| {
        let loss = case.any_loss();
        let d = case.d;
        let embeddings = reordered(&case.embeddings, &order, d);
        let other = Case { embeddings, labels: reordered(&case.labels, &order, 1), ..case.clone() };
        let mut has_any = false;
        for device in devices.iter() {
            let mut one = run(device, &loss, &case.batch(&loss))?;
            let other = run(device, &loss, &other.batch(&loss))?;
            has_any |= has_gradient(&one.actual);
            one.actual = with_order(one.actual, &order, d);
            one.expected.bounds = with_order(one.expected.bounds, &order, d);
            agree(device, &loss, &one, &other)?;
        }
        Ok(has_any)
    });
}

fn with_order<T: Clone>(evaluation: Evaluation<T>, order: &[usize], d: usize) -> Evaluation<T> {
    Evaluation {
        gradient: reordered(&evaluation.gradient, order, d),
        per_anchor: evaluation.per_anchor.as_ref().map(|losses| reordered(losses, order, 1)),
        ..evaluation
    }
}

/// Labels are compared, nothing else: the same bits.
#[test]
fn names_of_labels_do_not_matter() {
    let devices = contexts();
    let renamed = (case(2..=20), prop::sample::subsequence(vec![u32::MAX, 0, 5, 1 << 31, u32::MAX - 1, 3, 77], 4));
    hold(12, (renamed, any::<bool>()), |((case, names), reversed)| {
        let loss = case.any_loss();
        if matches!(loss, Loss::Margin(Margin { beta_per_class: true, .. })) {
            return Ok(false);
        }
        let name = |label: &u32| names[if reversed { CLASSES - 1 - label } else { *label } as usize];
        let [labels, reference_labels] =
            [&case.labels, &case.reference_labels].map(|labels| labels.iter().map(name).collect());
        let other = Case { labels, reference_labels, ..case.clone() };
        let mut has_any = false;
        for device in devices.iter() {
            let [one, other] = [&case, &other].map(|case| evaluate(device, &loss, &case.batch(&loss)));
            let one = one?;
            same_bits(device, &loss, &one, &other?)?;
            has_any |= has_gradient(&one);
        }
        Ok(has_any)
    });
}

/// Kernels take differences of coordinates first, and these are exact here: the same bits.
#[test]
fn translations_do_not_matter_to_the_euclidean_family() {
    let devices = contexts();
    let translated = (case(2..=20), prop::collection::vec(-512..=512_i16, 9));
    hold(12, translated, |(case, offsets)| {
        let loss = case.loss(&EUCLIDEAN_FAMILY, false);
        let translate = |rows: &[f32]| {
            let offset = |at: usize| f32::from(offsets[at % case.d]) / GRID;
            rows.iter().enumerate().map(|(at, x)| x + offset(at)).collect()
        };
        let [embeddings, references] = [&case.embeddings, &case.references].map(|rows| translate(rows));
        let other = Case { embeddings, references, ..case.clone() };
        let mut has_any = false;
        for device in devices.iter() {
            let [one, other] = [&case, &other].map(|case| evaluate(device, &loss, &case.batch(&loss)));
            let one = one?;
            same_bits(device, &loss, &one, &other?)?;
            has_any |= has_gradient(&one);
        }
        Ok(has_any)
    });
}

/// With which power of the distances the loss grows when the margins grow with them; `None` where it is no power.
fn degree(loss: &Loss) -> Option<i32> {
    match loss {
        Loss::Contrastive(Contrastive { power, .. }) => Some(*power as i32),
        Loss::Triplet(Triplet { soft: false, .. }) | Loss::Margin(_) => Some(1),
        Loss::LiftedStructured(LiftedStructured { form: Form::Exact, .. }) => Some(2),
        Loss::NtXent(_) | Loss::SupCon(_) => Some(0),
        _ => None,
    }
}

/// A power of two changes exponents alone: every bit of the scaled result is known.
#[test]
fn powers_of_two_scale_the_euclidean_family() {
    let devices = contexts();
    hold(16, (case(2..=20), -12..=12_i32), |(case, exponent)| {
        let loss = case.loss(&EUCLIDEAN_FAMILY, false);
        let Some(degree) = degree(&loss) else { return Ok(false) };
        let size = 2_f32.powi(exponent);
        let reach = if loss.distance() == Some(Distance::SquaredEuclidean) { size * size } else { size };
        let scaled_loss = case.scaled_loss(&EUCLIDEAN_FAMILY, false, reach);
        let beta = case.beta.iter().map(|beta| beta * reach).collect();
        let scaled = Case { beta, ..case.map(|x| x * size) };
        let factor = reach.powi(degree);
        let mut has_any = false;
        for device in devices.iter() {
            let one = evaluate(device, &loss, &case.batch(&loss))?;
            let other = evaluate(device, &scaled_loss, &scaled.batch(&scaled_loss))?;
            let expected = Evaluation {
                mean_positive_distance: one.mean_positive_distance * reach,
                mean_negative_distance: one.mean_negative_distance * reach,
                gradient_beta: one.gradient_beta.clone(),
                ..scaled_by(&one, factor, size)
            };
            same_bits(device, &scaled_loss, &expected, &other)?;
            has_any |= has_gradient(&one);
        }
        Ok(has_any)
    });
}

/// The result where the loss is `factor` times as large and the coordinates `size` times.
fn scaled_by(evaluation: &Evaluation, factor: f32, size: f32) -> Evaluation {
    let slopes = map(evaluation, |number| number * (factor / size));
    Evaluation {
        loss: evaluation.loss * factor,
        per_anchor: evaluation.per_anchor.as_ref().map(|losses| losses.iter().map(|loss| loss * factor).collect()),
        ..slopes
    }
}

/// Its rows are divided by their norms in any case.
fn is_of_cosines(case: &Case) -> bool {
    case.loss(&Distance::ALL, true).distance() == Some(Distance::Cosine)
}

/// A power of two is gone with the norm: the same bits, but that the gradient is smaller by it.
#[test]
fn powers_of_two_do_not_matter_to_unit_rows() {
    let devices = contexts();
    hold(16, (case(2..=20), -12..=12_i32), |(case, exponent)| {
        let loss = case.loss(&Distance::ALL, !is_of_cosines(&case));
        let size = 2_f32.powi(exponent);
        let scaled = case.map(|x| x * size);
        let mut has_any = false;
        for device in devices.iter() {
            let one = evaluate(device, &loss, &case.batch(&loss))?;
            let other = evaluate(device, &loss, &scaled.batch(&loss))?;
            let expected = Evaluation {
                mean_positive_distance: one.mean_positive_distance,
                mean_negative_distance: one.mean_negative_distance,
                gradient_beta: one.gradient_beta.clone(),
                ..scaled_by(&one, 1.0, size)
            };
            same_bits(device, &loss, &expected, &other)?;
            has_any |= has_gradient(&one);
        }
        Ok(has_any)
    });
}

/// A column of zeros adds exact zeros at the end of every sum: the same bits.
#[test]
fn columns_of_zeros_do_not_matter() {
    let devices = contexts();
    hold(12, (case(2..=20), 1..70_usize), |(case, zeros)| {
        let loss = case.any_loss();
        let d = case.d;
        let padded = |rows: &[f32]| {
            rows.chunks(d).flat_map(|row| row.iter().copied().chain(vec![0.0; zeros])).collect::<Vec<_>>()
        };
        let [embeddings, references] = [&case.embeddings, &case.references].map(|rows| padded(rows));
        let other = Case { d: d + zeros, embeddings, references, ..case.clone() };
        let mut has_any = false;
        for device in devices.iter() {
            let mut one = evaluate(device, &loss, &case.batch(&loss))?;
            let other = evaluate(device, &loss, &other.batch(&loss))?;
            has_any |= has_gradient(&one);
            one.gradient = padded(&one.gradient);
            one.gradient_references = one.gradient_references.as_deref().map(padded);
            // A zero may have either sign.
            let [one, other] = [one, other].map(|evaluation| map(&evaluation, |number| number + 0.0));
            same_bits(device, &loss, &one, &other)?;
        }
        Ok(has_any)
    });
}

/// Every pair pulls at both its ends alike.
#[test]
fn gradients_of_a_batch_sum_to_zero() {
    let devices = contexts();
    hold(16, case(2..=20), |case| {
        let case = Case { against_references: false, ..case };
        let loss = case.loss(&EUCLIDEAN_FAMILY, false);
        let mut has_any = false;
        for device in devices.iter() {
            let Run { actual, expected } = run(device, &loss, &case.batch(&loss))?;
            has_any |= has_gradient(&actual);
            for column in 0..case.d {
                let sum: f64 = actual.gradient.iter().skip(column).step_by(case.d).copied().map(f64::from).sum();
                let bound: f64 = expected.bounds.gradient.iter().skip(column).step_by(case.d).sum();
                prop_assert!(sum.abs() <= bound, "{}: {:?}: {} beyond {}", device.name, loss, sum, bound);
            }
        }
        Ok(has_any)
    });
}

/// The same bits run after run, cut into stripes of 16 rows, and with run-time checks: these clamp indices and bound loops, none
/// of which comes to its limit, and touch no number. Both in one, so that pipelines are made once more and not twice.
#[test]
fn neither_runs_nor_stripes_nor_checks_matter() {
    const ROWS: usize = 40;
    let devices = contexts();
    let workspace_bytes = 16 * 8 * ROWS as u64;
    let others = contexts_with(Options { workspace_bytes, checks: Checks::Checked, ..Options::default() });
    hold(3, case(26..=ROWS), |case| {
        let loss = case.any_loss();
        let batch = case.batch(&loss);
        let mut has_any = false;
        for (device, other) in devices.iter().zip(&others) {
            let one = evaluate(device, &loss, &batch)?;
            for device in [device, other] {
                same_bits(device, &loss, &one, &evaluate(device, &loss, &batch)?)?;
            }
            has_any |= has_gradient(&one);
        }
        Ok(has_any)
    });
}

#[test]
fn an_objective_is_its_weighted_sum() {
    let devices = contexts();
    let kinds = matrix_losses(Distance::Euclidean, false, 1.0).len();
    let weighted = (case(2..=16), prop::collection::vec((0..kinds, -2.0..2.0_f32), 1..4));
    hold(6, weighted, |(case, terms)| {
        // One set has one beta.
        let takes_it = |loss: &Loss| !matches!(loss, Loss::Margin(Margin { beta_per_class: true, .. }));
        let losses = terms.iter().map(|&(kind, weight)| (Case { kind, ..case.clone() }.any_loss(), weight));
        let losses: Vec<_> = losses.filter(|(loss, _)| takes_it(loss)).collect();
        let batches: Vec<_> = losses.iter().map(|(loss, _)| case.batch(loss)).collect();
        let objective: Vec<_> =
            losses.iter().zip(batches).map(|((loss, weight), batch)| Weighted::new(*weight, loss, batch)).collect();
        if objective.is_empty() {
            return Ok(false);
        }
        let mut has_any = false;
        for device in devices.iter() {
            let failed = |error| TestCaseError::fail(format!("{}: {objective:?}: {error}", device.name));
            let sum = device.context.evaluate_objective(&objective).map_err(failed)?;
            let terms: Outcome<Vec<_>> = objective
                .iter()
                .map(|term| Ok((f64::from(term.weight), run(device, &term.loss, &term.inputs)?)))
                .collect();
            let terms = terms?;
            // Either way is within the bound of each term, and rounds the products and their sum.
            let part = |of: fn(&Evaluation<f64>, usize) -> f64, at: usize| {
                let parts = terms.iter().map(|(weight, run)| {
                    let number = weight * of(&map(&run.actual, |&number| number.into()), at);
                    let bound = 2.0 * weight.abs() * of(&run.expected.bounds, at);
                    (number, bound + 4.0 * f64::from(f32::EPSILON) * number.abs() + 1e-37)
                });
                parts.fold((0.0, 0.0), |(sum, bound), (number, more)| (sum + number, bound + more))
            };
            let holds = |(expected, bound): (f64, f64), actual: f32| (f64::from(actual) - expected).abs() <= bound;
            prop_assert!(holds(part(|of, _| of.loss, 0), sum.loss), "{}: {:?}", device.name, objective);
            for (at, &actual) in sum.gradients[0].iter().enumerate() {
                let expected = part(|of, at| of.gradient[at], at);
                prop_assert!(holds(expected, actual), "{}: {:?} at {}", device.name, objective, at);
            }
            has_any |= terms.iter().any(|(_, run)| has_gradient(&run.actual));
        }
        Ok(has_any)
    });
}

/// The losses that are a sum over pairs.
fn sums_of_pairs(kind: usize) -> Loss {
    let reduction = Reduction::Sum;
    match kind % 3 {
        0 => Contrastive { reduction, positive_margin: 0.25, ..Default::default() }.into(),
        1 => Contrastive { distance: Distance::Manhattan, reduction, power: 1, ..Default::default() }.into(),
        _ => Margin { distance: Distance::InnerProduct, reduction, ..Default::default() }.into(),
    }
}

/// A batch against itself, and against its first and its last rows one after the other.
#[test]
fn banks_add_up() {
    let devices = contexts();
    hold(8, (case(2..=20), any::<prop::sample::Index>()), |(case, cut)| {
        let loss = sums_of_pairs(case.kind);
        let (n, d) = (case.rows[0], case.d);
        let cut = 1 + cut.index(n - 1);
        let batch = Batch::new(&case.embeddings, [n, d], &case.labels).expect("a valid case");
        let against = |rows: std::ops::Range<usize>| {
            let references = &case.embeddings[rows.start * d..rows.end * d];
            batch.with_references(references, rows.len(), &case.labels[rows]).expect("a valid bank")
        };
        let mut has_any = false;
        for device in devices.iter() {
            let mut whole = run(device, &loss, &against(0..n))?;
            let [first, last] = [0..cut, cut..n].map(|rows| run(device, &loss, &against(rows)));
            let parts = joined(first?, last?);
            // The means are not sums.
            whole.actual.mean_positive_distance = parts.actual.mean_positive_distance;
            whole.actual.mean_negative_distance = parts.actual.mean_negative_distance;
            agree(device, &loss, &whole, &parts)?;
            has_any |= has_gradient(&whole.actual);
        }
        Ok(has_any)
    });
}

/// What two banks make together.
fn joined(first: Run, last: Run) -> Run {
    let with_references = |mut sum: Evaluation<f64>, one: &Evaluation<f64>, other: &Evaluation<f64>| {
        let tables = [one, other].map(|of| of.gradient_references.iter().flatten().copied());
        sum.gradient_references = Some(tables.into_iter().flatten().collect());
        sum
    };
    let [one, other] = [&first.actual, &last.actual].map(|of| map(of, |&number| f64::from(number)));
    let actual = with_references(sum_of(&one, &other), &one, &other);
    let bounds = sum_of(&first.expected.bounds, &last.expected.bounds);
    let mut expected = first.expected.clone();
    expected.bounds = with_references(bounds, &first.expected.bounds, &last.expected.bounds);
    Run { actual: map(&actual, |&number| number as f32), expected }
}

/// Every ordered pair of different rows, and 1 where their labels are the same.
fn pairs_of(labels: &[u32]) -> (Vec<[u32; 2]>, Vec<u32>) {
    let rows = 0..labels.len();
    let pairs = rows.clone().flat_map(|i| rows.clone().filter(move |&j| i != j).map(move |j| [i, j]));
    pairs.map(|[i, j]| ([i as u32, j as u32], u32::from(labels[i] == labels[j]))).unzip()
}

/// Every anchor with every positive and every negative.
fn triplets_of(labels: &[u32]) -> Vec<[u32; 3]> {
    let is_positive = |&[a, p]: &[u32; 2]| labels[a as usize] == labels[p as usize];
    let (positives, negatives): (Vec<_>, Vec<_>) = pairs_of(labels).0.into_iter().partition(is_positive);
    let of_anchor =
        |&[a, p]: &[u32; 2]| negatives.iter().filter(move |pair| pair[0] == a).map(move |&[_, n]| [a, p, n]);
    positives.iter().flat_map(of_anchor).collect()
}

#[test]
fn a_batch_is_the_list_of_its_pairs() {
    let devices = contexts();
    hold(8, case(2..=16), |case| {
        let loss = sums_of_pairs(case.kind);
        let shape = [case.rows[0], case.d];
        let batch = Batch::new(&case.embeddings, shape, &case.labels).expect("a valid case");
        let (pairs, same) = pairs_of(&case.labels);
        let list = Batch::pair_indices(&case.embeddings, shape, &pairs, &same).expect("valid pairs");
        list_is_batch(&devices, [&loss, &loss], [&list, &batch])
    });
}

#[test]
fn all_triplets_are_the_list_of_them() {
    let devices = contexts();
    hold(8, (case(3..=10), any::<bool>()), |(case, soft)| {
        let distance = [Distance::Euclidean, Distance::Cosine][case.kind % 2];
        let reduction = [Reduction::Sum, Reduction::Mean, Reduction::MeanNonZero][case.kind % 3];
        let with = |mining| Loss::from(Triplet { distance, reduction, mining, soft, ..Default::default() });
        let triplets = triplets_of(&case.labels);
        if triplets.is_empty() {
            return Ok(false);
        }
        let shape = [case.rows[0], case.d];
        let batch = Batch::new(&case.embeddings, shape, &case.labels).expect("a valid case");
        let list = Batch::triplets(&case.embeddings, shape, &triplets).expect("valid triplets");
        list_is_batch(&devices, [&with(Mining::Explicit), &with(Mining::All)], [&list, &batch])
    });
}

/// Losses and gradients of a list and of a batch agree, and so do the terms; mean distances of triplets count pairs again, and
/// lists have no anchors.
fn list_is_batch(devices: &[Device], losses: [&Loss; 2], batches: [&Batch; 2]) -> Outcome<bool> {
    let mut has_any = false;
    for device in devices {
        let list = run(device, losses[0], batches[0])?;
        let mut batch = run(device, losses[1], batches[1])?;
        batch.actual = Evaluation {
            positive_pairs: list.actual.positive_pairs,
            negative_pairs: list.actual.negative_pairs,
            mean_positive_distance: list.actual.mean_positive_distance,
            mean_negative_distance: list.actual.mean_negative_distance,
            per_anchor: None,
            ..batch.actual
        };
        agree(device, losses[1], &list, &batch)?;
        has_any |= has_gradient(&batch.actual);
    }
    Ok(has_any)
}
