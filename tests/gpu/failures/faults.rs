//! Everything that can fail at run time, made to fail: a typed error, no panic, nothing left
//! behind, and the next evaluation right.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use support::adapters::{contexts, one_by_one};
use support::sample::{Layout, Recipe, Sample, Values};
use wgpu::BufferUsages;
use wgpu_metric_learning::measures::{Measures, Retrieval};
use wgpu_metric_learning::testing::Operation;
use wgpu_metric_learning::{
    Batch, Context, Contrastive, Error, Evaluation, Inputs, L2, LiftedStructured, Loss, Margin,
    MemoryBank, ObjectiveEvaluation, Options, Record, Result, Triplet, Weighted,
};

const N: usize = 23;
const D: usize = 6;
const PATIENCE: Duration = Duration::from_secs(60);

/// A device of the test's own, whose instance counts what is alive.
struct Own {
    name: String,
    instance: wgpu::Instance,
    device: wgpu::Device,
    queue: wgpu::Queue,
}

/// One on every adapter.
fn own_devices() -> Vec<Own> {
    let instance =
        wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    assert!(
        !adapters.is_empty(),
        "no GPU adapter found: install a Vulkan driver, a software one will do"
    );
    let open = |adapter: &wgpu::Adapter| {
        let (device, queue) =
            pollster::block_on(adapter.request_device(&Default::default())).expect("a device");
        Own {
            name: format!("{:?}", adapter.get_info().backend),
            instance: instance.clone(),
            device,
            queue,
        }
    };
    adapters.iter().map(open).collect()
}

impl Own {
    fn context(&self) -> Context {
        Context::new(&self.device, &self.queue).expect("the default limits are enough")
    }

    fn context_with(&self, options: Options) -> Context {
        Context::configured(&self.device, &self.queue, options)
            .expect("the default limits are enough")
    }

    /// How many objects of each kind there are in the instance, after everything that has been
    /// dropped is gone.
    fn alive(&self) -> [usize; 7] {
        self.device.poll(wgpu::PollType::wait_indefinitely()).expect("polling");
        let report = self.instance.generate_report().expect("wgpu-core counts");
        let hub = report.hub_report();
        [
            &hub.buffers,
            &hub.bind_groups,
            &hub.bind_group_layouts,
            &hub.pipeline_layouts,
            &hub.shader_modules,
            &hub.compute_pipelines,
            &hub.command_encoders,
        ]
        .map(|kind| kind.num_allocated)
    }

    fn buffer(&self, contents: &[u8]) -> wgpu::Buffer {
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC;
        let size = contents.len() as u64;
        let descriptor =
            wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: true };
        let buffer = self.device.create_buffer(&descriptor);
        buffer.slice(..).get_mapped_range_mut().expect("mapped").copy_from_slice(contents);
        buffer.unmap();
        buffer
    }
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Loss(Evaluation),
    Objective(ObjectiveEvaluation),
    Measures(Measures),
}

type Task<'a> = (&'static str, Box<dyn Fn(&Context) -> Result<Outcome> + 'a>);

/// Every way to an answer. The last one, a memory bank, is a caller's who records and submits on
/// its own.
fn tasks(sample: &Sample) -> Vec<Task<'_>> {
    let losses: [(&str, Loss, usize); 4] = [
        ("contrastive", Contrastive::default().into(), 0),
        ("a pass more", LiftedStructured::default().into(), 0),
        ("references and beta", Margin { beta_per_class: true, ..Default::default() }.into(), 1),
        ("a list", Contrastive::default().into(), 2),
    ];
    let mut tasks: Vec<Task> = Vec::new();
    for (name, loss, mode) in losses {
        let batch = sample.batches(&loss)[mode];
        tasks.push((
            name,
            Box::new(move |context| context.evaluate(&loss, &batch).wait().map(Outcome::Loss)),
        ));
    }
    let batch = sample.batches(&Contrastive::default().into())[0];
    let weights = sample.batches(&L2::default().into())[0];
    let objective = [
        Weighted::new(1.0, Contrastive::default(), batch),
        Weighted::new(0.5, Triplet::default(), batch),
        Weighted::new(0.1, L2::default(), weights).over(1),
    ];
    tasks.push((
        "an objective",
        Box::new(move |context| {
            context.evaluate_objective(&objective).wait().map(Outcome::Objective)
        }),
    ));
    tasks.push((
        "measures",
        Box::new(move |context| {
            context.measure(&Retrieval::default(), &batch).wait().map(Outcome::Measures)
        }),
    ));
    tasks.push((
        "awaited",
        Box::new(move |context| {
            pollster::block_on(context.evaluate(Contrastive::default(), &batch)).map(Outcome::Loss)
        }),
    ));
    tasks.push((
        "a memory bank",
        Box::new(move |context| with_memory_bank(context, &batch).map(Outcome::Loss)),
    ));
    tasks
}

