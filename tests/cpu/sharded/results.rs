//! What ranks come to, for every cut.

use support::losses::{losses, reach};
use support::sample::{Layout, Recipe, Sample, Values};
use support::sharded::{assembled, evaluate, in_ranks, shards};
use wgpu_metric_learning::measures::Retrieval;
use wgpu_metric_learning::sharded::{Communicator, Shard, Sharded, Threads};
use wgpu_metric_learning::{
    Batch, Contrastive, Cpu, Distance, Evaluation, LiftedStructured, Loss, Mode, NtXent, Reduction,
    Result, Sampling, SigLip, SupCon, Triplet, reference,
};

use super::{on_cpu, small};

/// How much each rank holds of a batch.
const CUTS: [&[usize]; 5] = [&[1], &[3, 1], &[1, 4, 2], &[5, 0, 2, 3], &[0, 1, 0]];

/// The result of all ranks.
fn together(loss: &Loss, shards: &[Shard]) -> Evaluation {
    let ranks: Result<Vec<_>> = evaluate(loss, shards, on_cpu).into_iter().collect();
    assembled(ranks.unwrap_or_else(|error| panic!("{loss:?}: {error}")))
}

fn counts(of: &Evaluation) -> [u64; 6] {
    [
        of.terms,
        of.nonzero_terms,
        of.nonzero_positive_terms,
        of.nonzero_negative_terms,
        of.positive_pairs,
        of.negative_pairs,
    ]
}

/// Whether a row's gradient is of its own row of pairs alone, or twice that: against references, and
/// of pairs that pull at both their ends alike. Then its sum is the same wherever its row is held.
fn has_gradient_by_rows(loss: &Loss, batch: &Batch) -> bool {
    let pulls_alike = match loss {
        Loss::Contrastive(_) | Loss::SigLip(_) => true,
        Loss::Margin(loss) => !loss.beta_per_class && loss.sampling == Sampling::All,
        _ => false,
    };
    let is_in_batch = batch.shape().mode() == Mode::Batch;
    let is_of_own_rows = !is_in_batch || (pulls_alike && !batch.shape().has_weights());
    is_of_own_rows && !loss.needs_all_rows()
}

/// With a sum, which is rounded once as on one machine, such gradients have its bits for every cut.
fn hold_bits(loss: &Loss, batch: &Batch) {
    let loss = &loss.clone().with_reduction(Reduction::Sum);
    if !has_gradient_by_rows(loss, batch) || batch.check(loss).is_err() {
        return;
    }
    let alone = on_cpu(0, loss, batch).unwrap();
    for cut in CUTS {
        let found = together(loss, &shards(batch, cut));
        let mode = batch.shape().mode();
        assert_eq!(found.gradient, alone.gradient, "{loss:?} in {mode} mode, cut as {cut:?}");
    }
}

/// Whether every rank evaluates all rows: where the two sides of a loss cannot be told apart.
fn is_whole(loss: &Loss, batch: &Batch) -> bool {
    let shape = batch.shape();
    let is_of_both_sides = shape.has_weights() || shape.reference_offset().is_some();
    is_of_both_sides && matches!(loss, Loss::Clip(_))
}

/// Holds the ranks of every cut against one machine and against the reference.
pub(super) fn hold(loss: &Loss, batch: &Batch) {
    hold_bits(loss, batch);
    let alone = on_cpu(0, loss, batch).unwrap();
    let expected = reference::evaluate_with_bounds(loss, batch).unwrap();
    let has_two_means =
        matches!(loss.reduction(), Reduction::MeanNonZero | Reduction::MeanWithin(_));
    let is_split = matches!(loss, Loss::Contrastive(_)) && has_two_means;
    for cut in CUTS {
        let name = || format!("{loss:?} in {} mode, cut as {cut:?}", batch.shape().mode());
        let found = together(loss, &shards(batch, cut));
        let comparison = expected.compare(&found);
        assert!(comparison.agrees(), "{}\n{comparison}", name());
        assert_eq!(counts(&found), counts(&alone), "{}", name());
        if !is_split || cut.len() == 1 {
            let rows = |of: &Evaluation| of.per_anchor.clone();
            assert_eq!(rows(&found), rows(&alone), "{}", name());
        }
        if is_whole(loss, batch) || cut.len() == 1 {
            assert_eq!(found, alone, "{}", name());
        }
    }
}

