//! The bounds admit what WGSL lets a driver do with numbers below the smallest normal f32: keep
//! them, flush them to 0, or flush some of them.

use std::cell::Cell;
use std::ops::{Add, Div, Mul, Sub};

use support::changed::changed;
use wgpu_metric_learning::{
    Batch, Contrastive, Distance, Evaluation, Loss, MultiMargin, Reduction, reference,
};

const N: usize = 14;
const D: usize = 5;

/// What a driver does with subnormal numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Driver {
    Keeps,
    Flushes,
    /// Every third operation keeps them.
    Mixes,
}

thread_local! {
    static DRIVER: Cell<Driver> = const { Cell::new(Driver::Keeps) };
    static OPERATIONS: Cell<u32> = const { Cell::new(0) };
}

/// A number of the driver.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
struct Number(f32);

impl Number {
    /// The result of an operation.
    fn of(value: f32) -> Self {
        let operation = OPERATIONS.get();
        OPERATIONS.set(operation + 1);
        let flushes = match DRIVER.get() {
            Driver::Keeps => false,
            Driver::Flushes => true,
            Driver::Mixes => !operation.is_multiple_of(3),
        };
        Self(if flushes && value.is_subnormal() { 0.0 } else { value })
    }

    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }

    fn sign(self) -> Self {
        Self(if self.0 == 0.0 { 0.0 } else { self.0.signum() })
    }
}

macro_rules! operations {
    ($($name:ident $function:ident $operator:tt),*) => {$(
        impl $name for Number {
            type Output = Self;

            fn $function(self, other: Self) -> Self {
                Self::of(Self::of(self.0).0 $operator Self::of(other.0).0)
            }
        }
    )*};
}

operations!(Add add +, Sub sub -, Mul mul *, Div div /);

fn sum(numbers: impl Iterator<Item = Number>) -> Number {
    numbers.fold(Number(0.0), Add::add)
}

/// Rows of this size, of which every third, the first among them, is of the other.
fn rows(size: f32, third: f32) -> Vec<f32> {
    let mut state = 3_u64;
    let mut coordinate = |row: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let fraction = (state >> 40) as f32 / (1 << 23) as f32 - 1.0;
        fraction * if row.is_multiple_of(3) { third } else { size }
    };
    let mut rows: Vec<f32> = (0..N * D).map(|at| coordinate(at / D)).collect();
    // A duplicate, and a coordinate in common.
    rows.copy_within(D..2 * D, 5 * D);
    rows[7 * D] = rows[2 * D];
    rows
}

fn distance(distance: Distance, x: &[Number], y: &[Number]) -> Number {
    let pairs = || x.iter().copied().zip(y.iter().copied());
    match distance {
        Distance::Euclidean => {
            // Scaled by a power of two, as kernels do.
            let largest = x.iter().chain(y).map(|x| x.0.abs()).fold(0.0, f32::max);
            let scale = if largest < 1e-10 { 2_f32.powi(100) } else { 1.0 };
            let scaled = pairs().map(|(x, y)| x * Number(scale) - y * Number(scale));
            let d = Number(sum(scaled.map(|d| d * d)).0.sqrt()) / Number(scale);
            if d.0 < f32::MIN_POSITIVE { Number(0.0) } else { d }
        }
        Distance::SquaredEuclidean => sum(pairs().map(|(x, y)| (x - y) * (x - y))),
        Distance::Manhattan => sum(pairs().map(|(x, y)| Number((x - y).0.abs()))),
        Distance::InnerProduct => Number(-sum(pairs().map(|(x, y)| x * y)).0),
        other => panic!("{other:?} has no form here"),
    }
}

fn direction(distance: Distance, d: Number, x: Number, y: Number) -> Number {
    match distance {
        Distance::Euclidean if d.0 == 0.0 => Number(0.0),
        Distance::Euclidean => (Number(1.0) / d) * (x - y),
        Distance::SquaredEuclidean => Number(2.0) * (x - y),
        Distance::Manhattan => (x - y).sign(),
        Distance::InnerProduct => Number(-y.0),
        other => panic!("{other:?} has no form here"),
    }
}

