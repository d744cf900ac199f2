//! A recording in sections, their times on the GPU, and spans of what the host does.

use std::time::{Duration, Instant};

use support::adapters::contexts;
use support::sample::Values;
use wgpu_metric_learning::profile::Stage;
use wgpu_metric_learning::{Context, Error, Loss, Margin, Record, Triplet};

use super::caller::{Caller, PATIENCE, adapters, callers, device_with, encoder};
use super::guest::{Guest, everything, fullest, sample};
use super::spans::spans_of;

/// The stages of a loss on raw rows: the totals before the gradient, the status after it.
const ONCE: [Stage; 6] =
    [Stage::Prepare, Stage::Distance, Stage::Terms, Stage::Finish, Stage::Gradient, Stage::Finish];

#[test]
fn sections_one_after_the_other_are_the_recording() {
    let _alone = contexts();
    let sample = sample(23, 6, Values::Ordinary);
    for caller in callers() {
        for loss in [everything(), Triplet::default().into()] {
            let batch = fullest(&sample, &loss);
            let expected = caller.context.evaluate(&loss, &batch).wait();
            let guest = Guest::new(&caller, &loss, &batch);
            guest.poison_outputs(&caller);
            let sections = guest.plan.sections(&guest.binding).unwrap();
            let stages: Vec<_> = sections.iter().map(|section| section.stage()).collect();
            assert_eq!(stages, ONCE, "one stripe has each stage once, but for the finish");
            let dispatches: usize = sections.iter().map(|section| section.dispatches()).sum();
            assert_eq!(dispatches, guest.plan.dispatches(&guest.binding));
            let mut encoder = encoder(&caller);
            for section in &sections {
                section.record_into(
                    &mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()),
                );
            }
            let mut pending = guest.plan.read_back(&mut encoder).unwrap();
            caller.queue.submit([encoder.finish()]);
            assert_eq!(pending.wait(PATIENCE), expected, "{}: {loss:?}", caller.name);
        }
    }
}

#[test]
fn stages_have_times_where_the_device_has_timestamps() {
    let _alone = contexts();
    let sample = sample(200, 64, Values::Ordinary);
    let loss: Loss = Triplet::default().into();
    let batch = sample.batches(&loss)[0];
    let feature = wgpu::Features::TIMESTAMP_QUERY;
    let (without, with): (Vec<_>, Vec<_>) =
        adapters().into_iter().partition(|adapter| !adapter.features().contains(feature));
    println!(
        "without timestamps: {:?}",
        without.iter().map(|adapter| adapter.get_info().backend).collect::<Vec<_>>()
    );
    assert!(!with.is_empty(), "no adapter has timestamps");
    for adapter in with {
        let (device, queue) = device_with(&adapter, feature);
        let context = Context::new(&device, &queue).unwrap();
        let name = format!("{:?}", adapter.get_info().backend);
        let caller = Caller { name, adapter, device, queue, context };
        let expected = caller.context.evaluate(&loss, &batch).wait();
        let guest = Guest::new(&caller, &loss, &batch);
        let timings = guest.plan.timings(&guest.binding).unwrap();
        for _ in 0..2 {
            let start = Instant::now();
            let mut encoder = encoder(&caller);
            guest.plan.record_timed(&mut encoder, &guest.binding, &timings).unwrap();
            let mut times = timings.read_back(&mut encoder).unwrap();
            let mut pending = guest.plan.read_back(&mut encoder).unwrap();
            caller.queue.submit([encoder.finish()]);
            let times = times.wait(PATIENCE).unwrap();
            let elapsed = start.elapsed();
            println!("{}: {times:?} of {elapsed:?}", caller.name);
            assert_eq!(
                times.iter().map(|&(stage, _)| stage).collect::<Vec<_>>(),
                ONCE,
                "{}",
                caller.name
            );
            let sum: Duration = times.iter().map(|&(_, time)| time).sum();
            assert!(
                sum > Duration::ZERO && sum <= elapsed,
                "{}: {sum:?} of {elapsed:?}",
                caller.name
            );
            assert_eq!(pending.wait(PATIENCE), expected, "{}", caller.name);
        }
        // Those that no recording has written, and those of another binding.
        let unwritten = guest.plan.timings(&guest.binding).unwrap();
        let mut encoder = encoder(&caller);
        let mut pending = unwritten.read_back(&mut encoder).unwrap();
        caller.queue.submit([encoder.finish()]);
        assert_eq!(pending.wait(PATIENCE), Err(Error::NotComputed), "{}", caller.name);
        let drawn: Loss = wgpu_metric_learning::L2::default().into();
        let other = Guest::new(&caller, &drawn, &sample.batches(&drawn)[0]);
        let error = other
            .plan
            .record_timed(&mut super::caller::encoder(&caller), &other.binding, &timings)
            .unwrap_err();
        assert_eq!(error.to_string(), "buffer timings: they were made for another plan or binding");
    }
    for caller in callers() {
        let guest = Guest::new(&caller, &loss, &batch);
        let error = guest.plan.timings(&guest.binding).unwrap_err();
        let expected = "a set of timestamps needs the device feature TIMESTAMP_QUERY";
        assert_eq!(error.to_string(), expected, "{}", caller.name);
    }
}

#[test]
fn spans_say_what_the_host_does() {
    let _alone = contexts();
    let sample = sample(9, 3, Values::Ordinary);
    let loss: Loss = Margin::default().into();
    let caller = &callers()[0];
    let batch = sample.batches(&loss)[0];
    let entered = spans_of(|| {
        Guest::new(caller, &loss, &batch).run(caller).unwrap();
        caller.context.evaluate(&loss, &batch).wait().unwrap();
    });
    let fields = r#"loss=Margin mode="batch" n=9 m=9 d=3"#;
    let (waits, others): (Vec<_>, Vec<_>) =
        entered.into_iter().partition(|text| text.starts_with("wait bytes="));
    let expected =
        ["plan", "bind", "record", "plan", "bind", "submit"].map(|name| format!("{name} {fields}"));
    assert_eq!((others, waits.len()), (expected.to_vec(), 2));
}
