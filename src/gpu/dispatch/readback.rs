//! From the GPU to the host, without blocking forever.

use futures::channel::oneshot;
use futures::future::FutureExt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Poll, Waker};
use std::{fmt, task};

use crate::data::evaluation::Evaluation;
use crate::data::shape::Shape;
use crate::error::{Error, Result};
use crate::gpu::device::context::Context;
use crate::gpu::device::scope::{Reports, scoped};
#[cfg(not(target_arch = "wasm32"))]
use crate::gpu::dispatch::blocking::come_again;
#[cfg(target_arch = "wasm32")]
use crate::gpu::dispatch::browser::come_again;

/// An evaluation, or another result, on its way to the host.
///
/// First submit the encoder that the `read_back` of a [`Plan`](crate::Plan) or of another plan
/// recorded into. Then [`try_take`](Self::try_take) looks without waiting, [`wait`](Self::wait)
/// blocks, or it is awaited: as a future it polls the device itself whenever it is polled and asks
/// to be polled again at once, so any executor will do, at the cost of one that is kept busy.
///
/// In a browser there is no `wait`: whatever polls it is woken when there is something to see, and
/// what wgpu reports of the calls that led to the result, planning and binding among them, is told
/// here.
///
/// Each of them waits for the submission with the copies alone, not for later ones. A result that
/// was taken can be taken again.
pub struct Pending<T = Evaluation> {
    pub(super) context: Context,
    pub(super) staging: wgpu::Buffer,
    layout: Layout,
    parse: Parse<T>,
    #[cfg_attr(target_arch = "wasm32", expect(dead_code, reason = "a browser waits for no one"))]
    pub(super) submission: Option<wgpu::SubmissionIndex>,
    mapping: Mapping,
    /// What wgpu has yet to say of the calls that led to it.
    reports: Reports,
}

/// How far the mapping of the staging buffer has come.
enum Mapping {
    /// It begins with the submission of the copies.
    Awaited(oneshot::Receiver<Result<(), wgpu::BufferAsyncError>>),
    Finished(Mapped),
}

/// How the mapping of the staging buffer ended.
#[derive(Clone, Copy)]
enum Mapped {
    Readable,
    /// The encoder with the copies was dropped.
    NotSubmitted,
    Failed,
}

impl From<Result<Result<(), wgpu::BufferAsyncError>, oneshot::Canceled>> for Mapped {
    fn from(answer: Result<Result<(), wgpu::BufferAsyncError>, oneshot::Canceled>) -> Self {
        match answer {
            Ok(Ok(())) => Self::Readable,
            Ok(Err(_)) => Self::Failed,
            Err(oneshot::Canceled) => Self::NotSubmitted,
        }
    }
}

/// Makes the result of what was read.
pub(crate) type Parse<T> = Box<dyn Fn(&Read<'_>) -> Result<T> + Send + Sync>;

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("layout", &self.layout).finish_non_exhaustive()
    }
}

/// What the staging buffer holds: results, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    parts: Vec<Piece>,
    /// The shape of each result's inputs.
    shapes: Vec<Shape>,
}

/// A range of the staging buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    /// Which result it is part of.
    result: usize,
    what: Field,
    offset: u64,
    bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Totals,
    Gradient,
    GradientReferences,
    GradientBeta,
    GradientScale,
    GradientBias,
    Rows,
    Measures,
    /// The measures that have a k.
    AtCutoffs,
    /// The ranks and scores of every query, and its label.
    Ranks,
    Scores,
    Labels,
    /// What verification finds beside thresholds, or a search beside rows, and thresholds.
    Found,
    Marks,
    /// The neighbours of a search, and how far they are.
    Indices,
    Nearest,
    /// The steps of an optimiser, and what it remembers.
    Progress,
    Moments,
    /// The gradient of an objective.
    Sum,
    TotalLoss,
    /// The timestamps of timings.
    Timestamps,
}

/// The buffers that results are read from.
#[derive(Default)]
pub(crate) struct Sources<'a> {
    buffers: Vec<(usize, Field, &'a wgpu::Buffer)>,
    shapes: Vec<Shape>,
}

