//! The workspace: results do not depend on how the matrix is cut, and large batches fit into the
//! default one.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Instant;

use support::adapters::{Device, best_with, contexts, contexts_with, one_by_one, other_contexts};
use support::agreement::Tally;
use support::bits::bits;
use support::losses::{losses, reach};
use support::sample::{Layout, Random, Recipe, Sample, Values};
use wgpu_metric_learning::{
    Batch, CoSent, Contrastive, Distance, Error, Evaluation, Loss, Mining, Options, Reduction,
    Shape, Triplet, reference,
};

/// Rows and columns of matrices.
const N: usize = 100;
const D: usize = 7;
/// Bytes of one of their rows: a distance and a coefficient a column.
const ROW: u64 = 8 * N as u64;

/// On the best adapter, since the host cuts; the next test has a cut matrix on every one.
#[test]
fn the_cut_does_not_change_a_bit() {
    const ROWS: usize = 200;
    let columns_of = |batch: &Batch| batch.shape().references();
    let mut counts = BTreeSet::new();
    for_every_batch_of(ROWS, &mut |_, batch| counts.extend([columns_of(batch)]));
    let mut gradients = 0;
    for columns in counts {
        let with_rows = |rows: usize| {
            let bytes = rows * columns.next_multiple_of(4) * 8;
            best_with(Options::default().with_workspace_bytes(bytes as u64))
        };
        let largest = with_rows(ROWS - 1);
        for rows in [64, 130] {
            let cut = with_rows(rows);
            for_every_batch_of(ROWS, &mut |loss, batch| {
                if columns_of(batch) != columns {
                    return;
                }
                let [one, other] = [&largest, &cut].map(|device| evaluate(device, loss, batch));
                assert_eq!(bits(&one), bits(&other), "{}: {rows} rows, {loss:?}", cut.name);
                gradients += usize::from(one.gradient.iter().any(|&number| number != 0.0));
            });
        }
    }
    assert!(gradients > 40, "nothing was compared");
}

/// A row that every anchor chooses: in a batch the one in the middle of all others, and of three
/// references the only one of its class, for more anchors than a dispatch of their gradient looks
/// at.
#[test]
fn rows_that_every_anchor_chooses() {
    const ROWS: usize = 300;
    const WIDTH: usize = 64;
    const ANCHORS: usize = 8_300;
    let mut embeddings = Random(7).numbers(ROWS * WIDTH, 1.0);
    embeddings[..WIDTH].fill(0.0);
    // It is alone in its class.
    let labels: Vec<_> = (0..ROWS as u32).map(|row| row.div_ceil(ROWS as u32 / 10)).collect();
    let batch = Batch::new(&embeddings, [ROWS, WIDTH], &labels).unwrap();

    let queries = Random(8).numbers(ANCHORS * D, 1.0);
    let references = Random(9).numbers(3 * D, 1.0);
    let classes: Vec<_> = (0..ANCHORS as u32).map(|row| row % 2).collect();
    let against = Batch::new(&queries, [ANCHORS, D], &classes)
        .and_then(|batch| batch.with_references(&references, 3, &[0, 1, 0]))
        .unwrap();

    let loss = Triplet { mining: Mining::Hard, soft: true, ..Triplet::default() }.into();
    let mut tally = Tally::new();
    for (batch, workspace_bytes) in [(batch, 4 * 300 * 112), (against, 4 * 4 * 1_600)] {
        let expected = reference::evaluate_with_bounds(&loss, &batch).unwrap();
        let whole = contexts_with(Options::default());
        let cut = contexts_with(Options::default().with_workspace_bytes(workspace_bytes));
        for (whole, cut) in whole.iter().zip(&cut) {
            let [one, other] = [whole, cut].map(|device| evaluate(device, &loss, &batch));
            assert_eq!(bits(&one), bits(&other), "{}", cut.name);
            tally.compare(&expected, &one, whole.name.clone());
        }
    }
    tally.conclude(0.0);
}

#[test]
fn other_inputs_have_other_bits() {
    let devices = contexts();
    let [one, other] = [Values::Ordinary, Values::Scaled(1.000_001)].map(|values| {
        let sample = Sample::new(Recipe { values, ..recipe() });
        let loss = Contrastive::default().into();
        evaluate(devices[0], &loss, &sample.batches(&loss)[0])
    });
    assert_ne!(bits(&one), bits(&other));
}

