//! From the GPU to the host, without blocking forever.

use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll};
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use futures::future::FutureExt;

use super::layout::{Row, Totals, state, wide};
use super::plan::Plan;
use crate::loss::SIGNS;
use crate::shape::{Mode, Shape};
use crate::{Error, Evaluation, Result};

/// An evaluation on its way to the host.
///
/// First submit the encoder that [`Plan::read_back`] recorded into, then [`wait`](Self::wait), or await: as a future it polls the
/// device itself whenever it is polled and asks to be polled again at once, so any executor will do, at the cost of one that is
/// kept busy: where that matters, poll the device elsewhere and `wait`.
#[derive(Debug)]
pub struct Pending {
    device: wgpu::Device,
    staging: wgpu::Buffer,
    parts: Vec<Part>,
    shape: Shape,
    mapped: Option<oneshot::Receiver<Result<(), wgpu::BufferAsyncError>>>,
}

/// What a range of the staging buffer holds.
#[derive(Clone, Copy, Debug)]
struct Part {
    what: What,
    offset: u64,
    bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Totals,
    State,
    Gradient,
    GradientReferences,
    GradientBeta,
    Rows,
}

impl Pending {
    pub(crate) fn new(plan: &Plan, encoder: &mut wgpu::CommandEncoder) -> Result<Self> {
        let buffers = plan.buffers();
        let device = plan.context().device();
        let mut sources =
            vec![(What::Totals, &buffers.totals), (What::State, &buffers.state), (What::Gradient, &buffers.gradient)];
        sources.extend(buffers.gradient_references.as_ref().map(|gradient| (What::GradientReferences, gradient)));
        sources.extend(buffers.gradient_beta.as_ref().map(|gradient| (What::GradientBeta, gradient)));
        if plan.loss().has_per_anchor(plan.shape()) {
            sources.push((What::Rows, &buffers.rows));
        }
        let size: u64 = sources.iter().map(|(_, buffer)| buffer.size()).sum();
        let limit = device.limits().max_buffer_size;
        if size > limit {
            return Err(Error::DeviceLimit {
                what: "reading everything back",
                needed: size,
                name: "maxBufferSize",
                limit,
            });
        }
        let staging = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("metric-learning read-back"),
            size,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut parts = Vec::new();
        let mut offset = 0;
        for (what, buffer) in sources {
            encoder.copy_buffer_to_buffer(buffer, 0, &staging, offset, buffer.size());
            parts.push(Part { what, offset, bytes: buffer.size() });
            offset += buffer.size();
        }
        Ok(Self { device: device.clone(), staging, parts, shape: *plan.shape(), mapped: None })
    }

    /// Waits until the evaluation is there, at most this long.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`]; [`Error::DeviceLost`] where the buffer cannot be read; [`Error::NotComputed`] where no
    /// recording of the plan has ever run (one that was not submitted leaves the result of the one before); [`Error::NotFinite`], [`Error::Target`] and [`Error::LabelOutOfRange`] for what the kernels found in the inputs;
    /// [`Error::Overflow`] for a loss, gradient or distance beyond f32.
    pub fn wait(mut self, timeout: Duration) -> Result<Evaluation> {
        let start = Instant::now();
        // Short enough that a device that has stopped answering is noticed, long enough not to take the CPU from a software one.
        let slice = Duration::from_millis(100);
        loop {
            if let Some(result) = self.try_read() {
                return result;
            }
            let left = timeout.checked_sub(start.elapsed()).ok_or(Error::Timeout { after: timeout })?;
            let poll = wgpu::PollType::Wait { submission_index: None, timeout: Some(left.min(slice)) };
            match self.device.poll(poll) {
                Ok(_) | Err(wgpu::PollError::Timeout) => {}
                Err(error) => return Err(Error::Gpu { during: "waiting", message: error.to_string() }),
            }
        }
    }

    /// The evaluation, if it is there.
    fn try_read(&mut self) -> Option<Result<Evaluation>> {
        let mapped = self.start_mapping().try_recv();
        match mapped {
            Ok(None) => None,
            Ok(Some(mapped)) => Some(self.finish(mapped.ok())),
            Err(oneshot::Canceled) => Some(self.finish(None)),
        }
    }

    /// Mapping may start only after the copies have been submitted: with the first look.
    fn start_mapping(&mut self) -> &mut oneshot::Receiver<Result<(), wgpu::BufferAsyncError>> {
        let staging = &self.staging;
        self.mapped.get_or_insert_with(|| {
            let (sender, receiver) = oneshot::channel();
            // The receiver may be gone by then: nobody waits any longer.
            staging.map_async(wgpu::MapMode::Read, .., move |result| drop(sender.send(result)));
            receiver
        })
    }

    fn finish(&self, mapped: Option<()>) -> Result<Evaluation> {
        let lost = Error::DeviceLost { during: "reading back" };
        mapped.ok_or(lost.clone())?;
        let bytes = self.staging.slice(..).get_mapped_range().map_err(|_| lost)?;
        let evaluation = self.parse(&bytes);
        drop(bytes);
        self.staging.unmap();
        evaluation
    }

