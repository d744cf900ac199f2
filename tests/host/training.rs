//! Batches that are drawn, and learning rates that go up and down.

use std::collections::BTreeSet;

use wgpu_metric_learning::Error;
use wgpu_metric_learning::training::{BalancedSampler, Schedule};

/// Classes of 1 to 12 rows, mixed.
fn labels() -> Vec<u32> {
    let mut labels: Vec<u32> = (1..=12).flat_map(|class| vec![class; class as usize]).collect();
    labels.sort_by_key(|class| class * 7 % 5);
    labels
}

#[test]
fn batches_have_as_many_rows_of_every_class() {
    let labels = labels();
    let sampler = BalancedSampler { classes_per_batch: 3, samples_per_class: 4 };
    let batches: Vec<_> = sampler.draw(&labels, 5).unwrap().take(400).collect();
    let mut seen = BTreeSet::new();
    for batch in &batches {
        let classes: BTreeSet<_> = batch.chunks(4).map(|rows| labels[rows[0]]).collect();
        assert_eq!((batch.len(), classes.len()), (12, 3), "{batch:?}");
        for rows in batch.chunks(4) {
            let class = labels[rows[0]];
            assert!(rows.iter().all(|&row| labels[row] == class), "{batch:?}");
            let different: BTreeSet<_> = rows.iter().collect();
            assert_eq!(different.len(), 4.min(class as usize), "each row as often as it must be");
        }
        seen.extend(batch);
    }
    // Every row but that of the class of one has had its turn.
    assert_eq!(seen.len(), labels.len() - 1);
    assert!(seen.iter().all(|&&row| labels[row] != 1));
    // The same seed, the same batches; another seed, others.
    assert_eq!(batches, sampler.draw(&labels, 5).unwrap().take(400).collect::<Vec<_>>());
    assert_ne!(batches, sampler.draw(&labels, 6).unwrap().take(400).collect::<Vec<_>>());
}

/// Every class has its turn about as often as any other: of 4,000 turns of 11 classes 364 each, with
/// a standard deviation of 18.
#[test]
fn classes_have_even_chances() {
    let labels = labels();
    let sampler = BalancedSampler { classes_per_batch: 2, samples_per_class: 2 };
    let mut turns = [0_u32; 13];
    for batch in sampler.draw(&labels, 0).unwrap().take(2000) {
        batch.chunks(2).for_each(|rows| turns[labels[rows[0]] as usize] += 1);
    }
    assert!(turns[2..].iter().all(|turns| (290..440).contains(turns)), "{turns:?}");
}

#[test]
fn batches_that_cannot_be_drawn_are_refused() {
    let draw = |classes_per_batch, samples_per_class, labels: &[u32]| {
        BalancedSampler { classes_per_batch, samples_per_class }.draw(labels, 0)
    };
    let refused = |result: Result<_, Error>| match result.map(drop) {
        Err(Error::Parameter { parameter, value, .. }) => (parameter, value),
        other => panic!("{other:?}"),
    };
    // Of 12 classes one has a single row.
    assert!(draw(11, 2, &labels()).is_ok());
    assert_eq!(refused(draw(12, 2, &labels())), ("classes_per_batch", "12".into()));
    assert_eq!(refused(draw(1, 2, &labels())), ("classes_per_batch", "1".into()));
    assert_eq!(refused(draw(2, 2, &[])), ("classes_per_batch", "2".into()));
    assert_eq!(refused(draw(2, 1, &labels())), ("samples_per_class", "1".into()));
    let huge = usize::MAX;
    assert_eq!(refused(draw(2, huge, &labels())), ("samples_per_class", huge.to_string()));
}

#[test]
fn learning_rates_rise_and_fall() {
    let constant = Schedule::default();
    assert!((0..100).all(|t| constant.factor(t) == 1.0));
    let schedule = Schedule { warm_up: 4, cosine_over: Some(12) };
    let rising: Vec<_> = (0..4).map(|t| schedule.factor(t)).collect();
    assert_eq!(rising, [0.25, 0.5, 0.75, 1.0]);
    assert_eq!([4, 8, 12, 100].map(|t| schedule.factor(t)), [1.0, 0.5, 0.0, 0.0]);
    assert!((4..12).all(|t| schedule.factor(t + 1) < schedule.factor(t)));
    // More steps of warming up than there are steps.
    let long = Schedule { warm_up: 10, cosine_over: Some(5) };
    assert_eq!([4, 10, 11].map(|t| long.factor(t)), [0.5, 1.0, 0.0]);
}