#[test]
fn every_loss_is_that_of_one_machine_for_every_cut() {
    let mut modes = [0, 0];
    for (distance, normalize, layout) in [
        (Distance::Euclidean, true, Layout::Balanced(5)),
        (Distance::SquaredEuclidean, false, Layout::Giant),
    ] {
        let sample = Sample::new(small(layout, Values::Ordinary));
        for loss in losses(distance, normalize, reach(distance, normalize, 19, 1.0)) {
            for batch in sample.batches(&loss) {
                match batch.shape().mode() {
                    Mode::Batch => modes[0] += 1,
                    Mode::Reference => modes[1] += 1,
                    _ => continue,
                }
                hold(&loss, &batch);
            }
        }
    }
    assert!(modes.into_iter().all(|count| count > 40), "{modes:?} batches and sets of references");
}

#[test]
fn weights_are_those_of_the_rows_that_have_them() {
    let sample = Sample::new(small(Layout::Balanced(5), Values::Duplicates));
    let mut held = [0, 0];
    for loss in losses(Distance::Euclidean, true, 1.0) {
        for batch in sample.weighted_batches(&loss) {
            if matches!(batch.shape().mode(), Mode::Batch | Mode::Reference) {
                hold(&loss, &batch);
                held[usize::from(batch.shape().class_weights() > 0)] += 1;
            }
        }
    }
    assert!(held[0] > 40 && held[1] > 0, "{held:?} batches with weights of rows and of classes");
}

#[test]
fn weights_of_classes_are_those_of_their_rows() {
    let embeddings: Vec<_> = (0..30 * 3).map(|at| (at * at % 17) as f32 / 8.0).collect();
    let labels: Vec<_> = (0..30).map(|row| row % 4).collect();
    let weights = [0.5, 0.0, 2.0, 1.25];
    let of_rows: Vec<_> = labels.iter().map(|&label| weights[label as usize]).collect();
    let batch = Batch::new(&embeddings, [30, 3], &labels).unwrap();
    let batches = [batch, batch.with_references(&embeddings, 30, &labels).unwrap()];
    let losses: [Loss; 4] = [
        Contrastive::default().into(),
        NtXent::default().into(),
        Triplet::default().into(),
        LiftedStructured::default().into(),
    ];
    for loss in losses {
        for batch in batches.iter().filter(|batch| loss.check(batch.shape()).is_ok()) {
            let [of_rows, of_classes] =
                [batch.with_weights(&of_rows), batch.with_class_weights(&weights)]
                    .map(|batch| batch.unwrap());
            hold(&loss, &of_classes);
            let [rows, classes] =
                [of_rows, of_classes].map(|batch| together(&loss, &shards(&batch, &[1, 4, 2])));
            assert_eq!(rows, classes, "{loss:?}");
        }
    }
}

/// Queries that stand among the references, some of which another rank holds.
#[test]
fn rows_among_the_references_are_left_out_by_their_place() {
    const OFFSET: usize = 5;
    let references: Vec<_> = (0..32 * 4).map(|at| (at * at % 23) as f32 / 8.0).collect();
    let labels: Vec<_> = (0..32).map(|row| row * row % 3).collect();
    let rows = OFFSET..OFFSET + 20;
    let queries = &references[4 * rows.start..4 * rows.end];
    let batch = Batch::new(queries, [20, 4], &labels[rows]).unwrap();
    let batch = batch.with_references(&references, 32, &labels).unwrap();
    let batch = batch.with_reference_offset(OFFSET).unwrap();
    let losses = losses(Distance::Euclidean, false, 2.0).into_iter();
    let taken: Vec<_> = losses.filter(|loss| batch.check(loss).is_ok()).collect();
    assert!(taken.iter().any(Loss::needs_all_rows), "one that every rank evaluates whole");
    assert!(taken.len() > 20, "{} losses", taken.len());
    taken.iter().for_each(|loss| hold(loss, &batch));
    hold_measures(&batch);
}

/// Two classes of rows 0, of which every rank holds some: all are at a distance of 0, and only its
/// place says which a row is.
#[test]
fn duplicates_in_other_ranks_are_references_and_a_row_itself_is_none() {
    let (embeddings, labels) = (vec![0.0; 12 * 3], [0, 1].repeat(6));
    let batch = Batch::new(&embeddings, [12, 3], &labels).unwrap();
    let loss = Contrastive { reduction: Reduction::Sum, ..Default::default() }.into();
    let found = together(&loss, &shards(&batch, &[1, 2, 1]));
    assert_eq!([found.positive_pairs, found.negative_pairs], [12 * 5, 12 * 6]);
    assert_eq!(found.loss, 72.0);
}

