//! Two contexts that the library has opened: buffers of the one are refused by what the other has
//! made, and no other buffer is taken in their place. Threads that share a device.

use std::thread;
use std::time::Duration;

use support::adapters::{best_with, contexts};
use support::bits::bits;
use support::buffers::upload;
use wgpu::BufferUsages;
use wgpu_metric_learning::measures::Retrieval;
use wgpu_metric_learning::training::{Linear, Sgd};
use wgpu_metric_learning::{
    Adapter, Batch, Context, Error, Inputs, MemoryBank, Options, Output, Outputs, Record, Result,
    Shape, Triplet, Weighted,
};

const N: usize = 32;
const D: usize = 4;
const USAGE: BufferUsages = BufferUsages::STORAGE.union(BufferUsages::COPY_SRC);

fn rows(scale: f32) -> Vec<f32> {
    (0..N * D).map(|i| scale * (((i * 37) % 101) as f32 / 50.0 - 1.0)).collect()
}

fn labels() -> Vec<u32> {
    (0..N as u32).map(|row| row % 4).collect()
}

/// Rows and labels on a device.
struct Rows {
    rows: wgpu::Buffer,
    labels: wgpu::Buffer,
}

impl Rows {
    fn new(context: &Context, scale: f32) -> Self {
        Self {
            rows: upload(context, bytemuck::cast_slice(&rows(scale)), USAGE),
            labels: upload(context, bytemuck::cast_slice(&labels()), USAGE),
        }
    }
}

fn loss_of(context: &Context, rows: &Rows) -> Result<f32> {
    let plan = context.plan(Triplet::default(), Shape::batch(N, D))?;
    let binding = plan.bind(&Inputs::new(&rows.rows, &rows.labels))?;
    let mut encoder = context.device().create_command_encoder(&Default::default());
    plan.record(&mut encoder, &binding)?;
    let mut pending = plan.read_back(&mut encoder)?;
    context.queue().submit([encoder.finish()]);
    Ok(pending.wait(Duration::from_secs(60))?.loss)
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T>, what: &str) {
    match result {
        Err(Error::Buffer { what: found, problem }) => {
            assert_eq!(found, what);
            assert!(
                problem.starts_with("wgpu refuses it, as it does a buffer of another device"),
                "{problem}"
            );
        }
        other => panic!("{what}: {other:?}"),
    }
}

#[test]
fn buffers_of_another_context_are_refused() {
    let _alone = contexts();
    for adapter in Adapter::all() {
        let open = || adapter.open(Options::default()).expect("the adapter opens");
        let [first, second] = [open(), open()];
        assert_ne!(first.device(), second.device(), "they can be told apart");
        let [own, foreign] = [Rows::new(&first, 1.0), Rows::new(&second, 10.0)];

        refused(loss_of(&first, &foreign), "embeddings");
        let mixed = Rows { rows: own.rows.clone(), labels: foreign.labels.clone() };
        refused(loss_of(&first, &mixed), "labels");
        refused(loss_of(&second, &own), "embeddings");

        let shape = Shape::batch(N, D);
        let plan = first.plan(Triplet::default(), shape).unwrap();
        let inputs = [Inputs::new(&own.rows, &own.labels)];
        let outputs = Outputs::gradient(Output::write(foreign.rows.slice(..)));
        refused(plan.bind_to(&inputs[0], &outputs), "gradient");

        let objective = [Weighted::new(1.0, Triplet::default(), shape)];
        let plan = first.plan_objective(&objective).unwrap();
        refused(plan.bind(&[Inputs::new(&foreign.rows, &own.labels)]), "embeddings");
        refused(plan.bind_to(&inputs, &[outputs]), "gradient");

        let plan = first.plan_measures(&Retrieval::default(), shape).unwrap();
        refused(plan.bind(&Inputs::new(&foreign.rows, &own.labels)), "embeddings");

        let mut bank = MemoryBank::new(&first, N, D).unwrap();
        let mut encoder = first.device().create_command_encoder(&Default::default());
        let mut enqueue =
            |rows: &Rows| bank.enqueue(&mut encoder, N, rows.rows.slice(..), rows.labels.slice(..));
        refused(enqueue(&foreign), "embeddings");
        refused(enqueue(&mixed), "labels");
        enqueue(&own).expect("its own rows");
        assert!(bank.is_full());

        let linear = first.plan_linear(Linear { rows: N, inputs: D, outputs: D }).unwrap();
        refused(linear.bind_forward(own.rows.slice(..), foreign.rows.slice(..64)), "weights");
        refused(linear.bind_backward(foreign.rows.slice(..), own.rows.slice(..)), "inputs");
        let sgd = first.plan_optimizer(Sgd::default(), N * D).unwrap();
        refused(sgd.bind(foreign.rows.slice(..), own.rows.slice(..)), "parameters");

        let [one, other] = [(&first, &own), (&second, &foreign)]
            .map(|(context, rows)| loss_of(context, rows).expect("its own rows"));
        let name = &adapter.info().backend;
        assert!(
            (one - 0.5178).abs() < 1e-4 && (other - 3.9610).abs() < 1e-4,
            "{name:?} {one} {other}"
        );
    }
}

/// Each looks after the device while others wait for it, as a thread or as a task. One of GL is for
/// one thread at a time.
#[test]
fn threads_share_a_device() {
    let device = best_with(Options::default());
    let is_gl = device.context.device().adapter_info().backend == wgpu::Backend::Gl;
    let threads: &[bool] = if is_gl { &[true] } else { &[false, true, false, true] };
    let (rows, labels) = (rows(1.0), labels());
    let batch = Batch::new(&rows, [N, D], &labels).unwrap();
    let evaluate = || device.context.evaluate(Triplet::default(), &batch);
    let expected = bits(&evaluate().wait().unwrap());
    thread::scope(|scope| {
        for &awaits in threads {
            let expected = &expected;
            scope.spawn(move || {
                for _ in 0..200 {
                    let result = match awaits {
                        true => pollster::block_on(evaluate()),
                        false => evaluate().wait(),
                    };
                    assert_eq!(bits(&result.unwrap()), *expected);
                }
            });
        }
    });
}
