//! Metric-learning losses and their gradients on any GPU, through [wgpu]: contrastive, triplet,
//! lifted structured, margin and softmax losses, and the pointwise losses and regularisers that are
//! trained beside them, exact, deterministic, without CUDA or Python.
//!
//! The library is middleware for applications that own a wgpu device and keep their embeddings in
//! GPU buffers: it never takes the device over, never submits behind the caller's back, and leaves
//! loss and gradient in GPU buffers. Around that core stand a call that takes and returns host
//! memory, and a reference in f64 on the CPU that says what is right.
//!
//! It runs natively, on Vulkan, Metal, DX12 and GL, and in browsers, on WebGPU, where nothing waits:
//! [`Context::headless_async`], and `.await` in the place of [`Run::wait`] and [`Pending::wait`].
//!
//! # In one call
//!
//! ```
//! use wgpu_metric_learning::{Batch, Context, Mining, Triplet, reference};
//!
//! // Four embeddings of two numbers, in two classes.
//! let embeddings = [0.0, 0.1, 0.9, 0.2, 0.1, 0.0, 1.0, 0.3];
//! let batch = Batch::new(&embeddings, [4, 2], &[7, 8, 7, 8])?;
//! let loss = Triplet { margin: 0.9, mining: Mining::All, ..Default::default() };
//!
//! let context = Context::headless()?;
//! let evaluation = context.evaluate(&loss, &batch).wait()?;
//! println!("{} over {} triplets, gradient {:?}", evaluation.loss, evaluation.terms, evaluation.gradient);
//!
//! // The same in f64 on the CPU, with how far correct f32 kernels may be from every number of it.
//! let expected = reference::evaluate_with_bounds(&loss, &batch)?;
//! assert!(expected.compare(&evaluation).agrees());
//! # Ok::<(), wgpu_metric_learning::Error>(())
//! ```
//!
//! # In an application that has a device
//!
//! Plan once, bind the input buffers once, record every frame:
//!
//! ```
//! use wgpu_metric_learning::{Context, Contrastive, Inputs, Record, Result, Shape};
//!
//! # fn application(device: &wgpu::Device, queue: &wgpu::Queue, embeddings: &wgpu::Buffer, labels: &wgpu::Buffer) -> Result<()> {
//! let context = Context::new(device, queue)?;
//! let plan = context.plan(Contrastive::default(), Shape::batch(1024, 64))?; // pipelines, workspace; every limit is checked here
//! let inputs = plan.bind(&Inputs::new(embeddings, labels))?; // the caller's buffers are checked here
//!
//! let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
//! plan.record(&mut encoder, &inputs)?; // creates nothing, writes nothing from the host, submits nothing
//! queue.submit([encoder.finish()]); // plan.gradient() and plan.loss_value() are GPU buffers
//!
//! // Only if the host wants numbers:
//! let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
//! let mut pending = plan.read_back(&mut encoder)?;
//! queue.submit([encoder.finish()]);
//! let evaluation = pending.wait(std::time::Duration::from_secs(10))?; // or try_take(), or pending.await
//! println!("{}", evaluation.loss);
//! # Ok(())
//! # }
//! # use wgpu::BufferUsages;
//! # let context = Context::headless()?;
//! # let buffer = |size| context.device().create_buffer(&wgpu::BufferDescriptor {
//! #     label: None, size, usage: BufferUsages::STORAGE, mapped_at_creation: false });
//! # application(context.device(), context.queue(), &buffer(1024 * 64 * 4), &buffer(1024 * 4))?;
//! # Ok::<(), wgpu_metric_learning::Error>(())
//! ```
//!
//! # As a guest: the contract
//!
//! - A device and a queue of the caller's will do, with WebGPU's default limits and no feature
//!   ([`Context::new`]). No handler of the device is set; errors of wgpu come back as [`Error`].
//! - [`Plan::record`] records into an encoder of the caller's, [`Plan::record_into`] into an open
//!   compute pass, of which it changes the pipeline and bind group 0. Neither creates anything on
//!   the device, writes anything from the host, or submits. Only [`Plan::read_back`] makes a
//!   buffer, and only calls from host to host ([`Context::evaluate`] and its like) submit.
//! - Several plans, and several recordings of one plan, may be in one submission: they run in their
//!   order. Recordings of one plan share its workspace and its outputs, the last one's stay. It
//!   needs no clearing in between.
//! - Inputs are ranges of buffers of the caller's ([`Inputs`]): usage `STORAGE`, an offset that is
//!   a multiple of the device's `min_storage_buffer_offset_alignment`, larger than needed or not.
//!   They are only read, and their contents may change from submission to submission.
//! - A gradient stays in the plan's buffer ([`Plan::gradient`]), and is also written or added to
//!   buffers of the caller's where [`Plan::bind_to`] names [`Outputs`]. An evaluation that is an
//!   error adds nothing to them, and writes zeros.
//! - The number of rows may be read from a buffer of the caller's ([`Inputs::with_count`]), up
//!   to the planned one, for each recording anew.
//! - A plan and a binding are `Send` and `Sync`. A context keeps its pipelines: planning for
//!   another size makes none again, and others only where it has other [`Tiles`](tuning::Tiles) or
//!   another [`RowWidth`](tuning::RowWidth). Compiled ones may be kept in a cache of the caller's
//!   ([`Options::pipeline_cache`]).
//! - Passes, buffers, bind groups and pipelines have labels that begin with `metric-learning`,
//!   every dispatch is a debug group, and [`Plan::sections`] cuts a recording into its stages, for
//!   passes with timestamps of the caller's. [`Timings`](profile::Timings) does so on its own,
//!   where the device has `TIMESTAMP_QUERY`.
//! - Spans of the [`tracing`] crate, of level debug: `plan`, `bind`, `record` and `submit` with the
//!   loss and the sizes, `wait` with the bytes that are read back.
//!
//! # Features
//!
//! - `gpu`, on by default: everything that computes through wgpu, and [`Engine`]. Without it no
//!   graphics library is compiled, and [`Cpu`] is left, with [`CpuMemoryBank`] and
//!   [`training::CpuOptimizer`].
//! - `reference`, on by default: [`mod@reference`].
//!
//! # What to read first
//!
//! A loss is a struct with its parameters: [`Contrastive`], [`Triplet`], [`LiftedStructured`],
//! [`MultiMargin`], [`NormalizedSoftmax`], [`CosFace`], [`ArcFace`], [`SoftTriple`],
//! [`ProxyAnchor`], [`Margin`], [`NtXent`], [`SupCon`], [`SigLip`], [`Clip`], [`CoSent`],
//! [`GeneralizedLiftedStructured`], [`Nca`], [`MultiSimilarity`], [`Circle`], [`FastAp`],
//! [`SmoothAp`], and the pointwise ones from [`MeanSquaredError`] to
//! [`ElasticNet`]; each says its formula and its source. [`Distance`],
//! [`Reduction`], with its [`Thresholds`], [`Mining`] and [`Sampling`] are their choices, [`Mode`] is what the inputs stand
//! for and [`Truth`] what pointwise losses compare with. [`Batch`] holds inputs on the host,
//! [`Inputs`] inputs on the GPU, [`Shape`] their sizes, [`Evaluation`] the result, [`Error`]
//! everything that can go wrong. [`Weighted`] makes one objective of several losses
//! ([`Context::evaluate_objective`], [`ObjectivePlan`]), [`MemoryBank`] keeps earlier batches as
//! references, [`measures`] says how well embeddings retrieve their own class, [`search`] finds
//! the nearest of other rows, and [`training`] fits them in place. [`Cpu`] computes without a GPU,
//! [`Engine`] wherever it is fastest, and [`mod@reference`] says what is right. [`shaders`] lists the kernels. What few need has modules of
//! its own: [`tuning`], [`profile`] and [`testing`].
//!
//! # What is promised
//!
//! - No N x M and no N^3 object in memory: the workspace is N x D values plus a constant
//!   ([`Options::workspace_bytes`]); a list of pairs takes some 40 bytes a pair beside itself, of
//!   scored pairs some 65.
//! - The same input on the same device gives the same bits, run after run, in the same
//!   [`Tier`](tuning::Tier) and [`RowWidth`](tuning::RowWidth), with all [`Tiles`](tuning::Tiles),
//!   and for every workspace that holds at least 64 rows of the matrix and not all of it. One
//!   that holds all of it saves half the work of some losses, which then may round differently; and
//!   on a GPU [`NtXent`] and [`SupCon`] do where another workspace cuts their batch.
//! - Distances of the Euclidean family come from coordinate differences: near-duplicates are as
//!   accurate as any pair, and duplicates are at exactly 0 with a gradient of 0.
//! - Every result is within the bound that [`reference::evaluate_with_bounds`] derives for it,
//!   number by number.
//! - Bad input is an [`Error`] that names what, where and the limit.
//! - Whatever fails at run time, down to a device that is lost, is an [`Error`] too, and leaves
//!   nothing behind: [`Context::inject`] lets it fail on purpose.
//! - No dispatch takes longer than a tenth of a second on a software adapter where it can be split
//!   ([`Options::operations_per_dispatch`]); long evaluations can be watched and cancelled
//!   ([`Run::watch`]).

