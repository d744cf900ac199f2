//! Results that are sums of others.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use support::changed::changed;
use wgpu_metric_learning::{
    Batch, Contrastive, Distance, Evaluation, Loss, Margin, Mining, Reduction, Triplet, Weighted,
};

use super::case::{Case, case, matrix_losses};
use super::run::{Outcome, Run, agree, has_gradient, hold, on_every, run, sum_of};

#[test]
fn an_objective_is_its_weighted_sum() {
    let kinds = matrix_losses(Distance::Euclidean, false, 1.0).len();
    let weighted = (case(2..=16), prop::collection::vec((0..kinds, -2.0..2.0_f32), 1..4));
    hold(6, weighted, |(case, terms)| {
        // One set has one beta.
        let takes_it =
            |loss: &Loss| !matches!(loss, Loss::Margin(Margin { beta_per_class: true, .. }));
        let losses =
            terms.iter().map(|&(kind, weight)| (Case { kind, ..case.clone() }.any_loss(), weight));
        let losses: Vec<_> = losses.filter(|(loss, _)| takes_it(loss)).collect();
        let batches: Vec<_> = losses.iter().map(|(loss, _)| case.batch(loss)).collect();
        let objective: Vec<_> = losses
            .iter()
            .zip(batches)
            .map(|((loss, weight), batch)| Weighted::new(*weight, loss, batch))
            .collect();
        if objective.is_empty() {
            return Ok(false);
        }
        on_every(|device| {
            let failed =
                |error| TestCaseError::fail(format!("{}: {objective:?}: {error}", device.name));
            let sum = device.context.evaluate_objective(&objective).wait().map_err(failed)?;
            let terms: Outcome<Vec<_>> = objective
                .iter()
                .map(|term| Ok((f64::from(term.weight), run(device, &term.loss, &term.inputs)?)))
                .collect();
            let terms = terms?;
            // Either way is within the bound of each term, and rounds the products and their sum.
            let part = |of: fn(&Evaluation<f64>, usize) -> f64, at: usize| {
                let parts = terms.iter().map(|(weight, run)| {
                    let number = weight * of(&run.actual.clone().map(f64::from), at);
                    let bound = 2.0 * weight.abs() * of(&run.expected.bounds, at);
                    (number, bound + 4.0 * f64::from(f32::EPSILON) * number.abs() + 1e-37)
                });
                parts.fold((0.0, 0.0), |(sum, bound), (number, more)| (sum + number, bound + more))
            };
            let holds = |(expected, bound): (f64, f64), actual: f32| {
                (f64::from(actual) - expected).abs() <= bound
            };
            prop_assert!(
                holds(part(|of, _| of.loss, 0), sum.loss),
                "{}: {:?}",
                device.name,
                objective
            );
            for (at, &actual) in sum.gradients[0].iter().enumerate() {
                let expected = part(|of, at| of.gradient[at], at);
                prop_assert!(holds(expected, actual), "{}: {:?} at {}", device.name, objective, at);
            }
            Ok(terms.iter().any(|(_, run)| has_gradient(&run.actual)))
        })
    });
}

/// The losses that are a sum over pairs.
fn sums_of_pairs(kind: usize) -> Loss {
    let reduction = Reduction::Sum;
    match kind % 3 {
        0 => Contrastive { reduction, positive_margin: 0.25, ..Default::default() }.into(),
        1 => {
            Contrastive { distance: Distance::Manhattan, reduction, power: 1, ..Default::default() }
                .into()
        }
        _ => Margin { distance: Distance::InnerProduct, reduction, ..Default::default() }.into(),
    }
}

/// A batch against itself, and against its first and its last rows one after the other.
#[test]
fn banks_add_up() {
    hold(8, (case(2..=20), any::<prop::sample::Index>()), |(case, cut)| {
        let loss = sums_of_pairs(case.kind);
        let (n, d) = (case.rows[0], case.d);
        let cut = 1 + cut.index(n - 1);
        let batch = Batch::new(&case.embeddings, [n, d], &case.labels).expect("a valid case");
        let against = |rows: std::ops::Range<usize>| {
            let references = &case.embeddings[rows.start * d..rows.end * d];
            batch.with_references(references, rows.len(), &case.labels[rows]).expect("a valid bank")
        };
        on_every(|device| {
            let mut whole = run(device, &loss, &against(0..n))?;
            let [first, last] = [0..cut, cut..n].map(|rows| run(device, &loss, &against(rows)));
            let parts = joined(first?, last?);
            // The means are not sums.
            whole.actual.mean_positive_distance = parts.actual.mean_positive_distance;
            whole.actual.mean_negative_distance = parts.actual.mean_negative_distance;
            agree(device, &loss, &whole, &parts)?;
            Ok(has_gradient(&whole.actual))
        })
    });
}

