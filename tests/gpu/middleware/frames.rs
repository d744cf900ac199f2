//! Results that are read some frames late, as renderers read them.

use std::time::{Duration, Instant};

use support::adapters::contexts;
use support::sample::Values;
use wgpu_metric_learning::{
    Batch, Contrastive, Error, Evaluation, InFlight, Input, Loss, Pending, Record, Weighted,
};

use super::caller::{Caller, PATIENCE, callers, encoder};
use super::guest::{Guest, every_loss, everything, fullest, sample};
use super::spans::spans_of;

/// Records and submits, and gives the read-back of the loss.
fn frame(caller: &Caller, guest: &Guest) -> Pending {
    let mut encoder = encoder(caller);
    guest.plan.record(&mut encoder, &guest.binding).unwrap();
    let pending = guest.plan.read_back_loss(&mut encoder).unwrap();
    caller.queue.submit([encoder.finish()]);
    pending
}

/// An evaluation without what `read_back_loss` leaves out.
fn totals_of(evaluation: Evaluation) -> Evaluation {
    let mut totals = evaluation;
    totals.gradient = Vec::new();
    totals.gradient_references = None;
    totals.gradient_beta = None;
    totals.gradient_scale = None;
    totals.gradient_bias = None;
    totals.per_anchor = None;
    totals
}

#[test]
fn the_loss_alone_is_that_of_the_whole_result() {
    let _alone = contexts();
    let sample = sample(23, 6, Values::Ordinary);
    for caller in callers() {
        for loss in every_loss().into_iter().chain([everything()]) {
            let guest = Guest::new(&caller, &loss, &fullest(&sample, &loss));
            let whole = guest.run(&caller).unwrap();
            let mut alone = frame(&caller, &guest);
            let spans = spans_of(|| {
                assert_eq!(alone.wait(PATIENCE), Ok(totals_of(whole)), "{}: {loss:?}", caller.name);
            });
            // What the guide says of it: some hundred bytes, whatever the shape.
            let bytes = spans.iter().find_map(|span| span.strip_prefix("wait bytes="));
            assert_eq!(bytes, Some("144"), "{}: {loss:?}", caller.name);
        }
    }
}

#[test]
fn the_losses_of_an_objective_alone_are_those_of_the_whole_result() {
    let _alone = contexts();
    let sample = sample(23, 6, Values::Ordinary);
    let objective = every_loss().into_iter().take(4).enumerate().map(|(set, loss)| {
        let batch = fullest(&sample, &loss);
        Weighted::new(0.5 + set as f32, loss, batch).over(set)
    });
    let objective: Vec<_> = objective.collect();
    let shapes: Vec<_> = objective.iter().map(Weighted::shape).collect();
    for caller in callers() {
        let mut expected = caller.context.evaluate_objective(&objective).wait().unwrap();
        expected.losses = expected.losses.into_iter().map(totals_of).collect();
        expected.gradients.iter_mut().for_each(Vec::clear);
        let plan = caller.context.plan_objective(&shapes).unwrap();
        let arenas = objective
            .iter()
            .map(|weighted| super::guest::Arena::new(&caller.device, &weighted.inputs));
        let arenas: Vec<_> = arenas.collect();
        let inputs: Vec<_> = arenas.iter().map(|arena| arena.inputs()).collect();
        let binding = plan.bind(&inputs).unwrap();
        let mut encoder = encoder(&caller);
        plan.record(&mut encoder, &binding).unwrap();
        let mut pending = plan.read_back_loss(&mut encoder).unwrap();
        caller.queue.submit([encoder.finish()]);
        assert_eq!(pending.wait(PATIENCE), Ok(expected), "{}", caller.name);
    }
}

/// A hundred frames of other contents each: every result that comes is that of its frame, they come
/// in order, and nothing of it waits.
#[test]
fn no_frame_waits() {
    const FRAMES: usize = 100;
    let _alone = contexts();
    let loss: Loss = Contrastive::default().into();
    let sample = sample(64, 8, Values::Ordinary);
    let batch = fullest(&sample, &loss);
    for caller in callers() {
        let mut guest = Guest::new(&caller, &loss, &batch);
        let losses: Vec<_> = (0..FRAMES)
            .map(|frame| {
                show(&mut guest, &caller, frame);
                guest.run(&caller).unwrap().loss
            })
            .collect();
        let mut started = Vec::new();
        let mut taken = Vec::new();
        let mut late = 0;
        let spans = spans_of(|| {
            let mut in_flight = InFlight::new(3);
            for (frame, &loss) in losses.iter().enumerate() {
                show(&mut guest, &caller, frame);
                let mut encoder = encoder(&caller);
                guest.plan.record(&mut encoder, &guest.binding).unwrap();
                if in_flight.start(|| guest.plan.read_back_loss(&mut encoder)).unwrap() {
                    started.push(loss);
                }
                caller.queue.submit([encoder.finish()]);
                late = late.max(in_flight.len());
                while let Some(result) = in_flight.try_take() {
                    taken.push(result.unwrap().loss);
                }
            }
            assert!(in_flight.len() <= 3);
            while !in_flight.is_empty() {
                if let Some(result) = in_flight.try_take() {
                    taken.push(result.unwrap().loss);
                }
            }
        });
        assert_eq!(taken, started, "{}", caller.name);
        assert!(!started.is_empty() && (1..=3).contains(&late), "{}", caller.name);
        let waits = spans.iter().filter(|span| span.starts_with("wait")).count();
        assert_eq!(waits, 0, "{}", caller.name);
        assert!(spans.iter().any(|span| span.starts_with("record")), "spans are heard of");
    }
}