    fn parse(&self, bytes: &[u8]) -> Result<Evaluation> {
        let totals: Totals = bytemuck::pod_read_unaligned(self.part(bytes, What::Totals).unwrap_or(&[]));
        if totals.sequence == 0 {
            return Err(Error::NotComputed);
        }
        let [embeddings, references, beta, label] = totals.faults;
        let floats = |what| self.part(bytes, what).map(bytemuck::pod_collect_to_vec::<u8, f32>);
        let gradient = floats(What::Gradient).unwrap_or_default();
        self.check_finite("embeddings", embeddings, self.shape.dimensions())?;
        self.check_finite("references", references, self.shape.dimensions())?;
        self.check_finite("beta", beta, 1)?;
        self.check_label(label)?;
        self.check_list(totals.list_faults)?;
        let state: Vec<u32> = self.part(bytes, What::State).map(bytemuck::pod_collect_to_vec).unwrap_or_default();
        // Infinite distances can cancel out of a loss that is finite, but not out of their means.
        let numbers = [
            ("the loss", totals.loss),
            ("the sum of the positive distances", totals.mean_positive_distance),
            ("the sum of the negative distances", totals.mean_negative_distance),
        ];
        if let Some((what, _)) = numbers.into_iter().find(|(_, number)| !number.is_finite()) {
            return Err(Error::Overflow { what });
        }
        if state.get(state::OVERFLOW).is_some_and(|&overflow| overflow > 0) {
            return Err(Error::Overflow { what: "the gradient" });
        }
        let rows: Option<Vec<Row>> = self.part(bytes, What::Rows).map(bytemuck::pod_collect_to_vec);
        Ok(Evaluation {
            loss: totals.loss,
            terms: wide(totals.terms),
            nonzero_terms: wide(totals.nonzero),
            nonzero_positive_terms: wide(totals.nonzero_positives),
            nonzero_negative_terms: wide(totals.nonzero_negatives),
            positive_pairs: wide(totals.positive_pairs),
            negative_pairs: wide(totals.negative_pairs),
            mean_positive_distance: totals.mean_positive_distance,
            mean_negative_distance: totals.mean_negative_distance,
            gradient,
            gradient_references: floats(What::GradientReferences),
            gradient_beta: floats(What::GradientBeta),
            per_anchor: rows.map(|rows| rows.iter().map(|row| row.loss + row.negative_loss).collect()),
        })
    }

    fn part<'a>(&self, bytes: &'a [u8], what: What) -> Option<&'a [u8]> {
        let part = self.parts.iter().find(|part| part.what == what)?;
        bytes.get(part.offset as usize..(part.offset + part.bytes) as usize)
    }

    /// The first listed index without a row, pair of a row with itself, and target that is not finite or not allowed.
    fn check_list(&self, [index, pair, target, target_value]: [u32; 4]) -> Result<()> {
        let limit = self.shape.queries();
        let (what, columns) = if self.shape.mode() == Mode::Triplets { ("triplets", 3) } else { ("pairs", 2) };
        if let Some(place) = fault_place(index) {
            return Err(Error::IndexOutOfRange { what, row: place / columns, column: place % columns, limit });
        }
        if let Some(row) = fault_place(pair) {
            return Err(Error::PairWithItself { row });
        }
        self.check_finite("targets", target_value, self.shape.dimensions())?;
        match fault_place(target) {
            Some(place) if self.shape.mode() == Mode::Pointwise => {
                let [row, column] = [place / self.shape.dimensions(), place % self.shape.dimensions()];
                Err(Error::Target { what: "targets", row, column, allowed: SIGNS })
            }
            Some(row) => Err(Error::Target { what: "same", row, column: 0, allowed: "0 or 1" }),
            None => Ok(()),
        }
    }

    fn check_finite(&self, what: &'static str, key: u32, columns: usize) -> Result<()> {
        match fault_place(key) {
            Some(place) => Err(Error::NotFinite { what, row: place / columns, column: place % columns }),
            None => Ok(()),
        }
    }

    fn check_label(&self, key: u32) -> Result<()> {
        let (what, limit) = match self.shape.mode() {
            Mode::Scores => ("class", self.shape.references()),
            Mode::Prototypes => ("prototype", self.shape.references()),
            Mode::Pointwise => ("class", self.shape.dimensions()),
            _ => ("beta", self.shape.betas()),
        };
        match fault_place(key) {
            Some(row) => Err(Error::LabelOutOfRange { what, row, label: None, limit }),
            None => Ok(()),
        }
    }
}

/// From `fault_key` of `shaders/shared/state.wgsl`; 0 is none.
fn fault_place(key: u32) -> Option<usize> {
    (key != 0).then_some((u32::MAX - key) as usize)
}

impl Future for Pending {
    type Output = Result<Evaluation>;

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Self::Output> {
        if let Err(error) = self.device.poll(wgpu::PollType::Poll) {
            return Poll::Ready(Err(Error::Gpu { during: "waiting", message: error.to_string() }));
        }
        match self.start_mapping().poll_unpin(context) {
            Poll::Ready(mapped) => Poll::Ready(self.finish(mapped.ok().and_then(Result::ok))),
            // Nobody else may be polling the device: come again.
            Poll::Pending => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}
