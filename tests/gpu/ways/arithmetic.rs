//! Expanded distances and gradients: within the bounds of their own, the same to the bit however
//! the matrix is cut, and nowhere but where they are asked for. Golden cases of all kernels that are
//! others then, and sums, are held on every adapter, since drivers translate the same kernels
//! differently, the rest on the best. All of it is asked of cooperative matrices as well, on adapters
//! that have them: scripts/check-cooperative brings one.

use support::adapters::{
    Device, best_opens, best_with, contexts, contexts_that_open, contexts_with,
};
use support::agreement::Tally;
use support::bits::bits;
use support::goldens;
use support::losses::{losses, reach};
use support::sample::{Layout, Recipe, Sample, Values};
use wgpu_metric_learning::tuning::{Tile, Tiles};
use wgpu_metric_learning::{
    Adapter, Arithmetic, Batch, Context, Contrastive, Distance, Error, Loss, Margin, Mode, NtXent,
    Options, Reduction, Triplet, Weighted, reference,
};

/// More rows than a tile, more dimensions than a step.
const N: usize = 150;
const D: usize = 70;

const EXPANDED: [Distance; 2] = [Distance::Euclidean, Distance::SquaredEuclidean];

fn expanded() -> Options {
    Options::default().with_arithmetic(Arithmetic::Expanded)
}

const COOPERATIVE: [Arithmetic; 2] = [Arithmetic::Cooperative8, Arithmetic::Cooperative16];

/// The options of every arithmetic that expands, as far as the best adapter has it.
fn expansions() -> Vec<Options> {
    let cooperative = COOPERATIVE.map(|one| Options::default().with_arithmetic(one));
    let has = |options: &Options| best_opens(options.clone());
    std::iter::once(expanded()).chain(cooperative.into_iter().filter(has)).collect()
}

/// Every adapter with these options; of those with cooperative matrices, which some lack, the ones
/// that have them.
fn contexts_of(options: &Options) -> Vec<Device> {
    match COOPERATIVE.contains(&options.arithmetic) {
        true => contexts_that_open(options.clone()).0,
        false => contexts_with(options.clone()),
    }
}

fn sample(values: Values) -> Sample {
    let layout = Layout::Balanced(4);
    Sample::new(Recipe { n: N, m: N, d: D, layout, values, extreme_labels: false })
}

#[test]
fn every_golden_case_agrees() {
    let _alone = contexts();
    // Of their kernels only those of distances and gradients are others when expanded: these losses
    // have all of them, as their coefficients are symmetric, of both ends of a pair, and neither.
    let has_all =
        |loss: &Loss| matches!(loss, Loss::Contrastive(_) | Loss::NtXent(_) | Loss::SmoothAp(_));
    // Other distances have the bits that they have without, as a test below holds, and weights
    // multiply what comes of distances, whatever their arithmetic.
    let is_expanded = |loss: &Loss| loss.distance().is_some_and(|one| EXPANDED.contains(&one));
    let cases = goldens::cases();
    for options in expansions() {
        let mut on_all = Tally::on(contexts_of(&options));
        let mut on_best = Tally::on(vec![best_with(options)]);
        for case in cases.iter().filter(|case| is_expanded(&case.loss) && !case.is_weighted()) {
            let tally = if has_all(&case.loss) { &mut on_all } else { &mut on_best };
            tally.hold(&case.loss, &case.batch(), &case.name);
        }
        on_all.conclude(0.12);
        on_best.conclude(0.12);
    }
}

/// An adapter without them says what it lacks, and so does one that is not asked for experimental
/// features.
#[test]
fn cooperative_matrices_are_never_taken_without_the_features() {
    let is_told = |error: &Error, arithmetic: Arithmetic| {
        let named = format!("arithmetic {arithmetic}");
        matches!(error, Error::MissingFeature { what, feature } if *what == named && !feature.is_empty())
    };
    for arithmetic in COOPERATIVE {
        let options = Options::default().with_arithmetic(arithmetic);
        let (_, refusals) = contexts_that_open(options.clone());
        for error in &refusals {
            assert!(is_told(error, arithmetic), "{error}");
        }
        for adapter in Adapter::all() {
            let error = adapter.open(options.clone()).expect_err("no token was given");
            assert!(is_told(&error, arithmetic), "{error}");
        }
        for usual in contexts() {
            let (device, queue) = (usual.context.device(), usual.context.queue());
            let error =
                Context::configured(device, queue, options.clone()).expect_err("no feature");
            assert!(is_told(&error, arithmetic), "{error}");
        }
    }
}

