//! Threads, awaiting, and answers that do not come in time.

use std::time::Duration;

use support::adapters::contexts;
use support::sample::Values;
use wgpu_metric_learning::{Context, Error, Loss, Options, Triplet};

use super::caller::{Caller, callers};
use super::guest::{Guest, sample};

#[test]
fn plans_work_on_other_threads_and_results_can_be_awaited() {
    fn is_send<T: Send + Sync>(value: T) -> T {
        value
    }
    let _alone = contexts();
    let sample = sample(23, 5, Values::Ordinary);
    let loss: Loss = Triplet::default().into();
    let batch = sample.batches(&loss)[0];
    for caller in callers() {
        let expected = caller.context.evaluate(&loss, &batch).wait().unwrap();
        assert_eq!(
            pollster::block_on(caller.context.evaluate(&loss, &batch)).as_ref(),
            Ok(&expected)
        );
        let guest = is_send(Guest::new(&caller, &loss, &batch));
        let caller = &caller;
        let result = std::thread::scope(|scope| {
            scope.spawn(move || guest.run(caller)).join().expect("no panic")
        });
        assert_eq!(result, Ok(expected));
    }
}

#[test]
fn a_timeout_is_an_error_and_no_end() {
    let _alone = contexts();
    let sample = sample(1000, 64, Values::Ordinary);
    let loss: Loss = Triplet::default().into();
    let batch = sample.batches(&loss)[0];
    for caller in callers() {
        let expected = Ok(caller.context.evaluate(&loss, &batch).wait().unwrap());
        let options = Options::default().with_timeout(Duration::ZERO);
        let hasty = Context::configured(&caller.device, &caller.queue, options).unwrap();
        assert_eq!(
            hasty.evaluate(&loss, &batch).wait(),
            Err(Error::Timeout { after: Duration::ZERO }),
            "{}",
            caller.name
        );
        let patient = Caller { context: hasty, ..caller };
        assert_eq!(Guest::new(&patient, &loss, &batch).run(&patient), expected, "{}", patient.name);
    }
}
