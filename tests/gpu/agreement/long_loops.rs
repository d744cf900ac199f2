//! Inputs so large that llvmpipe, which stops an invocation's loops in silence after 65,535 rounds,
//! would not get through them in one dispatch: each just beyond what it would. The results are
//! right, or the plan is refused.

use support::adapters::{contexts, contexts_with, one_by_one};
use support::agreement::Tally;
use support::sample::{Layout, Random, Recipe, Sample, Values};
use wgpu_metric_learning::measures::Retrieval;
use wgpu_metric_learning::tuning::{Tile, Tiles};
use wgpu_metric_learning::{
    Batch, Contrastive, Distance, Error, Evaluation, Loss, Margin, Mining, Options, Reduction,
    Sampling, Shape, SmoothAp, Triplet, reference,
};

/// One query at 0 and references at the distances 1, 2, ... `DISTANCES`, so that triplets can be
/// counted by their distances.
struct Line {
    references: Vec<f32>,
    labels: Vec<u32>,
}

const DISTANCES: usize = 8;
const POSITIVE: u32 = 0;
const MARGIN: f64 = 1.5;

impl Line {
    /// Every `step`th reference is a positive.
    fn new(columns: usize, step: usize) -> Self {
        let distance = |column: usize| (1 + column / step.min(3) % DISTANCES) as f32;
        Self {
            references: (0..columns).map(distance).collect(),
            labels: (0..columns).map(|column| u32::from(!column.is_multiple_of(step))).collect(),
        }
    }

    fn evaluate(&self, mining: Mining, soft: bool) -> Vec<Evaluation> {
        let columns = self.references.len();
        let batch = Batch::new(&[0.0], [1, 1], &[POSITIVE])
            .and_then(|batch| batch.with_references(&self.references, columns, &self.labels))
            .unwrap();
        let loss: Loss = Triplet {
            mining,
            soft,
            margin: MARGIN as f32,
            reduction: Reduction::Sum,
            ..Triplet::default()
        }
        .into();
        contexts()
            .iter()
            .map(|device| device.context.evaluate(&loss, &batch).wait().unwrap())
            .collect()
    }

    /// How many positives, and how many negatives, are at each distance.
    fn counts(&self) -> [[f64; DISTANCES + 1]; 2] {
        let mut counts = [[0.0; DISTANCES + 1]; 2];
        for (distance, label) in self.references.iter().zip(&self.labels) {
            counts[*label as usize][*distance as usize] += 1.0;
        }
        counts
    }

    /// Compares loss and slopes with those of every triplet, given a term and its slope of
    /// (positive, negative) distances.
    fn hold_all(&self, evaluation: &Evaluation, term: impl Fn(f64) -> [f64; 2]) {
        let [positives, negatives] = self.counts();
        let mut loss = 0.0;
        let mut slopes = [[0.0; DISTANCES + 1]; 2];
        for p in 1..=DISTANCES {
            for n in 1..=DISTANCES {
                let [value, slope] = term(p as f64 - n as f64);
                loss += positives[p] * negatives[n] * value;
                slopes[0][p] += negatives[n] * slope;
                slopes[1][n] -= positives[p] * slope;
            }
        }
        assert_near(evaluation.loss, loss);
        let gradient = evaluation.gradient_references.as_ref().expect("there are references");
        for ((slope, distance), label) in gradient.iter().zip(&self.references).zip(&self.labels) {
            assert_near(*slope, slopes[*label as usize][*distance as usize]);
        }
    }
}

#[track_caller]
fn assert_near(actual: f32, expected: f64) {
    assert!(
        (f64::from(actual) - expected).abs() <= 1e-4 * expected.abs(),
        "{actual} is not {expected}"
    );
}

/// Beyond what llvmpipe would get through in one dispatch, 655,000 columns.
#[test]
fn every_triplet_of_many_positives_in_a_long_row() {
    let line = Line::new(700_000, 75);
    for evaluation in line.evaluate(Mining::All, false) {
        line.hold_all(&evaluation, |x| {
            [(x + MARGIN).max(0.0), f64::from(u8::from(x + MARGIN > 0.0))]
        });
    }
}

/// Beyond what llvmpipe would get through in one dispatch, 120,000 columns.
#[test]
fn every_soft_triplet_of_a_chunk_of_positives_in_a_long_row() {
    let line = Line::new(150_000, 140);
    for evaluation in line.evaluate(Mining::All, true) {
        line.hold_all(&evaluation, |x| [x.exp().ln_1p(), 1.0 / (1.0 + (-x).exp())]);
    }
}

