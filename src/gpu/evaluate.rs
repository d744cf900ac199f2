//! Host in, host out, in one call.

use super::buffers::filled;
use super::context::Context;
use super::dispatch::Step;
use super::inputs::Inputs;
use super::readback::Pending;
use super::scope::scoped;
use crate::batch::Batch;
use crate::loss::Loss;
use crate::measures::{Measures, Retrieval};
use crate::{Evaluation, Result};

/// Operations per submission, so that no watchdog of a driver takes a long evaluation for a hang: a few tenths of a second on
/// a software adapter. A dispatch is never split: one that costs more is a submission of its own.
const PORTION: u64 = 1 << 31;

impl Context {
    /// Evaluates `loss` on inputs of the host and waits for the result, at most the context's timeout.
    ///
    /// # Errors
    ///
    /// Those of [`Batch::check`], [`Context::plan`] and [`Pending::wait`].
    pub fn evaluate(&self, loss: impl Into<Loss>, batch: &Batch<'_>) -> Result<Evaluation> {
        self.submit(&loss.into(), batch)?.wait(self.options().timeout)
    }

    /// The same without blocking: await it. See [`Pending`] for who polls the device.
    ///
    /// # Errors
    ///
    /// Those of [`Context::evaluate`], except the timeout.
    pub async fn evaluate_async(&self, loss: impl Into<Loss>, batch: &Batch<'_>) -> Result<Evaluation> {
        self.submit(&loss.into(), batch)?.await
    }

    /// Measures retrieval on inputs of the host and waits for the result, at most the context's timeout.
    ///
    /// # Errors
    ///
    /// Those of [`Retrieval::check`], [`Context::plan_measures`] and [`Pending::wait`].
    pub fn measure(&self, retrieval: &Retrieval, batch: &Batch<'_>) -> Result<Measures> {
        retrieval.check(batch.shape())?;
        let plan = self.plan_measures(retrieval, *batch.shape())?;
        let uploaded = Uploaded::new(self.device(), batch)?;
        let binding = plan.bind(&uploaded.inputs())?;
        self.submit_portions(plan.basis().steps(&binding)?)?;
        self.submit_last(|encoder| plan.read_back(encoder))?.wait(self.options().timeout)
    }

    fn submit(&self, loss: &Loss, batch: &Batch<'_>) -> Result<Pending> {
        batch.check(loss)?;
        let plan = self.plan(loss, *batch.shape())?;
        let uploaded = Uploaded::new(self.device(), batch)?;
        let binding = plan.bind(&uploaded.inputs())?;
        self.submit_portions(plan.basis().steps(&binding)?)?;
        self.submit_last(|encoder| plan.read_back(encoder))
    }

    fn submit_last<T>(&self, record: impl FnOnce(&mut wgpu::CommandEncoder) -> Result<T>) -> Result<T> {
        let mut encoder = self.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let recorded = record(&mut encoder)?;
        self.queue().submit([encoder.finish()]);
        Ok(recorded)
    }

    fn submit_portions<'a>(&self, steps: impl Iterator<Item = &'a Step>) -> Result<()> {
        let mut steps = steps.peekable();
        scoped(self.device(), "submitting", || {
            while steps.peek().is_some() {
                let mut encoder = self.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                let mut cost = 0;
                for step in steps.by_ref() {
                    step.record(&mut pass);
                    cost += step.cost;
                    if cost >= PORTION {
                        break;
                    }
                }
                drop(pass);
                self.queue().submit([encoder.finish()]);
            }
            Ok(())
        })
    }
}

/// A batch in buffers of the GPU: what it has not stays `None`.
struct Uploaded {
    embeddings: wgpu::Buffer,
    labels: Option<wgpu::Buffer>,
    references: Option<wgpu::Buffer>,
    reference_labels: Option<wgpu::Buffer>,
    beta: Option<wgpu::Buffer>,
    pairs: Option<wgpu::Buffer>,
    same: Option<wgpu::Buffer>,
    triplets: Option<wgpu::Buffer>,
    targets: Option<wgpu::Buffer>,
}

impl Uploaded {
    fn new(device: &wgpu::Device, batch: &Batch<'_>) -> Result<Self> {
        scoped(device, "uploading inputs", || Self::filled(device, batch))
    }

    fn filled(device: &wgpu::Device, batch: &Batch<'_>) -> Result<Self> {
        let upload = |bytes: &[u8]| filled(device, "metric-learning input", bytes, wgpu::BufferUsages::STORAGE);
        let optional = |bytes: &[u8]| if bytes.is_empty() { Ok(None) } else { upload(bytes).map(Some) };
        Ok(Self {
            embeddings: upload(bytemuck::cast_slice(batch.embeddings()))?,
            labels: optional(bytemuck::cast_slice(batch.labels()))?,
            references: optional(bytemuck::cast_slice(batch.references()))?,
            reference_labels: optional(bytemuck::cast_slice(batch.reference_labels()))?,
            beta: optional(bytemuck::cast_slice(batch.beta()))?,
            pairs: optional(bytemuck::cast_slice(batch.listed_pairs()))?,
            same: optional(bytemuck::cast_slice(batch.same()))?,
            triplets: optional(bytemuck::cast_slice(batch.listed_triplets()))?,
            targets: optional(bytemuck::cast_slice(batch.targets()))?,
        })
    }

    fn inputs(&self) -> Inputs<'_> {
        fn slice(buffer: &Option<wgpu::Buffer>) -> Option<wgpu::BufferSlice<'_>> {
            buffer.as_ref().map(|buffer| buffer.slice(..))
        }
        Inputs {
            embeddings: self.embeddings.slice(..),
            labels: slice(&self.labels),
            references: slice(&self.references),
            reference_labels: slice(&self.reference_labels),
            beta: slice(&self.beta),
            pairs: slice(&self.pairs),
            same: slice(&self.same),
            triplets: slice(&self.triplets),
            targets: slice(&self.targets),
        }
    }
}
