//! What recording costs: it creates nothing on the device, submits nothing, and is quick.

use std::time::{Duration, Instant};

use support::adapters::contexts;
use support::sample::Values;
use wgpu_metric_learning::{
    Context, Contrastive, Count, Inputs, Loss, Output, Outputs, Record, Shape,
};

use super::caller::{Caller, adapters_of, caller, callers, encoder, filled};
use super::guest::{Arena, every_loss, sample};

/// What the host may spend on recording an evaluation, at best; a build without optimizations is
/// not held to it.
const RECORDING: Duration = Duration::from_micros(if cfg!(debug_assertions) { 2000 } else { 50 });

/// The number of the submission that comes next.
fn submissions(caller: &Caller) -> String {
    format!("{:?}", caller.queue.submit([]))
}

#[test]
fn recording_creates_and_submits_nothing() {
    let _alone = contexts();
    let instance =
        wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let sample = sample(70, 6, Values::Ordinary);
    for adapter in adapters_of(&instance) {
        let caller = caller(&adapter, wgpu::Limits::default());
        // How many objects of every kind there are: buffers, bind groups, pipelines, query sets and
        // all others.
        let objects = || format!("{:?}", instance.generate_report().expect("a native instance"));
        for loss in every_loss() {
            let batch = sample.batches(&loss)[0];
            let arena = Arena::new(&caller.device, &batch);
            let plan = caller.context.plan(&loss, *batch.shape()).unwrap();
            let [gradient, rows] =
                [vec![0; 70 * 70], vec![3]].map(|words| filled(&caller.device, &words));
            let inputs = arena.inputs().with_count(Count::Rows, rows.slice(..));
            let outputs = Outputs::gradient(Output::add_to(gradient.slice(..)));
            let binding = plan.bind_to(&inputs, &outputs).unwrap();
            let mut encoder = encoder(&caller);
            let (before, submitted) = (objects(), submissions(&caller));
            plan.record(&mut encoder, &binding).unwrap();
            plan.record_into(&mut encoder.begin_compute_pass(&Default::default()), &binding)
                .unwrap();
            assert_eq!(objects(), before, "{}: {loss:?}", caller.name);
            let (number, next) = (number_in(&submitted), number_in(&submissions(&caller)));
            assert_eq!(next, number + 1, "{}: {loss:?}", caller.name);

            // The counts do see what is created, and the numbers what is submitted.
            let pending = plan.read_back(&mut encoder).unwrap();
            assert_ne!(objects(), before, "{}: reading back makes a buffer", caller.name);
            caller.queue.submit([encoder.finish()]);
            // Mapping takes a number too.
            assert!(number_in(&submissions(&caller)) >= next + 2, "{}", caller.name);
            drop(pending);
        }
    }
}

/// The number in the text of a submission.
fn number_in(submission: &str) -> u64 {
    let digits: String = submission.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("{submission} has no number"))
}

/// The shortest of many recordings, which no other work of the machine disturbs. wgpu does a part
/// of the work when the encoder is finished: it counts too.
fn shortest_recording(context: &Context, loss: Loss) -> [Duration; 2] {
    let device = context.device();
    let [embeddings, labels] = [1024 * 64, 1024].map(|count| filled(device, &vec![0; count]));
    let plan = context.plan(loss, Shape::batch(1024, 64)).unwrap();
    let binding = plan.bind(&Inputs::new(&embeddings, &labels)).unwrap();
    let record = |_| {
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let start = Instant::now();
        plan.record(&mut encoder, &binding).unwrap();
        let recorded = start.elapsed();
        drop(encoder.finish());
        [recorded, start.elapsed()]
    };
    (0..300).map(record).min_by_key(|[_, finished]| *finished).expect("some")
}

#[test]
fn recording_takes_the_host_microseconds() {
    let _alone = contexts();
    for caller in callers() {
        let [recorded, finished] =
            shortest_recording(&caller.context, Contrastive::default().into());
        println!("{}: {recorded:?}, with finishing the encoder {finished:?}", caller.name);
        assert!(finished < RECORDING, "{}: {finished:?}", caller.name);
    }
}