/// What is lost where embeddings that were gathered have no gradient: a row pulls at rows of other
/// ranks, and these at it.
#[test]
fn gradients_of_gathered_rows_come_back_and_are_divided_by_no_number_of_ranks() {
    let (embeddings, labels) = ([0.0, 0.0, 1.0, 0.0, 0.0, 2.0, 3.0, 1.0], [0, 1, 0, 1]);
    let batch = Batch::new(&embeddings, [4, 2], &labels).unwrap();
    let loss = Loss::from(NtXent { distance: Distance::SquaredEuclidean, ..Default::default() });
    let expected = reference::evaluate_with_bounds(&loss, &batch).unwrap();
    for ranks in 1..=4 {
        let found = together(&loss, &shards(&batch, &vec![1; ranks]));
        let comparison = expected.compare(&found);
        assert!(comparison.agrees(), "{ranks} ranks\n{comparison}");
        assert_eq!(expected.notices(&found, 0.01), Some(true), "{ranks} ranks");
    }
}

/// A rank computes in 64 KiB where the matrix of its pairs would be 2 MiB.
#[test]
fn ranks_take_a_small_workspace() {
    let rows = 1024;
    let recipe = Recipe { n: rows, m: 1, ..small(Layout::Balanced(17), Values::Ordinary) };
    let sample = Sample::new(recipe);
    let loss = Loss::from(Triplet::default());
    let batch = &sample.batches(&loss)[0];
    let cpu = Cpu::default().with_workspace_bytes(64 << 10);
    let found =
        evaluate(&loss, &shards(batch, &[1, 1]), |_, loss, batch| cpu.evaluate(loss, batch).wait());
    let found = assembled(found.into_iter().collect::<Result<_>>().unwrap());
    let expected = on_cpu(0, &loss, batch).unwrap();
    assert_eq!(counts(&found), counts(&expected));
}

/// One machine has the pulls of both ends of a pair at once where the matrix fits into the
/// workspace, and else one after the other; ranks have those of one.
#[test]
fn gradients_of_pairs_that_pull_alike_have_the_bits_of_one_machine() {
    let rows = 300;
    let sample =
        Sample::new(Recipe { n: rows, m: 1, ..small(Layout::Balanced(17), Values::Ordinary) });
    let reduction = Reduction::Sum;
    let losses: [Loss; 2] = [
        Contrastive { reduction, normalize: true, ..Default::default() }.into(),
        SigLip { reduction, ..Default::default() }.into(),
    ];
    // All rows, and 64 of them.
    for workspace_bytes in [4 << 20, 80 << 10] {
        let cpu = Cpu::default().with_workspace_bytes(workspace_bytes);
        for loss in &losses {
            let batch = &sample.batches(loss)[0];
            let alone = cpu.evaluate(loss.clone(), batch).wait().unwrap();
            for cut in [&[64, 236][..], &[1, 2, 1]] {
                let found = evaluate(loss, &shards(batch, cut), |_, loss, batch| {
                    cpu.evaluate(loss, batch).wait()
                });
                let found = assembled(found.into_iter().collect::<Result<_>>().unwrap());
                assert_eq!(found.gradient, alone.gradient, "{loss:?} cut as {cut:?}");
            }
        }
    }
}

#[test]
fn a_bank_in_parts_gets_no_gradient() {
    let sample = Sample::new(small(Layout::Balanced(5), Values::Ordinary));
    let loss = Loss::from(SupCon::default());
    let batch = sample.batches(&loss)[1].with_fixed_references();
    let found = together(&loss, &shards(&batch, &[1, 2, 4]));
    assert_eq!(found.gradient_references, None);
    let expected = reference::evaluate_with_bounds(&loss, &batch).unwrap();
    assert!(expected.compare(&found).agrees(), "{}", expected.compare(&found));
}

#[test]
fn the_measures_are_those_of_one_machine() {
    let sample = Sample::new(small(Layout::Giant, Values::Duplicates));
    sample.batches(&Triplet::default().into()).iter().for_each(hold_measures);
}

/// Holds the measures of the ranks of every cut against those of one machine.
fn hold_measures(batch: &Batch) {
    let retrieval = Retrieval { precision_at: vec![3], ndcg_at: vec![5], ..Default::default() };
    let cpu = Cpu::default();
    let alone = cpu.measure_queries(&retrieval, batch).wait().unwrap();
    for cut in CUTS {
        let shards = shards(batch, cut);
        let found = in_ranks(Threads::group(cut.len()), |rank| {
            let engine =
                |retrieval: &Retrieval, batch: &Batch| cpu.measure_queries(retrieval, batch).wait();
            Sharded::new(&rank).measure(&retrieval, &shards[rank.rank()], engine).unwrap()
        });
        assert!(found.into_iter().all(|found| found == alone), "{cut:?}");
    }
}