/// A batch against itself, as the bank holds it.
fn with_memory_bank(context: &Context, batch: &Batch) -> Result<Evaluation> {
    let (device, queue) = (context.device().clone(), context.queue().clone());
    let own = Own { name: String::new(), instance: wgpu::Instance::default(), device, queue };
    let embeddings = own.buffer(bytemuck::cast_slice(batch.embeddings()));
    let labels = own.buffer(bytemuck::cast_slice(batch.labels()));
    let mut bank = MemoryBank::new(context, N, D)?;
    let mut encoder = own.device.create_command_encoder(&Default::default());
    bank.enqueue(&mut encoder, N, embeddings.slice(..), labels.slice(..))?;
    let plan = context.plan(Triplet::default(), bank.shape(N))?;
    let binding = plan.bind(&bank.inputs(&embeddings, &labels))?;
    plan.record(&mut encoder, &binding)?;
    let mut pending = plan.read_back(&mut encoder)?;
    own.queue.submit([encoder.finish()]);
    pending.wait(PATIENCE)
}

fn sample() -> Sample {
    Sample::new(Recipe {
        n: N,
        m: 19,
        d: D,
        layout: Layout::Balanced(3),
        values: Values::Ordinary,
        extreme_labels: false,
    })
}

/// What an operation that failed has to be told as.
fn is_told(operation: Operation, error: &Error) -> bool {
    match operation {
        Operation::Allocation => matches!(error, Error::OutOfMemory { .. }),
        Operation::Pipeline => {
            matches!(error, Error::Gpu { during: "planning" | "binding inputs", .. })
        }
        Operation::Submission => matches!(error, Error::Gpu { during: "submitting", .. }),
        Operation::Map => matches!(error, Error::DeviceLost { during: "reading back" }),
        Operation::Poll => matches!(error, Error::DeviceLost { during: "waiting" }),
    }
}

/// Lets the first operation of its kind fail, then the second, until there are no more; how many
/// there were.
fn fail_each(
    own: &Own,
    (name, run): &Task,
    operation: Operation,
    warm: &Context,
    expected: &Outcome,
) -> u64 {
    let case = format!("{}: {name}, {operation:?}", own.name);
    let mut last_call = None;
    for nth in 0.. {
        let alive = own.alive();
        // Pipelines are made once for a context.
        let context = if operation == Operation::Pipeline { own.context() } else { warm.clone() };
        let fault = context.inject(operation, nth);
        let result = run(&context);
        let has_struck = fault.has_struck();
        drop(fault);
        if !has_struck {
            assert_eq!(result.as_ref(), Ok(expected), "{case} {nth}: nothing failed");
            return nth;
        }
        let error = result.expect_err(&case);
        assert!(is_told(operation, &error), "{case} {nth}: {error}");
        // A context without pipelines goes on by making all of them, which takes a driver longest:
        // once after each call of ours that has failed.
        let call = match error {
            Error::Gpu { during, .. } if operation == Operation::Pipeline => Some(during),
            _ => None,
        };
        if call.is_none() || call != last_call {
            assert_eq!(run(&context).as_ref(), Ok(expected), "{case} {nth}: the context goes on");
        }
        last_call = call;
        drop(context);
        assert_eq!(own.alive(), alive, "{case} {nth}: something is left behind");
    }
    unreachable!("the loop ends when nothing fails")
}

