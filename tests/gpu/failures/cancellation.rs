//! Long evaluations: watched, cancelled between submissions, and in submissions of bounded time.

use std::future::{Future, IntoFuture};
use std::ops::ControlFlow;
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, Instant};

use support::adapters::{Device, one_by_one};
use support::bits::bits;
use support::sample::{Layout, Recipe, Sample, Values};
use wgpu_metric_learning::measures::Retrieval;
use wgpu_metric_learning::{Batch, Contrastive, Error, Progress, Result, Weighted};

fn sample(n: usize, d: usize) -> Sample {
    Sample::new(Recipe {
        n,
        m: 1,
        d,
        layout: Layout::Balanced(64),
        values: Values::Ordinary,
        extreme_labels: false,
    })
}

/// A sample whose evaluation takes several submissions.
fn long() -> Sample {
    sample(2048, 192)
}

fn rows(sample: &Sample) -> Batch<'_> {
    sample.batches(&Contrastive::default().into())[0]
}

type Watch<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;
type Evaluate<'a> = Box<dyn Fn(Watch) -> Result<bool> + 'a>;

/// An evaluation of each kind; whether its result is right.
fn evaluations<'a>(device: &'a Device, batch: &'a Batch) -> [Evaluate<'a>; 3] {
    let context = &device.context;
    let objective = [1.0, 2.0].map(|weight| Weighted::new(weight, Contrastive::default(), *batch));
    let loss = context.evaluate(Contrastive::default(), batch).wait().expect("nothing fails");
    let sum = context.evaluate_objective(&objective).wait().expect("nothing fails");
    let measures = context.measure(&Retrieval::default(), batch).wait().expect("nothing fails");
    [
        Box::new(move |watch| {
            Ok(bits(&context.evaluate(Contrastive::default(), batch).watch(watch)?) == bits(&loss))
        }),
        Box::new(move |watch| Ok(context.evaluate_objective(&objective).watch(watch)? == sum)),
        Box::new(move |watch| {
            Ok(context.measure(&Retrieval::default(), batch).watch(watch)? == measures)
        }),
    ]
}

#[test]
fn evaluations_are_watched_and_can_be_cancelled() {
    let sample = long();
    for device in one_by_one() {
        for evaluate in evaluations(&device, &rows(&sample)) {
            for most in [1, 2] {
                let mut calls = 0;
                let result = evaluate(&mut |_| {
                    calls += 1;
                    if calls == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                });
                assert_eq!((result, calls), (Err(Error::Cancelled), most), "{}", device.name);
            }
            let mut seen: Vec<Progress> = Vec::new();
            let result = evaluate(&mut |progress| {
                seen.push(progress);
                ControlFlow::Continue(())
            });
            assert_eq!(result, Ok(true), "{}: what was cancelled spoils nothing", device.name);
            assert!(seen.len() > 2 && seen[0].done == 0, "{}: {seen:?}", device.name);
            assert!(
                seen.windows(2).all(|pair| pair[0].done < pair[1].done),
                "{}: {seen:?}",
                device.name
            );
            assert!(
                seen.iter().all(|one| one.done < one.total && one.total == seen[0].total),
                "{seen:?}"
            );
        }
    }
}

/// However fast the device is: a small batch is one submission, which nobody waits for but to read.
#[test]
fn a_small_batch_is_one_submission() {
    let sample = sample(1024, 64);
    for device in one_by_one() {
        let mut calls = 0;
        let watch = |_| {
            calls += 1;
            ControlFlow::Continue(())
        };
        device
            .context
            .evaluate(Contrastive::default(), &rows(&sample))
            .watch(watch)
            .expect("nothing fails");
        assert_eq!(calls, 1, "{}", device.name);
    }
}

#[test]
fn a_future_that_is_dropped_submits_no_more() {
    let sample = long();
    let batch = rows(&sample);
    for device in one_by_one() {
        let context = &device.context;
        let expected =
            context.evaluate(Contrastive::default(), &batch).wait().expect("nothing fails");
        let start = Instant::now();
        {
            let mut future = pin!(context.evaluate(Contrastive::default(), &batch).into_future());
            let mut task = TaskContext::from_waker(Waker::noop());
            assert!(matches!(future.as_mut().poll(&mut task), Poll::Pending), "{}", device.name);
        }
        // What had been submitted ends.
        context.device().poll(wgpu::PollType::wait_indefinitely()).expect("polling");
        println!("{}: dropped and idle after {:?}", device.name, start.elapsed());
        let awaited = pollster::block_on(context.evaluate(Contrastive::default(), &batch));
        assert_eq!(awaited.as_ref().map(bits), Ok(bits(&expected)), "{}", device.name);
        assert!(start.elapsed() < Duration::from_secs(60));
    }
}