#[test]
fn a_workspace_of_one_row_agrees() {
    let _alone = contexts();
    let mut tally = Tally::on(contexts_with(with_rows(1)));
    for_every_batch(|loss, batch| tally.hold(loss, batch, "one row"));
    tally.conclude(0.0);
}

#[test]
fn a_byte_less_than_one_row_is_an_error() {
    let _alone = contexts();
    for device in contexts_with(Options::default().with_workspace_bytes(ROW - 1)) {
        let error = device.context.plan(Contrastive::default(), Shape::batch(N, D)).unwrap_err();
        assert_eq!(error, Error::Workspace { needed: ROW, budget: ROW - 1, columns: N });
        assert_eq!(
            error.to_string(),
            "the workspace budget is 799 bytes, one row of 100 columns needs 800 bytes"
        );
    }
}

#[test]
fn the_same_bits_in_every_run_and_context() {
    let first = contexts();
    let second = other_contexts();
    for_every_batch(|loss, batch| {
        for (first, second) in first.iter().zip(&second) {
            let results = [first, first, second].map(|device| bits(&evaluate(device, loss, batch)));
            assert!(results.iter().all(|bits| *bits == results[0]), "{}: {loss:?}", first.name);
        }
    });
}

#[test]
fn thousands_of_millions_of_triplets() {
    const ROWS: usize = 2048;
    let sample =
        Sample::new(Recipe { n: ROWS, m: 1, d: 64, layout: Layout::Balanced(2), ..recipe() });
    let loss = Triplet { mining: Mining::All, ..Triplet::default() }.into();
    let batch = sample.batches(&loss)[0];
    let expected = reference::evaluate_with_bounds(&loss, &batch).unwrap();
    let half = ROWS as u64 / 2;
    let mut tally = Tally::new();
    for device in contexts_with(Options::default()) {
        let start = Instant::now();
        let actual = evaluate(&device, &loss, &batch);
        println!("{}: {} triplets in {:?}", device.name, actual.terms, start.elapsed());
        assert_eq!(actual.terms, 2 * half * (half - 1) * half);
        assert!(actual.terms > 2_100_000_000);
        tally.compare(&expected, &actual, device.name);
    }
    tally.conclude(0.0);
}

/// A dense matrix would be eight workspaces, with its coefficients sixteen. Every 513th anchor is
/// compared with the reference.
#[test]
fn eight_thousand_rows_in_the_default_workspace() {
    const ROWS: usize = 8_192;
    const STEP: usize = 513;
    let _alone = contexts();
    let device = best_with(Options::default());
    let recipe = Recipe { n: ROWS, m: 1, d: 64, layout: Layout::Balanced(16), ..recipe() };
    let sample = Sample::new(recipe);
    // Without a reduction an anchor's gradient is twice what its own row of pairs gives: every pair
    // exists in both orders.
    let loss = Contrastive { reduction: Reduction::Sum, ..Contrastive::default() }.into();
    let batch = sample.batches(&loss)[0];
    let start = Instant::now();
    let actual = evaluate(&device, &loss, &batch);
    println!("{}: {ROWS} rows in {:?}", device.name, start.elapsed());

    let pairs = (ROWS * (ROWS - 1)) as u64;
    assert_eq!([actual.terms, actual.positive_pairs], [pairs, (ROWS * (ROWS / 16 - 1)) as u64]);
    assert_eq!(actual.negative_pairs, pairs - actual.positive_pairs);
    let per_anchor = actual.per_anchor.as_ref().expect("contrastive has them");
    let sum: f64 = per_anchor.iter().map(|&loss| f64::from(loss)).sum();
    assert!((sum - f64::from(actual.loss)).abs() < 1e-5 * sum, "{sum} is not {}", actual.loss);

    let some: Vec<_> = (0..ROWS).step_by(STEP).collect();
    let rows = |numbers: &[f32]| {
        some.iter().flat_map(|row| numbers[row * 64..][..64].to_vec()).collect::<Vec<_>>()
    };
    let labels: Vec<_> = some.iter().map(|&row| batch.labels()[row]).collect();
    let embeddings = rows(batch.embeddings());
    // The pair of an anchor with itself is a positive at distance 0: a term of 0.
    let anchors = Batch::new(&embeddings, [some.len(), 64], &labels)
        .and_then(|anchors| anchors.with_references(batch.embeddings(), ROWS, batch.labels()))
        .unwrap();
    let expected = reference::evaluate_with_bounds(&loss, &anchors).unwrap();
    let of = |evaluation: &Evaluation<f64>| {
        let twice = evaluation.gradient.iter().map(|number| 2.0 * number);
        evaluation.per_anchor.iter().flatten().copied().chain(twice).collect::<Vec<_>>()
    };
    let found = some.iter().map(|&row| per_anchor[row]).chain(rows(&actual.gradient));
    let numbers = of(&expected.evaluation).into_iter().zip(of(&expected.bounds)).zip(found);
    let worst = numbers
        .map(|((number, bound), found)| (f64::from(found) - number).abs() / bound)
        .fold(0.0, f64::max);
    println!("worst share of {} anchors {worst:.3}", some.len());
    assert!(worst <= 1.0 && worst > 1e-6, "{worst}");
}