/// More positives than a dispatch takes, three times over.
#[test]
fn ranks_of_more_positives_than_a_dispatch_takes() {
    const COLUMNS: usize = 2_000;
    let references = Random(3).numbers(2 * COLUMNS, 1.0);
    let labels: Vec<u32> = (0..COLUMNS as u32).map(|column| u32::from(column % 4 == 0)).collect();
    let batch = Batch::new(&[0.5, 0.5], [1, 2], &[POSITIVE])
        .and_then(|batch| batch.with_references(&references, COLUMNS, &labels))
        .unwrap();
    let mut tally = Tally::new();
    tally.hold(&SmoothAp { temperature: 0.1, ..SmoothAp::default() }.into(), &batch, "ranks");
    tally.conclude(0.0);
}

/// Beyond what llvmpipe would get through in one dispatch, 410,000 columns. A positive takes the
/// negative one farther, the last ones the farthest.
#[test]
fn semi_hard_triplets_of_many_positives_in_a_long_row() {
    let line = Line::new(450_000, 48);
    let [positives, _] = line.counts();
    let terms: f64 = positives.iter().sum();
    let farthest = positives[DISTANCES];
    for evaluation in line.evaluate(Mining::SemiHard, false) {
        assert_eq!([evaluation.terms, evaluation.nonzero_terms], [terms as u64; 2]);
        assert_near(evaluation.loss, (terms - farthest) * (MARGIN - 1.0) + farthest * MARGIN);
        let mut chosen = [0.0; DISTANCES + 1];
        chosen[2..].copy_from_slice(&positives[1..DISTANCES]);
        chosen[DISTANCES] += farthest;
        let gradient = evaluation.gradient_references.as_ref().expect("there are references");
        for ((slope, distance), label) in gradient.iter().zip(&line.references).zip(&line.labels) {
            if *label == POSITIVE {
                assert_near(*slope, 1.0);
            } else {
                // The lowest column has it.
                assert_near(*slope, -std::mem::take(&mut chosen[*distance as usize]));
            }
        }
    }
}

/// Beyond what llvmpipe would get through in one dispatch, 655,000 columns.
#[test]
fn ranks_of_many_positives_in_a_long_row() {
    const M: usize = 700_000;
    let recipe = Recipe {
        n: 1,
        m: M,
        d: 2,
        layout: Layout::Balanced(75),
        values: Values::Ordinary,
        extreme_labels: false,
    };
    let batch = Sample::new(recipe);
    let labels: Vec<u32> = (0..M as u32).map(|column| column % 75).collect();
    let batch = Batch::new(batch.embeddings(), [1, 2], &[0])
        .and_then(|one| one.with_references(batch.references(), M, &labels))
        .unwrap();
    let expected = wgpu_metric_learning::reference::measure(&Retrieval::default(), &batch).unwrap();
    for device in one_by_one() {
        let actual = device.context.measure(&Retrieval::default(), &batch).wait().unwrap();
        assert!(expected.r_precision > 0.0);
        assert_near(actual.r_precision, expected.r_precision);
        assert_near(actual.mean_average_precision_at_r, expected.mean_average_precision_at_r);
    }
}

/// Beyond what llvmpipe would get through in one dispatch, 1,048,560 columns.
#[test]
fn a_gradient_of_more_columns_than_a_dispatch_sums_up() {
    const M: usize = 1_100_000;
    let recipe = Recipe {
        n: 1,
        m: M,
        d: 1,
        layout: Layout::Balanced(2),
        values: Values::Ordinary,
        extreme_labels: false,
    };
    let sample = Sample::new(recipe);
    let loss = Contrastive::default().into();
    let mut tally = Tally::new();
    tally.hold(&loss, &sample.batches(&loss)[1], "long rows");
    tally.conclude(0.0);
}

/// Beyond what llvmpipe would get through in one dispatch, 1,048,560 pairs of one row.
#[test]
fn a_row_in_more_pairs_than_a_dispatch_sums_up() {
    const ROWS: usize = 1000;
    const PAIRS: u32 = 1_100_000;
    let pairs: Vec<_> = (0..PAIRS).map(|at| [0, 1 + at * 7 % (ROWS as u32 - 1)]).collect();
    let same: Vec<_> = (0..PAIRS).map(|at| u32::from(at % 7 < 3)).collect();
    let embeddings = Random(5).numbers(ROWS, 1.0);
    let batch = Batch::pair_indices(&embeddings, [ROWS, 1], &pairs, &same).unwrap();
    let mut tally = Tally::new();
    tally.hold(&Contrastive::default().into(), &batch, "a hub");
    tally.conclude(0.0);
}

