//! What only the GPU sees of the inputs: values, labels, and results beyond f32.

use support::sample::Values;
use wgpu_metric_learning::{
    Contrastive, Distance, Error, Input, Loss, Margin, MultiMargin, Triplet,
};

use super::caller::{POISON, callers};
use super::guest::{Guest, everything, fullest, sample};

#[test]
fn values_that_are_not_finite_are_found_where_they_are() {
    const D: usize = 5;
    let sample = sample(23, D, Values::Ordinary);
    let cases: [(Loss, usize); 4] = [
        (Contrastive::default().into(), 0),
        (everything(), 1),
        (MultiMargin::default().into(), 0),
        (MultiMargin::default().into(), 1),
    ];
    for caller in callers() {
        for (loss, mode) in &cases {
            let batch = sample.batches(loss)[*mode];
            let columns = batch.shape().dimensions();
            let expected = Ok(caller.context.evaluate(loss, &batch).wait().unwrap());
            let mut guest = Guest::new(&caller, loss, &batch);
            for (input, columns) in
                [(Input::Embeddings, columns), (Input::References, columns), (Input::Beta, 1)]
            {
                let what = input.name();
                let range = guest.arena.ranges.get(input).cloned().unwrap_or_default();
                let count = range.len() / 4;
                let places = if count == 0 { vec![] } else { vec![0, count / 2, count - 1] };
                for (place, word) in
                    places.into_iter().flat_map(|place| poisons().map(|word| (place, word)))
                {
                    let before = guest.arena.words[range.start / 4 + place];
                    guest.arena.write_word(&caller.queue, input, place, word);
                    let error =
                        Error::NotFinite { what, row: place / columns, column: place % columns };
                    assert_eq!(
                        guest.run(&caller),
                        Err(error),
                        "{}: {word:#x} in {loss:?}",
                        caller.name
                    );
                    guest.arena.write_word(&caller.queue, input, place, before);
                }
            }
            assert_eq!(guest.run(&caller), expected, "{}: {loss:?}", caller.name);
            guest.arena.is_untouched(&caller);
        }
    }
}

/// NaN, quiet and signalling, and the infinities.
fn poisons() -> [u32; 4] {
    [POISON, 0x7f80_0001, f32::INFINITY.to_bits(), f32::NEG_INFINITY.to_bits()]
}

#[test]
fn the_first_of_several_faults_is_named() {
    let sample = sample(23, 5, Values::Ordinary);
    let loss = Contrastive::default().into();
    for caller in callers() {
        let mut guest = Guest::new(&caller, &loss, &sample.batches(&loss)[0]);
        for place in [112, 41, 60] {
            guest.arena.write_word(&caller.queue, Input::Embeddings, place, POISON);
        }
        assert_eq!(
            guest.run(&caller),
            Err(Error::NotFinite { what: "embeddings", row: 8, column: 1 }),
            "{}",
            caller.name
        );
    }
}

#[test]
fn labels_without_an_entry_are_found_where_they_are() {
    let sample = sample(23, 5, Values::Ordinary);
    let cases: [(Loss, usize, &str); 3] = [
        (MultiMargin::default().into(), 0, "class"),
        (MultiMargin::default().into(), 1, "prototype"),
        (everything(), 0, "beta"),
    ];
    for caller in callers() {
        for (loss, mode, what) in &cases {
            let batch = sample.batches(loss)[*mode];
            let expected = Ok(caller.context.evaluate(loss, &batch).wait().unwrap());
            let mut guest = Guest::new(&caller, loss, &batch);
            for (row, label) in [(0, 3), (11, u32::MAX), (22, 4)] {
                guest.arena.write_word(&caller.queue, Input::Labels, row, label);
                let error = Error::LabelOutOfRange { what, row, label: None, limit: 3 };
                assert_eq!(guest.run(&caller), Err(error), "{}: {loss:?}", caller.name);
                guest.arena.write_word(&caller.queue, Input::Labels, row, batch.labels()[row]);
            }
            assert_eq!(guest.run(&caller), expected, "{}: {loss:?}", caller.name);
        }
    }
}

#[test]
fn results_beyond_f32_are_errors() {
    let distance = Distance::SquaredEuclidean;
    let losses: [Loss; 4] = [
        Contrastive { distance, ..Default::default() }.into(),
        Triplet { distance, ..Default::default() }.into(),
        Margin { distance, ..Default::default() }.into(),
        MultiMargin { distance, ..Default::default() }.into(),
    ];
    let [good, huge] = [Values::Ordinary, Values::Scaled(1e30)].map(|values| sample(23, 5, values));
    for caller in callers() {
        for loss in &losses {
            let [good, huge] = [&good, &huge].map(|sample| fullest(sample, loss));
            let expected = Ok(caller.context.evaluate(loss, &good).wait().unwrap());
            let mut guest = Guest::new(&caller, loss, &good);
            guest.arena.write(&caller.queue, &huge);
            assert!(
                matches!(guest.run(&caller), Err(Error::Overflow { .. })),
                "{}: {loss:?}",
                caller.name
            );
            guest.arena.write(&caller.queue, &good);
            assert_eq!(guest.run(&caller), expected, "{}: {loss:?}", caller.name);
        }
    }
}