/// The contrastive loss of one batch, in the driver's numbers.
fn contrastive(loss: &Contrastive, embeddings: &[f32], labels: &[u32]) -> Evaluation<f32> {
    let numbers: Vec<_> = embeddings.iter().copied().map(Number).collect();
    let row = |i: usize| &numbers[i * D..(i + 1) * D];
    let count = Number((N * (N - 1)) as f32);
    let mut result = Evaluation::default();
    result.per_anchor = Some(Vec::new());
    result.terms = (N * (N - 1)) as u64;
    let mut total = Number(0.0);
    let mut distances = [Number(0.0); 2];
    let mut pairs = [0_u64; 2];
    let mut nonzero = [0_u64; 2];
    for i in 0..N {
        let mut gradient = [Number(0.0); D];
        let mut anchor = Number(0.0);
        for j in (0..N).filter(|&j| j != i) {
            let d = distance(loss.distance, row(i), row(j));
            let kind = usize::from(labels[i] != labels[j]);
            distances[kind] = distances[kind] + d;
            pairs[kind] += 1;
            let hinge = match kind {
                0 => d - Number(loss.positive_margin),
                _ => Number(loss.negative_margin) - d,
            };
            let hinge = hinge.max(Number(0.0));
            nonzero[kind] += u64::from(hinge.0 > 0.0);
            let (term, slope) = match loss.power {
                2 => (hinge * hinge, Number(2.0) * hinge),
                _ => (hinge, hinge.sign()),
            };
            anchor = anchor + term;
            // Twice: (i, j) and (j, i).
            let slope = Number(if kind == 0 { 2.0 } else { -2.0 }) * slope;
            for (k, sum) in gradient.iter_mut().enumerate() {
                *sum = *sum + slope * direction(loss.distance, d, row(i)[k], row(j)[k]);
            }
        }
        result.gradient.extend(gradient.map(|g| (g / count).0));
        total = total + anchor;
        result.per_anchor.as_mut().expect("set above").push(anchor.0);
    }
    result.loss = (total / count).0;
    [result.nonzero_positive_terms, result.nonzero_negative_terms] = nonzero;
    result.nonzero_terms = nonzero[0] + nonzero[1];
    [result.positive_pairs, result.negative_pairs] = pairs;
    let means = [0, 1].map(|kind| (distances[kind] / Number(pairs[kind] as f32)).0);
    [result.mean_positive_distance, result.mean_negative_distance] = means;
    result
}

/// Ordinary rows, rows on either side of the smallest normal number, and both.
const SIZES: [[f32; 2]; 8] = [
    [1.0, 1.0],
    [1e-40, 1e-40],
    [3e-38, 3e-38],
    [1.0, 1e-40],
    [1e4, 1e-38],
    [1e-19, 1e-19],
    [1e-30, 1e-39],
    [1e-15, 3e-23],
];

#[test]
fn a_driver_may_flush_or_keep_in_every_distance() {
    let labels: Vec<u32> = (0..N as u32).map(|row| row % 3).collect();
    let mut failures = Vec::new();
    for [size, third] in SIZES {
        let embeddings = rows(size, third);
        let batch = Batch::new(&embeddings, [N, D], &labels).expect("a batch");
        // No row is divided by its norm here.
        for distance in Distance::ALL.into_iter().filter(|&one| one != Distance::Cosine) {
            for power in [1, 2] {
                let mut loss = Contrastive { distance, power, ..Default::default() };
                // As large as the distances are.
                let reach = reference::evaluate(&loss, &batch).expect("a result");
                loss.negative_margin = reach.mean_negative_distance.abs().max(1e-45) as f32;
                loss.positive_margin = 0.25 * loss.negative_margin;
                let expected = reference::evaluate_with_bounds(&loss, &batch).expect("a result");
                for driver in [Driver::Keeps, Driver::Flushes, Driver::Mixes] {
                    DRIVER.set(driver);
                    let comparison = expected.compare(&contrastive(&loss, &embeddings, &labels));
                    if !comparison.agrees() {
                        failures.push(format!("{driver:?} {size:e} {loss:?}\n{comparison}"));
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}

/// Two scores that are normal numbers, and whose difference is not.
#[test]
fn a_difference_may_be_flushed_where_a_hinge_begins() {
    let scores = [1.5e-38_f32, 1.2e-38, 2e-38, 2.1e-38];
    let batch = Batch::scores(&scores, [2, 2], &[1, 0]).expect("a batch");
    let (reduction, margin) = (Reduction::Sum, 0.0);
    let loss: Loss = MultiMargin { reduction, margin, ..Default::default() }.into();
    let expected = reference::evaluate_with_bounds(&loss, &batch).expect("a result");
    let kept = changed(Evaluation::default(), |kept| {
        kept.loss = 4e-39;
        kept.terms = 2;
        kept.nonzero_terms = 2;
        kept.gradient = vec![1.0, -1.0, -1.0, 1.0];
        kept.per_anchor = Some(vec![3e-39, 1e-39]);
    });
    let flushed = changed(kept.clone(), |flushed| {
        flushed.loss = 0.0;
        flushed.nonzero_terms = 0;
        flushed.gradient = vec![0.0; 4];
        flushed.per_anchor = Some(vec![0.0; 2]);
    });
    for actual in [kept, flushed] {
        let comparison = expected.compare(&actual);
        assert!(comparison.agrees(), "{comparison}");
    }
}