impl<'a> Sources<'a> {
    /// Adds a result in these buffers.
    pub(crate) fn add(
        &mut self,
        shape: Shape,
        buffers: impl IntoIterator<Item = (Field, &'a wgpu::Buffer)>,
    ) {
        let result = self.shapes.len();
        self.shapes.push(shape);
        self.buffers.extend(buffers.into_iter().map(|(what, buffer)| (result, what, buffer)));
    }

    /// Adds what has no shape, and is all there is.
    pub(crate) fn add_alone(&mut self, what: Field, buffer: &'a wgpu::Buffer) {
        self.buffers.push((0, what, buffer));
    }
}

impl<T> Pending<T> {
    /// Records copies of the sources; what is read is made of them by `parse`.
    pub(crate) fn new(
        context: &Context,
        encoder: &mut wgpu::CommandEncoder,
        sources: Sources<'_>,
        parse: impl Fn(&Read<'_>) -> Result<T> + Send + Sync + 'static,
    ) -> Result<Self> {
        let parse = Box::new(parse);
        let mut pending =
            scoped(context, "reading back", || Self::copying(context, encoder, sources, parse))?;
        pending.reports.add(context.reports().take());
        Ok(pending)
    }

    fn copying(
        context: &Context,
        encoder: &mut wgpu::CommandEncoder,
        sources: Sources<'_>,
        parse: Parse<T>,
    ) -> Result<Self> {
        let size: u64 = sources.buffers.iter().map(|(.., buffer)| buffer.size()).sum();
        let limit = context.device().limits().max_buffer_size;
        if size > limit {
            return Err(Error::DeviceLimit {
                what: "reading everything back",
                needed: size,
                name: "maxBufferSize",
                limit,
            });
        }
        let staging = context.create_buffer(&wgpu::BufferDescriptor {
            label: Some("metric-learning read-back"),
            size,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })?;
        context.check_alive("reading back")?;
        let mut parts = Vec::new();
        let mut offset = 0;
        for (result, what, buffer) in sources.buffers {
            encoder.copy_buffer_to_buffer(buffer, 0, &staging, offset, buffer.size());
            parts.push(Piece { result, what, offset, bytes: buffer.size() });
            offset += buffer.size();
        }
        let layout = Layout { parts, shapes: sources.shapes };
        let (sender, receiver) = oneshot::channel();
        // The receiver may be gone by then: nobody waits any longer.
        context.map_on_submit(encoder, &staging, move |result| drop(sender.send(result)));
        let mapping = Mapping::Awaited(receiver);
        Ok(Self {
            context: context.clone(),
            staging,
            layout,
            parse,
            submission: None,
            mapping,
            reports: Default::default(),
        })
    }

    /// Tells which submission the copies are in, so that [`wait`](Self::wait) sleeps until the
    /// driver wakes it: without it, it sleeps for at most a millisecond at a time and looks.
    #[must_use]
    pub fn in_submission(mut self, submission: wgpu::SubmissionIndex) -> Self {
        self.reports.add(self.context.reports().take());
        Self { submission: Some(submission), ..self }
    }

    /// The result, if it is there; never blocks.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait) but [`Error::Timeout`].
    pub fn try_take(&mut self) -> Option<Result<T>> {
        match Pin::new(self).poll(&mut task::Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        }
    }

    /// After an error, pipelines may be invalid: they are made again.
    fn poll_reports(&mut self, task: &mut task::Context<'_>) -> Poll<Result<()>> {
        let reports = self.reports.poll(task);
        if let Poll::Ready(Err(_)) = reports {
            self.context.pipelines().forget_all();
        }
        reports
    }

    fn finish(&self, mapped: Mapped) -> Result<T> {
        let lost = Error::DeviceLost { during: "reading back" };
        match mapped {
            Mapped::Readable => {}
            Mapped::NotSubmitted => return Err(Error::NotComputed),
            Mapped::Failed => return Err(lost),
        }
        let bytes = self.staging.slice(..).get_mapped_range().map_err(|_| lost)?;
        (self.parse)(&Read { bytes: &bytes, layout: &self.layout })
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Self::Output> {
        if let Err(error) = self.context.poll(wgpu::PollType::Poll) {
            return Poll::Ready(Err(error));
        }
        let mapped = match &mut self.mapping {
            Mapping::Finished(mapped) => *mapped,
            Mapping::Awaited(answer) => match answer.poll_unpin(context) {
                Poll::Ready(answer) => answer.into(),
                Poll::Pending => {
                    come_again(context);
                    return Poll::Pending;
                }
            },
        };
        self.mapping = Mapping::Finished(mapped);
        task::ready!(self.poll_reports(context))?;
        Poll::Ready(self.finish(mapped))
    }
}

/// What was copied, back on the host.
#[derive(Clone, Copy)]
pub(crate) struct Read<'a> {
    bytes: &'a [u8],
    layout: &'a Layout,
}

impl<'a> Read<'a> {
    /// One of the results.
    pub(crate) fn staged(&self, result: usize) -> Staged<'a> {
        Staged { read: *self, result, shape: &self.layout.shapes[result] }
    }

    /// The bytes of one of its parts.
    pub(crate) fn part(&self, result: usize, what: Field) -> Option<&'a [u8]> {
        let part =
            self.layout.parts.iter().find(|part| part.result == result && part.what == what)?;
        self.bytes.get(part.offset as usize..(part.offset + part.bytes) as usize)
    }

    /// How many results there are.
    pub(crate) fn results(&self) -> usize {
        self.layout.shapes.len()
    }
}

/// One result, back on the host.
pub(crate) struct Staged<'a> {
    read: Read<'a>,
    result: usize,
    pub shape: &'a Shape,
}

impl Staged<'_> {
    pub(crate) fn floats(&self, what: Field) -> Option<Vec<f32>> {
        self.part(what).map(bytemuck::pod_collect_to_vec)
    }

    pub(crate) fn first_floats(&self, what: Field, count: usize) -> Option<Vec<f32>> {
        let mut floats = self.floats(what)?;
        floats.truncate(count);
        Some(floats)
    }

    pub(crate) fn part(&self, what: Field) -> Option<&[u8]> {
        self.read.part(self.result, what)
    }
}