fn recipe() -> Recipe {
    Recipe {
        n: N,
        m: N,
        d: D,
        layout: Layout::Balanced(N / 5),
        values: Values::Ordinary,
        extreme_labels: false,
    }
}

fn with_rows(rows: u64) -> Options {
    Options::default().with_workspace_bytes(rows * ROW)
}

/// Every loss in every mode, with as many columns in each: N x N but for N / 5 classes.
fn for_every_batch(mut work: impl FnMut(&Loss, &Batch)) {
    for_every_batch_of(N, &mut work);
}

fn for_every_batch_of(rows: usize, work: &mut dyn FnMut(&Loss, &Batch)) {
    let sample =
        Sample::new(Recipe { n: rows, m: rows, layout: Layout::Balanced(rows / 5), ..recipe() });
    for kind in 0..losses(Distance::Euclidean, false, 1.0).len() {
        let (distance, normalize) = (Distance::ALL[kind % Distance::ALL.len()], kind % 3 == 0);
        let loss = &losses(distance, normalize, reach(distance, normalize, D, 1.0))[kind];
        for batch in sample.batches(loss) {
            work(loss, &batch);
        }
    }
}

fn evaluate(device: &Device, loss: &Loss, batch: &Batch) -> Evaluation {
    device
        .context
        .evaluate(loss, batch)
        .wait()
        .unwrap_or_else(|error| panic!("{}: {loss:?}: {error}", device.name))
}

/// What the documentation says of a pair: some 40 bytes beside the list, and some 65 where it is
/// scored.
#[test]
fn a_list_takes_as_much_memory_as_is_said() {
    const PAIRS: usize = 1 << 20;
    let cases: [(Loss, Shape, Range<f64>); 2] = [
        (Contrastive::default().into(), Shape::pair_indices(64, 4, PAIRS), 36.0..42.0),
        (CoSent::default().into(), Shape::scored_pair_indices(64, 4, PAIRS), 60.0..68.0),
    ];
    for (loss, shape, said) in cases {
        for device in one_by_one() {
            let plan = device.context.plan(loss.clone(), shape).expect("a plan");
            let per_pair = plan.memory_bytes() as f64 / PAIRS as f64;
            assert!(said.contains(&per_pair), "{}: {per_pair} bytes for {loss:?}", device.name);
        }
    }
}

/// The workspace, the prepared rows, the outputs, and at most one gradient more: nothing that grows
/// with the square of the batch.
#[test]
fn a_large_batch_takes_little_memory() {
    const MIB: u64 = 1 << 20;
    let shape = Shape::batch(16_384, 64);
    let outputs = 4 * 16_384 * 64;
    for device in one_by_one() {
        let all = losses(Distance::Euclidean, false, 1.0);
        for loss in all.iter().filter(|loss| loss.check(&shape).is_ok()) {
            let plan = device.context.plan(loss.clone(), shape).expect("a plan");
            let beside = plan.memory_bytes() - outputs;
            assert!(
                (32 * MIB..=40 * MIB).contains(&beside),
                "{}: {beside} bytes for {loss:?}",
                device.name
            );
        }
    }
}