#[test]
fn whatever_fails_is_an_error_and_leaves_nothing_behind() {
    let _alone = contexts();
    let sample = sample();
    for own in own_devices() {
        for task in tasks(&sample) {
            let start = Instant::now();
            let warm = own.context();
            let expected = (task.1)(&warm).expect("nothing fails");
            let places =
                Operation::ALL.map(|operation| fail_each(&own, &task, operation, &warm, &expected));
            println!(
                "{}: {}: {places:?} of {:?}, {:.1?}",
                own.name,
                task.0,
                Operation::ALL,
                start.elapsed()
            );
            let [allocations, pipelines, submissions, maps, polls] = places;
            assert!(allocations > 5 && pipelines > 3 && polls > 0, "{}: {places:?}", task.0);
            // The caller of the memory bank submits on its own.
            let submits = u64::from(task.0 != "a memory bank");
            assert_eq!([submissions, maps], [2 * submits, 1], "{}", task.0);
        }
    }
}

#[test]
fn a_fault_that_is_taken_back_does_not_strike() {
    let sample = sample();
    let batch = sample.batches(&Contrastive::default().into())[0];
    let devices = contexts();
    let context = &devices[0].context;
    for operation in Operation::ALL {
        drop(context.inject(operation, 0));
        let fault = context.inject(operation, 1_000_000);
        assert!(context.evaluate(Contrastive::default(), &batch).wait().is_ok());
        assert!(!fault.has_struck());
    }
}

/// Inputs on a device of its own, ready to be recorded.
fn destroy_at(own: &Own, place: &str, batch: &Batch) -> Result<Evaluation> {
    let destroy_if = |here: &str| {
        if here == place {
            own.device.destroy();
        }
    };
    let embeddings = own.buffer(bytemuck::cast_slice(batch.embeddings()));
    let labels = own.buffer(bytemuck::cast_slice(batch.labels()));
    let context = own.context();
    destroy_if("before planning");
    let plan = context.plan(Triplet::default(), *batch.shape())?;
    destroy_if("between plan and bind");
    let binding = plan.bind(&Inputs::new(&embeddings, &labels))?;
    destroy_if("between bind and record");
    let mut encoder = own.device.create_command_encoder(&Default::default());
    plan.record(&mut encoder, &binding)?;
    destroy_if("between record and read-back");
    let mut pending = plan.read_back(&mut encoder)?;
    destroy_if("before the submission");
    own.queue.submit([encoder.finish()]);
    destroy_if("before the wait");
    pending.wait(PATIENCE)
}

#[test]
fn a_destroyed_device_is_a_lost_one_wherever_it_happens() {
    let _alone = contexts();
    let sample = sample();
    let batch = sample.batches(&Triplet::default().into())[0];
    for place in [
        "before planning",
        "between plan and bind",
        "between bind and record",
        "between record and read-back",
        "before the submission",
        "before the wait",
    ] {
        for own in own_devices() {
            let start = Instant::now();
            let result = destroy_at(&own, place, &batch);
            assert!(
                matches!(result, Err(Error::DeviceLost { .. })),
                "{} {place}: {result:?}",
                own.name
            );
            let bank = MemoryBank::new(&own.context(), N, D).map(|_| ());
            assert_eq!(
                bank,
                Err(Error::DeviceLost { during: "making a memory bank" }),
                "{}",
                own.name
            );
            assert!(
                start.elapsed() < PATIENCE,
                "{} {place}: nobody waits for what cannot come",
                own.name
            );
            // Another device is as good as ever.
            assert_eq!(destroy_at(&own_devices().remove(0), "nowhere", &batch).map(|_| ()), Ok(()));
        }
    }
}

/// A batch of several submissions.
fn long_sample() -> Sample {
    let (n, d) = (2048, 128);
    Sample::new(Recipe {
        n,
        m: 1,
        d,
        layout: Layout::Balanced(16),
        values: Values::Ordinary,
        extreme_labels: false,
    })
}

