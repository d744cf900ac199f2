//! Recording into encoders and passes of the caller's.

use support::sample::Values;
use wgpu_metric_learning::{Contrastive, Error, Loss, Margin, Record, Sampling, Triplet};

use super::caller::{PATIENCE, callers, encoder, read};
use super::guest::{Guest, everything, fullest, sample};

#[test]
fn two_plans_twice_in_one_submission_and_in_a_pass_of_the_callers() {
    let [small, large] = [sample(9, 3, Values::Ordinary), sample(70, 6, Values::Ordinary)];
    let [loss, other] = [Triplet::default().into(), everything()];
    let batches = [fullest(&small, &loss), fullest(&large, &other)];
    for caller in callers() {
        let expected = [(&loss, &batches[0]), (&other, &batches[1])]
            .map(|(loss, batch)| caller.context.evaluate(loss, batch).wait().unwrap());
        let guests =
            [Guest::new(&caller, &loss, &batches[0]), Guest::new(&caller, &other, &batches[1])];
        guests.iter().for_each(|guest| guest.poison_outputs(&caller));

        let mut encoder = encoder(&caller);
        for guest in guests.iter().chain(&guests) {
            guest.plan.record(&mut encoder, &guest.binding).unwrap();
        }
        let pending = [0, 1].map(|at| guests[at].plan.read_back(&mut encoder).unwrap());
        caller.queue.submit([encoder.finish()]);
        assert_eq!(
            pending.map(|mut pending| pending.wait(PATIENCE).unwrap()),
            expected,
            "{}",
            caller.name
        );

        guests.iter().for_each(|guest| guest.poison_outputs(&caller));
        let mut encoder = super::caller::encoder(&caller);
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        for guest in &guests {
            guest.plan.record_into(&mut pass, &guest.binding).unwrap();
        }
        drop(pass);
        let pending = [0, 1].map(|at| guests[at].plan.read_back(&mut encoder).unwrap());
        caller.queue.submit([encoder.finish()]);
        assert_eq!(
            pending.map(|mut pending| pending.wait(PATIENCE).unwrap()),
            expected,
            "{}",
            caller.name
        );
        assert_eq!(f32::from_bits(read(&caller, guests[0].plan.loss_value())[0]), expected[0].loss);
        let gradient: Vec<_> = expected[1].gradient.iter().map(|number| number.to_bits()).collect();
        assert_eq!(read(&caller, guests[1].plan.gradient()), gradient);
    }
}

#[test]
fn a_seed_set_between_submissions_draws_like_one_planned_with() {
    let drawing = |seed| {
        let sampling = Sampling::DistanceWeighted;
        Loss::from(Margin { normalize: true, sampling, seed, ..Margin::default() })
    };
    let sample = sample(40, 6, Values::Ordinary);
    let batch = &sample.batches(&drawing(1))[0];
    for caller in callers() {
        let [one, other] =
            [1, 2].map(|seed| caller.context.evaluate(drawing(seed), batch).wait().unwrap());
        assert_ne!(one.gradient, other.gradient, "{}", caller.name);
        let guest = Guest::new(&caller, &drawing(1), batch);
        assert_eq!(guest.run(&caller).as_ref(), Ok(&one), "{}", caller.name);
        for (seed, expected) in [(2, &other), (1, &one), (1, &one)] {
            guest.plan.set_seed(seed).unwrap();
            assert_eq!(guest.run(&caller).as_ref(), Ok(expected), "{}: seed {seed}", caller.name);
        }
        let loss: Loss = Margin::default().into();
        let error = caller.context.plan(&loss, *batch.shape()).unwrap().set_seed(1).unwrap_err();
        assert_eq!(error.to_string(), "Margin cannot take a seed: it draws nothing");
    }
}

#[test]
fn reading_before_computing_is_an_error() {
    let sample = sample(9, 3, Values::Ordinary);
    let loss = Contrastive::default().into();
    for caller in callers() {
        let guest = Guest::new(&caller, &loss, &sample.batches(&loss)[0]);
        let mut recorded = encoder(&caller);
        guest.plan.record(&mut recorded, &guest.binding).unwrap();
        let mut encoder = encoder(&caller);
        let mut pending = guest.plan.read_back(&mut encoder).unwrap();
        caller.queue.submit([encoder.finish()]);
        assert_eq!(pending.wait(PATIENCE), Err(Error::NotComputed), "{}", caller.name);
        caller.queue.submit([recorded.finish()]);
        assert!(guest.run(&caller).is_ok());
    }
}
