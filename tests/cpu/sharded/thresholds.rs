//! Terms within thresholds: a rank takes the mean of its own, and what it was divided by is another
//! number in every rank.

use support::losses::{losses, thresholded};
use support::sample::{Layout, Sample, Values};
use wgpu_metric_learning::{
    Batch, Clip, Contrastive, Distance, Loss, Margin, Mining, Mode, Reduction, Thresholds, Triplet,
};

use super::results::hold;
use super::small;

fn is_of_ranks(batch: &Batch) -> bool {
    matches!(batch.shape().mode(), Mode::Batch | Mode::Reference)
}

#[test]
fn every_loss_has_the_terms_within_of_one_machine() {
    let sample = Sample::new(small(Layout::Balanced(5), Values::Ordinary));
    let mut held = [0, 0];
    for loss in losses(Distance::Euclidean, true, 1.0) {
        if !loss.takes_thresholds() {
            continue;
        }
        let batches = [sample.batches(&loss), sample.weighted_batches(&loss)].concat();
        for batch in batches.iter().filter(|batch| is_of_ranks(batch)) {
            hold(&thresholded(&loss, batch), batch);
            held[usize::from(batch.shape().has_weights())] += 1;
        }
    }
    assert!(held.into_iter().all(|count| count > 40), "{held:?} without weights and with");
}

/// Terms of 0 are counted where they are within, those that a part or a side leaves out are not.
#[test]
fn terms_of_0_are_counted_where_they_are() {
    let sample = Sample::new(small(Layout::Balanced(5), Values::Duplicates));
    for low in [None, Some(-1.0), Some(0.0)] {
        let reduction = Reduction::MeanWithin(Thresholds { low, high: Some(0.3) });
        let losses: [Loss; 4] = [
            Contrastive { normalize: true, reduction, ..Default::default() }.into(),
            Margin { normalize: true, reduction, ..Default::default() }.into(),
            Triplet { mining: Mining::Hard, normalize: true, reduction, ..Default::default() }
                .into(),
            Clip { reduction, ..Default::default() }.into(),
        ];
        for loss in losses {
            for batch in sample.batches(&loss).iter().filter(|batch| is_of_ranks(batch)) {
                hold(&loss, batch);
            }
        }
    }
}

/// Rows of one label have no negatives, and each side of the two towers has terms of 0 alone.
#[test]
fn sides_without_negatives_have_the_terms_of_one_machine() {
    let rows: Vec<_> = (0..7 * 3).map(|at| (at * at % 5) as f32 - 1.5).collect();
    let batch = Batch::new(&rows, [7, 3], &[4; 7]).unwrap();
    let batch = batch.with_references(&rows, 7, &[4; 7]).unwrap();
    for low in [None, Some(0.0)] {
        let reduction = Reduction::MeanWithin(Thresholds { low, high: Some(1.0) });
        hold(&Clip { reduction, ..Default::default() }.into(), &batch);
    }
}