/// Duplicates, near-duplicates, also far from the origin, rows of 0 and of all sizes: a third of
/// the losses for each kind of values, in one stripe and in several.
#[test]
fn hard_values_agree() {
    expansions().into_iter().for_each(hard_values_agree_with);
}

fn hard_values_agree_with(whole: Options) {
    let kinds = losses(Distance::Euclidean, false, 1.0).len();
    let cut = whole.clone().with_workspace_bytes(8 * 48 * N.next_multiple_of(4) as u64);
    let mut tallies = [whole, cut].map(|options| Tally::on(vec![best_with(options)]));
    // Beside them numbers whose distances are at the end of what is normal.
    let all = Values::HARD.into_iter().chain([Values::Scaled(1e-38)]);
    for (turn, values) in all.enumerate() {
        let sample = sample(values);
        for kind in (turn % 3..kinds).step_by(3) {
            let (distance, normalize) = (EXPANDED[(turn + kind) % 2], kind % 4 == 3);
            let size = match values {
                Values::Scaled(scale) if !normalize => scale,
                _ => 1.0,
            };
            let loss = &losses(distance, normalize, reach(distance, normalize, D, size))[kind];
            for batch in sample.batches(loss) {
                tallies[turn % 2].hold(loss, &batch, &format!("{values:?}"));
            }
        }
    }
    tallies.into_iter().for_each(|tally| tally.conclude(0.5));
}

/// References that no gradient is asked for, and those that the rows are a part of.
#[test]
fn fixed_references_and_own_rows_agree() {
    expansions().into_iter().for_each(fixed_references_and_own_rows_agree_with);
}

fn fixed_references_and_own_rows_agree_with(options: Options) {
    let sample = sample(Values::Near(1e-3));
    let mut tally = Tally::on(vec![best_with(options)]);
    for kind in 0..losses(Distance::Euclidean, false, 1.0).len() {
        let distance = EXPANDED[kind % 2];
        let loss = &losses(distance, false, reach(distance, false, D, 1.0))[kind];
        let batches = sample.batches(loss);
        for batch in batches.iter().filter(|batch| batch.shape().mode() == Mode::Reference) {
            tally.hold(loss, &batch.with_fixed_references(), "fixed references");
        }
        let has_both = |mode: &Mode| loss.modes().contains(mode);
        let whole = batches.iter().find(|batch| batch.shape().mode() == Mode::Batch);
        let Some(whole) = whole.filter(|_| has_both(&Mode::Reference) && !takes_beta(loss)) else {
            continue;
        };
        let (rows, labels) = (&whole.embeddings()[20 * D..70 * D], &whole.labels()[20..70]);
        let own = Batch::new(rows, [50, D], labels)
            .and_then(|own| own.with_references(whole.embeddings(), N, whole.labels()))
            .and_then(|own| own.with_reference_offset(20))
            .expect("own rows");
        tally.hold(loss, &own, "own rows");
    }
    tally.conclude(0.2);
}

fn takes_beta(loss: &Loss) -> bool {
    matches!(loss, Loss::Margin(Margin { beta_per_class: true, .. }))
}

/// What shares its distances is within the bounds of the whole sum.
#[test]
fn objectives_agree() {
    let sample = sample(Values::Duplicates);
    let batch = sample.batches(&Contrastive::default().into())[0];
    let euclidean = Distance::Euclidean;
    let objective = [
        Weighted::new(1.0, Contrastive { negative_margin: 9.0, ..Default::default() }, batch),
        Weighted::new(0.5, Triplet { margin: 2.0, ..Default::default() }, batch),
        Weighted::new(2.0, NtXent { distance: euclidean, ..Default::default() }, batch),
    ];
    let _alone = contexts();
    for options in expansions() {
        let expected =
            reference::evaluate_objective_with_bounds_in(options.arithmetic, &objective).unwrap();
        for device in contexts_of(&options) {
            let actual = device.context.evaluate_objective(&objective).wait().expect("a result");
            let comparison = expected.compare(&actual);
            assert!(comparison.agrees(), "{}\n{comparison}", device.name);
        }
    }
}

