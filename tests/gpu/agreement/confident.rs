//! Rows that are confident: their loss is the logarithm of a little more than 1, and keeps the
//! digits that the distances have.

use support::adapters::one_by_one;
use wgpu_metric_learning::{Batch, Distance, Loss, Nca, NtXent, SupCon, reference};

const TEMPERATURE: f32 = 0.01;

/// Unit rows of two classes, at these angles: those of a class are near, the classes are 0.18
/// apart.
fn rows(angles: &[f32]) -> Vec<f32> {
    angles.iter().flat_map(|angle| [angle.cos(), angle.sin()]).collect()
}

fn losses() -> [Loss; 3] {
    let temperature = TEMPERATURE;
    [
        SupCon { temperature, ..Default::default() }.into(),
        NtXent { temperature, ..Default::default() }.into(),
        Nca { distance: Distance::Cosine, temperature, ..Default::default() }.into(),
    ]
}

/// The largest share of a bound in its number.
fn share(numbers: &[f64], bounds: &[f64]) -> f64 {
    numbers.iter().zip(bounds).map(|(number, bound)| bound / number.abs()).fold(0.0, f64::max)
}

fn largest(numbers: &[f64]) -> f64 {
    numbers.iter().map(|number| number.abs()).fold(0.0, f64::max)
}

#[test]
fn a_small_loss_has_digits() {
    let embeddings = rows(&[0.0, 0.012, 0.615, 0.62]);
    let batch = Batch::new(&embeddings, [4, 2], &[0, 0, 1, 1]).expect("a batch");
    for loss in losses() {
        let expected = reference::evaluate_with_bounds(&loss, &batch).expect("a result");
        let (right, bounds) = (&expected.evaluation, &expected.bounds);
        assert!((1e-9..1e-7).contains(&right.loss), "{}", right.loss);
        assert!(bounds.loss < 2e-3 * right.loss, "{bounds:?} of {right:?}");
        let per_anchor = [right, bounds].map(|of| of.per_anchor.as_ref().expect("per anchor"));
        assert!(share(per_anchor[0], per_anchor[1]) < 2e-3, "{bounds:?} of {right:?}");
        let steepest = [&bounds.gradient, &right.gradient].map(|of| largest(of));
        assert!(steepest[0] < 2e-3 * steepest[1], "{bounds:?} of {right:?}");
        for device in one_by_one() {
            let actual = device.context.evaluate(&loss, &batch).wait().expect("a result");
            let comparison = expected.compare(&actual);
            assert!(comparison.agrees(), "{} {loss:?}\n{comparison}", device.name);
            assert_eq!(expected.notices(&actual, 0.01), Some(true), "{} {loss:?}", device.name);
        }
    }
}

/// The loss in the closed form that is exact in f64: log(1 + others) with the others by their
/// distances.
#[test]
fn the_reference_has_all_digits() {
    let embeddings = rows(&[0.0, 0.012, 0.615, 0.62]);
    let batch = Batch::new(&embeddings, [4, 2], &[0, 0, 1, 1]).expect("a batch");
    let unit = |row: usize| {
        let [x, y] = [embeddings[2 * row], embeddings[2 * row + 1]].map(f64::from);
        [x / x.hypot(y), y / x.hypot(y)]
    };
    let d = |i, j| {
        let [[a, b], [c, e]] = [unit(i), unit(j)];
        0.5 * ((a - c) * (a - c) + (b - e) * (b - e))
    };
    let term = |i: usize| {
        let p = i ^ 1;
        let others = [0, 1, 2, 3].into_iter().filter(|j| j / 2 != i / 2);
        let gap = |j| (d(i, p) - d(i, j)) / f64::from(TEMPERATURE);
        others.map(|j| f64::exp(gap(j))).sum::<f64>().ln_1p()
    };
    let right = (0..4).map(term).sum::<f64>() / 4.0;
    for loss in losses() {
        let found = reference::evaluate(&loss, &batch).expect("a result").loss;
        assert!((found - right).abs() < 1e-9 * right, "{found}, not {right}");
    }
}
