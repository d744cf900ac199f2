//! Training in place: an embedding is fitted on the GPU, step after step, and nothing is read back.
//!
//! [`Linear`] is a projection, `embedding = input x weights`, whose weights get their gradient from
//! that of the embeddings. [`Sgd`] and [`Adam`] are [`Optimizer`]s: each step takes parameters and
//! their gradient, wherever both come from, and writes the parameters in place. Both are recorded
//! as losses are, so that an application trains while it draws.
//!
//! ```
//! use std::time::Duration;
//!
//! use wgpu_metric_learning::training::{Adam, Linear};
//! use wgpu_metric_learning::{Context, Contrastive, Inputs, Record, Result, Shape};
//!
//! # fn application(device: &wgpu::Device, queue: &wgpu::Queue, inputs: &wgpu::Buffer, labels: &wgpu::Buffer, weights: &wgpu::Buffer) -> Result<()> {
//! // 256 rows of 64 numbers in `inputs`; `weights` are 64 x 2, with whatever the training begins from.
//! let context = Context::new(device, queue)?;
//! let linear = context.plan_linear(Linear { rows: 256, inputs: 64, outputs: 2 })?;
//! let loss = context.plan(Contrastive::default(), Shape::batch(256, 2))?;
//! let optimizer = context.plan_optimizer(Adam { learning_rate: 0.01, ..Default::default() }, 64 * 2)?;
//!
//! let forward = linear.bind_forward(inputs.slice(..), weights.slice(..))?;
//! let embeddings = loss.bind(&Inputs::new(linear.outputs(), labels))?;
//! let backward = linear.bind_backward(inputs.slice(..), loss.gradient().slice(..))?;
//! let step = optimizer.bind(weights.slice(..), linear.gradient().slice(..))?;
//!
//! // As many steps in a submission as the application likes, of any frame.
//! let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
//! for _ in 0..10 {
//!     linear.record(&mut encoder, &forward)?;
//!     loss.record(&mut encoder, &embeddings)?;
//!     linear.record(&mut encoder, &backward)?;
//!     optimizer.record(&mut encoder, &step)?;
//! }
//! // Only if the host wants to know: how many steps there were, or that some were left out.
//! let mut pending = optimizer.read_back(&mut encoder)?;
//! queue.submit([encoder.finish()]);
//! assert_eq!(pending.wait(Duration::from_secs(10))?, 10);
//! # Ok(())
//! # }
//! # use wgpu::BufferUsages;
//! # let context = Context::headless()?;
//! # let buffer = |size| context.device().create_buffer(&wgpu::BufferDescriptor {
//! #     label: None, size, usage: BufferUsages::STORAGE, mapped_at_creation: false });
//! # application(context.device(), context.queue(), &buffer(256 * 64 * 4), &buffer(256 * 4), &buffer(64 * 2 * 4))?;
//! # Ok::<(), wgpu_metric_learning::Error>(())
//! ```
//!
//! A gradient that is not finite cannot spoil the parameters: see [`OptimizerPlan`]. What is right,
//! and how far f32 may be from it, say [`reference::optimize`](crate::reference::optimize),
//! [`reference::project`](crate::reference::project) and
//! [`reference::project_back`](crate::reference::project_back).

mod adam;
mod checkpoint;
mod linear;
pub(crate) mod mlp;
mod optimizer;
mod sampler;
mod schedule;
mod sgd;
mod task;

pub use adam::Adam;
pub use checkpoint::Checkpoint;
pub use linear::Linear;
pub use mlp::Mlp;
pub use optimizer::Optimizer;
#[cfg(feature = "gpu")]
pub(crate) use optimizer::{LEARNING_RATE, Rule};
pub use sampler::{BalancedSampler, Draws};
pub use schedule::Schedule;
pub use sgd::Sgd;
pub use task::Training;
pub(crate) use task::{Drawing, Drawn};

pub use crate::cpu::{Activations, CpuOptimizer, CpuTrainer};

#[cfg(feature = "gpu")]
pub use crate::gpu::{GpuTrainer, LinearPlan, MlpPlan, OptimizerPlan};