fn evaluate(device: &Device, loss: &Loss, batch: &Batch) -> impl PartialEq + use<> {
    bits(&device.context.evaluate(loss, batch).wait().expect("nothing fails"))
}

/// Of every loss, on ordinary rows, duplicates and near ones in turn, in matrices that are all cut
/// into several stripes: one that a stripe holds is summed up in another order.
#[test]
fn tiles_stripes_and_runs_do_not_change_a_bit() {
    expansions().into_iter().for_each(nothing_changes_a_bit_of);
}

fn nothing_changes_a_bit_of(options: Options) {
    let bytes = |rows: u64| 8 * rows * N.next_multiple_of(4) as u64;
    let rows = |rows: u64| options.clone().with_workspace_bytes(bytes(rows));
    let all = [
        best_with(rows(140).with_tiles(Tiles::both(Tile::Small))),
        best_with(rows(140).with_tiles(Tiles::both(Tile::Large))),
        best_with(rows(64).with_tiles(Tiles::both(Tile::Wide))),
        best_with(rows(64).with_tiles(Tiles::both(Tile::Wide))),
    ];
    let samples = [Values::Ordinary, Values::Duplicates, Values::Near(1e-3)].map(sample);
    for kind in 0..losses(Distance::Euclidean, false, 1.0).len() {
        let (distance, normalize) = (EXPANDED[kind % 2], kind % 4 == 3);
        let loss = &losses(distance, normalize, reach(distance, normalize, D, 1.0))[kind];
        // Matrices add up the parts of d(i, j) and of d(j, i) in another order, and of these losses
        // a stripe decides which of the two is taken.
        let is_of_both_ends = matches!(loss, Loss::NtXent(_) | Loss::SupCon(_));
        if is_of_both_ends && options.arithmetic != Arithmetic::Expanded {
            continue;
        }
        for batch in samples[kind % samples.len()].batches(loss) {
            let results = all.each_ref().map(|device| evaluate(device, loss, &batch));
            let is_same = results.iter().all(|result| *result == results[0]);
            assert!(is_same, "{}: {loss:?}", all[0].name);
        }
    }
}

/// Other distances, and lists, are as they were; what is expanded is not.
#[test]
fn only_what_is_expanded_has_other_bits() {
    let usual = contexts();
    let sample = sample(Values::Ordinary);
    for (usual, expanded) in usual.iter().zip(&contexts_with(expanded())) {
        for distance in Distance::ALL {
            let margin = 1.5 * reach(distance, false, D, 1.0);
            let loss = Contrastive { distance, negative_margin: margin, ..Contrastive::default() };
            let loss = loss.into();
            for batch in sample.batches(&loss) {
                let results = [usual, expanded].map(|device| evaluate(device, &loss, &batch));
                let has_matrix = matches!(batch.shape().mode(), Mode::Batch | Mode::Reference);
                let is_other = EXPANDED.contains(&distance) && has_matrix;
                let name = &usual.name;
                assert_eq!(results[0] != results[1], is_other, "{name} {distance} {batch:?}");
            }
        }
    }
}

/// Rows that have much in common are not all near: it is taken out before they are squared. The
/// bound would be as wide as the numbers if it were not.
#[test]
fn what_all_rows_have_in_common_costs_no_accuracy() {
    let sample = sample(Values::Ordinary);
    let loss =
        Contrastive { reduction: Reduction::Mean, negative_margin: 20.0, ..Contrastive::default() };
    let loss = loss.into();
    let batch = sample.batches(&loss)[0];
    let moved: Vec<_> = batch.embeddings().iter().map(|number| number + 64.0).collect();
    let moved = Batch::new(&moved, [N, D], batch.labels()).expect("a batch");
    let bounds = [Arithmetic::Exact, Arithmetic::Expanded].map(|arithmetic| {
        let expected = reference::evaluate_with_bounds_in(arithmetic, &loss, &moved);
        expected.expect("a result").bounds.loss
    });
    assert!(bounds[0] < bounds[1] && bounds[1] < 20.0 * bounds[0], "{bounds:?}");
    let _alone = contexts();
    for options in expansions() {
        let mut tally = Tally::on(contexts_of(&options));
        tally.hold(&loss, &moved, "moved");
        tally.conclude(0.0);
    }
}