/// Beyond what llvmpipe would get through in one dispatch, 8,000 dimensions. All rows but the last
/// are so near to each other that the distances are taken again.
#[test]
fn near_rows_of_many_dimensions() {
    const N: usize = 64;
    const D: usize = 10_000;
    let mut embeddings = Random(6).numbers(N * D, 1e-15);
    embeddings[(N - 1) * D..].fill(1.0);
    let labels: Vec<_> = (0..N as u32).map(|row| row % 2).collect();
    let batch = Batch::new(&embeddings, [N, D], &labels).unwrap();
    let mut tally = Tally::new();
    tally.hold(&Contrastive::default().into(), &batch, "near rows");
    tally.conclude(0.0);
}

/// Beyond what llvmpipe would get through in one dispatch with a large tile, 30,840 dimensions: all 64
/// pairs of one invocation are near.
#[test]
fn near_rows_of_an_invocation_of_a_large_tile() {
    const N: usize = 113;
    const D: usize = 33_000;
    let mut embeddings = Random(7).numbers(N * D, 1.0);
    for row in (0..N).step_by(16) {
        embeddings[row * D..][..D].fill(0.0);
        embeddings[row * D] = row as f32 * 1e-15;
    }
    let labels: Vec<_> = (0..N as u32).map(|row| if row % 16 == 0 { 0 } else { row }).collect();
    let batch = Batch::new(&embeddings, [N, D], &labels).unwrap();
    let loss: Loss = Contrastive { reduction: Reduction::Sum, ..Contrastive::default() }.into();
    let expected = reference::evaluate_with_bounds(&loss, &batch).unwrap();
    for tiles in Tile::ALL.map(Tiles::both) {
        for device in contexts_with(Options::default().with_tiles(tiles)) {
            let actual = device.context.evaluate(&loss, &batch).wait().unwrap();
            let deviation = (f64::from(actual.loss) - expected.evaluation.loss).abs();
            assert!(
                deviation <= expected.bounds.loss,
                "{}, {tiles:?}: {} is not {}",
                device.name,
                actual.loss,
                expected.evaluation.loss
            );
        }
    }
}

/// Plans alone: they are refused before anything is allocated.
#[test]
fn what_no_dispatch_can_take_is_an_error() {
    let semi_hard = Triplet { mining: Mining::SemiHard, ..Triplet::default() };
    let soft = Triplet { soft: true, ..Triplet::default() };
    let drawing =
        Margin { sampling: Sampling::DistanceWeighted, normalize: true, ..Margin::default() };
    let losses: [(Loss, &str, u64); 5] = [
        (Triplet::default().into(), "terms/triplet/all.wgsl", 4_134_400),
        (semi_hard.into(), "terms/triplet/semi_hard.wgsl", 2_324_992),
        (soft.into(), "terms/triplet/all_soft.wgsl", 242_944),
        (SmoothAp::default().into(), "terms/smooth_ap.wgsl", 240_896),
        (drawing.into(), "terms/margin/distance_weighted.wgsl", 4_158_976),
    ];
    let too_long = |kernel, what, count, limit| Error::TooLong { kernel, what, count, limit };
    for device in one_by_one() {
        for (loss, kernel, limit) in &losses {
            let expected = too_long(kernel, "columns", limit + 1, *limit);
            let shape = Shape::reference(1, *limit as usize + 1, 1).with_fixed_references();
            assert_eq!(plan(&device, loss, shape), Err(expected), "{}", device.name);
        }
        let loss = Contrastive::default().into();
        let dimensions = Shape::batch(2, 115_521);
        let error = too_long("distance/pairwise", "dimensions", 115_521, 115_520);
        assert_eq!(plan(&device, &loss, dimensions), Err(error));
        let inner =
            Contrastive { distance: Distance::InnerProduct, ..Contrastive::default() }.into();
        assert_eq!(plan(&device, &inner, dimensions), Ok(()));
        let list = Shape::pair_indices(2, 1, 16_640_001);
        let error = too_long("incidence/scan", "places of the list", 33_280_002, 33_280_000);
        assert_eq!(plan(&device, &loss, list), Err(error));

        let what = "a workgroup for every 64 dimensions";
        let name = "maxComputeWorkgroupsPerDimension";
        let error = Error::DeviceLimit { what, needed: 78_125, name, limit: 65_535 };
        assert_eq!(plan(&device, &loss, Shape::batch(2, 5_000_000)), Err(error));

        let error = device
            .context
            .plan_measures(&Retrieval::default(), Shape::reference(1, 4_093_441, 1))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "4093441 columns are more than the 4093440 that the loops of measures/ranks.wgsl can take"
        );
    }
}

fn plan(device: &support::adapters::Device, loss: &Loss, shape: Shape) -> Result<(), Error> {
    device.context.plan(loss, shape).map(|_| ())
}