/// What two banks make together: the sum of all, but that the gradients of the references stand one
/// after the other.
fn joined(first: Run, last: Run) -> Run {
    let join = |one: &Evaluation<f64>, other: &Evaluation<f64>| {
        let references = [one, other].map(|of| of.gradient_references.iter().flatten().copied());
        let alone =
            [one, other].map(|of| changed(of.clone(), |alone| alone.gradient_references = None));
        changed(sum_of(&alone[0], &alone[1]), |sum| {
            sum.gradient_references = Some(references.into_iter().flatten().collect());
        })
    };
    let [one, other] = [first.actual, last.actual].map(|of| of.map(f64::from));
    let mut expected = first.expected.clone();
    expected.bounds = join(&first.expected.bounds, &last.expected.bounds);
    Run { actual: join(&one, &other).map(|number| number as f32), expected }
}

/// Every ordered pair of different rows, and 1 where their labels are the same.
fn pairs_of(labels: &[u32]) -> (Vec<[u32; 2]>, Vec<u32>) {
    let rows = 0..labels.len();
    let pairs =
        rows.clone().flat_map(|i| rows.clone().filter(move |&j| i != j).map(move |j| [i, j]));
    pairs.map(|[i, j]| ([i as u32, j as u32], u32::from(labels[i] == labels[j]))).unzip()
}

/// Every anchor with every positive and every negative.
fn triplets_of(labels: &[u32]) -> Vec<[u32; 3]> {
    let is_positive = |&[a, p]: &[u32; 2]| labels[a as usize] == labels[p as usize];
    let (positives, negatives): (Vec<_>, Vec<_>) =
        pairs_of(labels).0.into_iter().partition(is_positive);
    let of_anchor = |&[a, p]: &[u32; 2]| {
        negatives.iter().filter(move |pair| pair[0] == a).map(move |&[_, n]| [a, p, n])
    };
    positives.iter().flat_map(of_anchor).collect()
}

#[test]
fn a_batch_is_the_list_of_its_pairs() {
    hold(8, case(2..=16), |case| {
        let loss = sums_of_pairs(case.kind);
        let shape = [case.rows[0], case.d];
        let batch = Batch::new(&case.embeddings, shape, &case.labels).expect("a valid case");
        let (pairs, same) = pairs_of(&case.labels);
        let list =
            Batch::pair_indices(&case.embeddings, shape, &pairs, &same).expect("valid pairs");
        list_is_batch([&loss, &loss], [&list, &batch])
    });
}

#[test]
fn all_triplets_are_the_list_of_them() {
    hold(8, (case(3..=10), any::<bool>()), |(case, soft)| {
        let distance = [Distance::Euclidean, Distance::Cosine][case.kind % 2];
        let reduction = [Reduction::Sum, Reduction::Mean, Reduction::MeanNonZero][case.kind % 3];
        let with = |mining| {
            Loss::from(Triplet { distance, reduction, mining, soft, ..Default::default() })
        };
        let triplets = triplets_of(&case.labels);
        if triplets.is_empty() {
            return Ok(false);
        }
        let shape = [case.rows[0], case.d];
        let batch = Batch::new(&case.embeddings, shape, &case.labels).expect("a valid case");
        let list = Batch::triplets(&case.embeddings, shape, &triplets).expect("valid triplets");
        list_is_batch([&with(Mining::Explicit), &with(Mining::All)], [&list, &batch])
    });
}

/// Losses and gradients of a list and of a batch agree, and so do the terms; mean distances of
/// triplets count pairs again, and lists have no anchors.
fn list_is_batch(losses: [&Loss; 2], batches: [&Batch; 2]) -> Outcome<bool> {
    on_every(|device| {
        let list = run(device, losses[0], batches[0])?;
        let mut batch = run(device, losses[1], batches[1])?;
        batch.actual.positive_pairs = list.actual.positive_pairs;
        batch.actual.negative_pairs = list.actual.negative_pairs;
        batch.actual.mean_positive_distance = list.actual.mean_positive_distance;
        batch.actual.mean_negative_distance = list.actual.mean_negative_distance;
        batch.actual.per_anchor = None;
        agree(device, losses[1], &list, &batch)?;
        Ok(has_gradient(&batch.actual))
    })
}