#[test]
fn a_device_that_is_destroyed_between_submissions_is_a_lost_one() {
    let _alone = contexts();
    let sample = long_sample();
    let batch = sample.batches(&Contrastive::default().into())[0];
    for own in own_devices() {
        let result = own.context().evaluate(Contrastive::default(), &batch).watch(|progress| {
            if progress.done > 0 {
                own.device.destroy();
            }
            ControlFlow::Continue(())
        });
        assert!(matches!(result, Err(Error::DeviceLost { .. })), "{}: {result:?}", own.name);
    }
}

#[test]
fn a_timeout_between_submissions_is_an_error_and_no_end() {
    let _alone = contexts();
    let sample = long_sample();
    let batch = sample.batches(&Contrastive::default().into())[0];
    for own in own_devices() {
        let timeout = Duration::from_micros(1);
        let hasty = own.context_with(Options::default().with_timeout(timeout));
        let mut calls = 0;
        let result = hasty.evaluate(Contrastive::default(), &batch).watch(|_| {
            calls += 1;
            ControlFlow::Continue(())
        });
        assert_eq!((result, calls), (Err(Error::Timeout { after: timeout }), 1), "{}", own.name);
        assert!(
            own.context().evaluate(Contrastive::default(), &batch).wait().is_ok(),
            "{}",
            own.name
        );
    }
}

#[test]
fn a_buffer_that_is_destroyed_is_an_error_and_never_zeros() {
    let _alone = contexts();
    let sample = sample();
    let batch = sample.batches(&Triplet::default().into())[0];
    for own in own_devices() {
        let context = own.context();
        let expected = context.evaluate(Triplet::default(), &batch).wait();
        let plan = context.plan(Triplet::default(), *batch.shape()).expect("a plan");
        let labels = own.buffer(bytemuck::cast_slice(batch.labels()));
        let embeddings = || own.buffer(bytemuck::cast_slice(batch.embeddings()));

        let destroyed = embeddings();
        destroyed.destroy();
        let error = plan.bind(&Inputs::new(&destroyed, &labels)).unwrap_err();
        assert!(matches!(error, Error::Buffer { what: "embeddings", .. }), "{}: {error}", own.name);

        let run = |embeddings: &wgpu::Buffer, is_destroyed: bool| {
            let binding = plan.bind(&Inputs::new(embeddings, &labels))?;
            let mut encoder = own.device.create_command_encoder(&Default::default());
            plan.record(&mut encoder, &binding)?;
            let mut reading = own.device.create_command_encoder(&Default::default());
            let mut pending = plan.read_back(&mut reading)?;
            if is_destroyed {
                embeddings.destroy();
            }
            let scope = own.device.push_error_scope(wgpu::ErrorFilter::Validation);
            own.queue.submit([encoder.finish()]);
            let refused = pollster::block_on(scope.pop());
            assert_eq!(refused.is_some(), is_destroyed, "{}: {refused:?}", own.name);
            own.queue.submit([reading.finish()]);
            pending.wait(PATIENCE)
        };
        assert_eq!(run(&embeddings(), true), Err(Error::NotComputed), "{}", own.name);
        assert_eq!(run(&embeddings(), false), expected, "{}", own.name);
    }
}

#[test]
fn an_objective_that_never_ran_is_an_error() {
    let sample = sample();
    let batch = sample.batches(&Triplet::default().into())[0];
    let objective = [Weighted::new(1.0, Triplet::default(), *batch.shape())];
    for device in one_by_one() {
        let plan = device.context.plan_objective(&objective).expect("a plan");
        let mut encoder = device.context.device().create_command_encoder(&Default::default());
        let mut pending = plan.read_back(&mut encoder).expect("a buffer");
        device.context.queue().submit([encoder.finish()]);
        assert_eq!(pending.wait(PATIENCE), Err(Error::NotComputed), "{}", device.name);
    }
}
