//! Changes of the inputs that do not matter, or only in a way that is known.

use proptest::prelude::*;
use support::adapters::{contexts, contexts_with};
use support::changed::changed;
use wgpu_metric_learning::tuning::Checks;
use wgpu_metric_learning::{Evaluation, Loss, Margin, Options};

use super::case::{CLASSES, Case, EUCLIDEAN_FAMILY, GRID, case};
use super::run::{
    Run, agree, evaluate, has_gradient, hold, on_every, run, same_bits, same_on_either,
};

/// The rows of a table with `columns` columns, in this order.
fn reordered<T: Clone>(table: &[T], order: &[usize], columns: usize) -> Vec<T> {
    order.iter().flat_map(|&row| table[row * columns..][..columns].to_vec()).collect()
}

/// Sums run in another order, and ties go to another row: within the bounds.
#[test]
fn gradients_permute_with_the_rows() {
    let permuted = case(2..=20).prop_flat_map(|case| {
        let order: Vec<_> = (0..case.rows[0]).collect();
        (Just(case), Just(order).prop_shuffle())
    });
    hold(16, permuted, |(case, order)| {
        let loss = case.any_loss();
        let d = case.d;
        let embeddings = reordered(&case.embeddings, &order, d);
        let other = Case { embeddings, labels: reordered(&case.labels, &order, 1), ..case.clone() };
        on_every(|device| {
            let mut one = run(device, &loss, &case.batch(&loss))?;
            let other = run(device, &loss, &other.batch(&loss))?;
            let has_any = has_gradient(&one.actual);
            one.actual = with_order(one.actual, &order, d);
            one.expected.bounds = with_order(one.expected.bounds, &order, d);
            agree(device, &loss, &one, &other)?;
            Ok(has_any)
        })
    });
}

fn with_order<T: Clone>(evaluation: Evaluation<T>, order: &[usize], d: usize) -> Evaluation<T> {
    changed(evaluation, |evaluation| {
        evaluation.gradient = reordered(&evaluation.gradient, order, d);
        evaluation.per_anchor =
            evaluation.per_anchor.as_ref().map(|losses| reordered(losses, order, 1));
    })
}

/// Labels are compared, nothing else: the same bits.
#[test]
fn names_of_labels_do_not_matter() {
    let renamed = (
        case(2..=20),
        prop::sample::subsequence(vec![u32::MAX, 0, 5, 1 << 31, u32::MAX - 1, 3, 77], 4),
    );
    hold(12, (renamed, any::<bool>()), |((case, names), reversed)| {
        let loss = case.any_loss();
        if matches!(loss, Loss::Margin(Margin { beta_per_class: true, .. })) {
            return Ok(false);
        }
        let name =
            |label: &u32| names[if reversed { CLASSES - 1 - label } else { *label } as usize];
        let [labels, reference_labels] =
            [&case.labels, &case.reference_labels].map(|labels| labels.iter().map(name).collect());
        let other = Case { labels, reference_labels, ..case.clone() };
        same_on_either(&loss, [&case, &other])
    });
}

/// Kernels take differences of coordinates first, and these are exact here: the same bits.
#[test]
fn translations_do_not_matter_to_the_euclidean_family() {
    let translated = (case(2..=20), prop::collection::vec(-512..=512_i16, 9));
    hold(12, translated, |(case, offsets)| {
        let loss = case.loss(&EUCLIDEAN_FAMILY, false);
        let translate = |rows: &[f32]| {
            let offset = |at: usize| f32::from(offsets[at % case.d]) / GRID;
            rows.iter().enumerate().map(|(at, x)| x + offset(at)).collect()
        };
        let [embeddings, references] =
            [&case.embeddings, &case.references].map(|rows| translate(rows));
        let other = Case { embeddings, references, ..case.clone() };
        same_on_either(&loss, [&case, &other])
    });
}

/// A column of zeros adds exact zeros at the end of every sum: the same bits.
#[test]
fn columns_of_zeros_do_not_matter() {
    hold(12, (case(2..=20), 1..70_usize), |(case, zeros)| {
        let loss = case.any_loss();
        let d = case.d;
        let padded = |rows: &[f32]| {
            rows.chunks(d)
                .flat_map(|row| row.iter().copied().chain(vec![0.0; zeros]))
                .collect::<Vec<_>>()
        };
        let [embeddings, references] =
            [&case.embeddings, &case.references].map(|rows| padded(rows));
        let other = Case { d: d + zeros, embeddings, references, ..case.clone() };
        on_every(|device| {
            let mut one = evaluate(device, &loss, &case.batch(&loss))?;
            let other = evaluate(device, &loss, &other.batch(&loss))?;
            let has_any = has_gradient(&one);
            one.gradient = padded(&one.gradient);
            one.gradient_references = one.gradient_references.as_deref().map(padded);
            // A zero may have either sign.
            let [one, other] = [one, other].map(|evaluation| evaluation.map(|number| number + 0.0));
            same_bits(device, &loss, &one, &other)?;
            Ok(has_any)
        })
    });
}

/// Every pair pulls at both its ends alike.
#[test]
fn gradients_of_a_batch_sum_to_zero() {
    hold(16, case(2..=20), |case| {
        let case = Case { against_references: false, ..case };
        let loss = case.loss(&EUCLIDEAN_FAMILY, false);
        on_every(|device| {
            let Run { actual, expected } = run(device, &loss, &case.batch(&loss))?;
            let has_any = has_gradient(&actual);
            for column in 0..case.d {
                let sum: f64 = actual
                    .gradient
                    .iter()
                    .skip(column)
                    .step_by(case.d)
                    .copied()
                    .map(f64::from)
                    .sum();
                let bound: f64 = expected.bounds.gradient.iter().skip(column).step_by(case.d).sum();
                prop_assert!(
                    sum.abs() <= bound,
                    "{}: {:?}: {} beyond {}",
                    device.name,
                    loss,
                    sum,
                    bound
                );
            }
            Ok(has_any)
        })
    });
}

/// Bits are the same run after run, cut into stripes of 64 rows or of 128, and with run-time checks:
/// these clamp indices and bound loops, none of which comes to its limit, and touch no number. Both
/// in one, so that pipelines are made once more and not twice.
#[test]
fn neither_runs_nor_stripes_nor_checks_matter() {
    const ROWS: usize = 144;
    let _alone = contexts();
    let with = |stripe: u64, checks| {
        let workspace_bytes = stripe * 8 * ROWS as u64;
        contexts_with(Options::default().with_workspace_bytes(workspace_bytes).with_checks(checks))
    };
    let devices = with(64, Checks::Trusted);
    let others = with(128, Checks::Checked);
    hold(3, case(138..=ROWS), |case| {
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