/// Writes the first value of the embeddings: another loss for every frame.
fn show(guest: &mut Guest, caller: &Caller, frame: usize) {
    let value = (frame as f32 / 100.0).to_bits();
    guest.arena.write_word(&caller.queue, Input::Embeddings, 0, value);
}

/// Frames with work for the host and for the device: the results are the same where every frame
/// waits for its loss and where losses are read late. `--nocapture` prints what either takes, the
/// sum of both works or the longer of them.
#[test]
fn reading_late_leaves_host_and_device_side_by_side() {
    const FRAMES: u32 = 20;
    const WORK_OF_THE_HOST: Duration = Duration::from_millis(10);
    let _alone = contexts();
    let loss: Loss = Contrastive::default().into();
    let sample = sample(512, 64, Values::Ordinary);
    for caller in callers() {
        let guest = Guest::new(&caller, &loss, &fullest(&sample, &loss));
        let expected = totals_of(guest.run(&caller).unwrap());
        let start = Instant::now();
        for _ in 0..FRAMES {
            assert_eq!(frame(&caller, &guest).wait(PATIENCE).as_ref(), Ok(&expected));
            std::thread::sleep(WORK_OF_THE_HOST);
        }
        let waiting = start.elapsed();

        let (start, mut taken) = (Instant::now(), 0);
        let mut in_flight = InFlight::new(3);
        for _ in 0..FRAMES {
            let mut encoder = encoder(&caller);
            guest.plan.record(&mut encoder, &guest.binding).unwrap();
            in_flight.start(|| guest.plan.read_back_loss(&mut encoder)).unwrap();
            caller.queue.submit([encoder.finish()]);
            std::thread::sleep(WORK_OF_THE_HOST);
            while let Some(result) = in_flight.try_take() {
                assert_eq!(result.as_ref(), Ok(&expected), "{}", caller.name);
                taken += 1;
            }
        }
        let late = start.elapsed();
        println!("{}: {FRAMES} frames wait {waiting:.0?}, read late {late:.0?}", caller.name);
        assert!(taken > 0, "{}: results come while frames go on", caller.name);
    }
}

/// Mesa's software driver for GL comes back from a submission when its work is done: nothing is on
/// its way then.
fn may_work_within_submissions(caller: &Caller) -> bool {
    caller.adapter.get_info().backend == wgpu::Backend::Gl
}

#[test]
fn waiting_ends_with_the_own_submission() {
    let _alone = contexts();
    let loss: Loss = Contrastive::default().into();
    let [small, large] = [sample(23, 5, Values::Ordinary), sample(3000, 64, Values::Ordinary)];
    for caller in callers() {
        let [early, late] =
            [&small, &large].map(|sample| Guest::new(&caller, &loss, &sample.batches(&loss)[0]));
        let expected = totals_of(early.run(&caller).unwrap());
        for with_index in [false, true] {
            let mut encoder = encoder(&caller);
            early.plan.record(&mut encoder, &early.binding).unwrap();
            let mut first = early.plan.read_back_loss(&mut encoder).unwrap();
            let submission = caller.queue.submit([encoder.finish()]);
            let mut last = frame(&caller, &late);
            if with_index {
                first = first.in_submission(submission);
            }
            assert_eq!(first.wait(PATIENCE).as_ref(), Ok(&expected), "{}", caller.name);
            if !may_work_within_submissions(&caller) {
                assert_eq!(
                    last.try_take(),
                    None,
                    "{}: the later one is still at work",
                    caller.name
                );
            }
            assert!(last.wait(PATIENCE).is_ok(), "{}", caller.name);
        }
    }
}

#[test]
fn a_timeout_loses_nothing_and_a_result_can_be_taken_again() {
    let _alone = contexts();
    let loss: Loss = Contrastive::default().into();
    let sample = sample(1500, 64, Values::Ordinary);
    for caller in callers() {
        let guest = Guest::new(&caller, &loss, &sample.batches(&loss)[0]);
        let expected = totals_of(guest.run(&caller).unwrap());
        let mut pending = frame(&caller, &guest);
        let early = pending.wait(Duration::ZERO);
        if !may_work_within_submissions(&caller) {
            assert_eq!(early, Err(Error::Timeout { after: Duration::ZERO }), "{}", caller.name);
        }
        assert_eq!(pending.wait(PATIENCE).as_ref(), Ok(&expected), "{}", caller.name);
        assert_eq!(pending.try_take(), Some(Ok(expected.clone())), "{}", caller.name);
        assert_eq!(pollster::block_on(pending), Ok(expected), "{}", caller.name);
    }
}

#[test]
fn what_was_not_submitted_is_not_there() {
    let _alone = contexts();
    let loss: Loss = Contrastive::default().into();
    let sample = sample(23, 5, Values::Ordinary);
    let batch: Batch = fullest(&sample, &loss);
    for caller in callers() {
        let guest = Guest::new(&caller, &loss, &batch);
        let mut encoder = encoder(&caller);
        guest.plan.record(&mut encoder, &guest.binding).unwrap();
        let mut pending = guest.plan.read_back(&mut encoder).unwrap();
        assert_eq!(pending.try_take(), None, "{}: before the submission", caller.name);
        drop(encoder);
        assert_eq!(pending.try_take(), Some(Err(Error::NotComputed)), "{}", caller.name);
        assert_eq!(pending.wait(PATIENCE), Err(Error::NotComputed), "{}", caller.name);
        assert!(guest.run(&caller).is_ok(), "{}: the plan goes on", caller.name);
    }
}