#![warn(missing_debug_implementations, unused_qualifications)]
// The GPU and the reference that documentation points to may be left out.
#![cfg_attr(
    not(all(feature = "gpu", feature = "reference")),
    allow(rustdoc::broken_intra_doc_links)
)]

mod cpu;
mod data;
mod definition;
#[cfg(feature = "gpu")]
mod engine;
mod error;
#[cfg(feature = "gpu")]
mod gpu;
mod loss;
pub mod measures;
mod names;
mod parallel;
#[cfg(feature = "gpu")]
pub mod profile;
#[cfg(feature = "reference")]
pub mod reference;
pub mod search;
#[cfg(feature = "gpu")]
pub mod shaders;
pub mod sharded;
#[cfg(feature = "gpu")]
pub mod testing;
pub mod training;
#[cfg(feature = "gpu")]
pub mod tuning;
#[cfg(feature = "gpu")]
mod wgsl;

pub use cpu::{Cpu, CpuMemoryBank};
#[cfg(any(feature = "gpu", feature = "reference"))]
pub use data::arithmetic::Arithmetic;
pub use data::batch::Batch;
pub use data::evaluation::Evaluation;
pub use data::input::{Input, InputSet};
pub use data::mode::Mode;
pub use data::objective::{ObjectiveEvaluation, Weighted};
pub use data::run::{Progress, Run};
pub use data::shape::Shape;
#[cfg(feature = "gpu")]
pub use engine::{Engine, Trainer};
pub use error::{Error, ErrorKind, Result};
#[cfg(feature = "gpu")]
pub use gpu::{
    Adapter, Binding, Context, Count, InFlight, Inputs, MemoryBank, ObjectivePlan, Options, Output,
    Outputs, Pending, Plan, Record, RowLayout,
};
pub use loss::*;
/// The version of wgpu whose devices, buffers and encoders the library takes: an application that
/// uses this re-export cannot meet two versions of it.
#[cfg(feature = "gpu")]
pub use wgpu;
#[cfg(feature = "gpu")]
pub use wgsl::status;
