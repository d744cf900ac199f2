//! Cross-batch memory: embeddings of earlier batches as references.

use crate::data::input::Input;
use crate::data::shape::{Shape, countable};
use crate::error::{Error, Result};
use crate::gpu::device::allocate::Allocator;
use crate::gpu::device::context::Context;
use crate::gpu::device::scope::scoped;
use crate::gpu::dispatch::bound::refused;
use crate::gpu::pairs::inputs::Inputs;

/// The last embeddings and labels, at most `capacity` of them, in a ring on the GPU: references for
/// losses in reference mode that see more than one batch.
///
/// [`enqueue`](Self::enqueue) a batch after its loss has been recorded, so that no row meets
/// itself; nothing is read back. While the bank is filling, [`shape`](Self::shape) grows with it
/// and needs a plan of its own each time; once it is full, one plan and one binding serve for ever.
/// A caller who keeps [`len`](Self::len) in a buffer may bind it as
/// [`Count::ReferenceRows`](crate::Count::ReferenceRows) to one plan for all of the bank.
///
/// Source: Wang, Zhang, Huang and Scott, "Cross-Batch Memory for Embedding Learning", CVPR 2020.
#[derive(Debug)]
pub struct MemoryBank {
    context: Context,
    embeddings: wgpu::Buffer,
    labels: wgpu::Buffer,
    capacity: usize,
    dimensions: usize,
    /// Rows that are filled.
    len: usize,
    /// The row that the next one is written to.
    next: usize,
}

impl MemoryBank {
    /// An empty bank for `capacity` rows of `d` numbers.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`] and [`Error::TooLarge`] for its sizes, [`Error::DeviceLimit`],
    /// [`Error::OutOfMemory`], [`Error::Gpu`].
    pub fn new(context: &Context, capacity: usize, d: usize) -> Result<Self> {
        Shape::reference(1, capacity, d).check()?;
        let allocator = Allocator::new(context);
        let (embeddings, labels) = scoped(context, "making a memory bank", || {
            context.check_alive("making a memory bank")?;
            let embeddings = allocator
                .filled_by_copies("embeddings of the memory bank", (capacity * d) as u64 * 4)?;
            Ok((
                embeddings,
                allocator.filled_by_copies("labels of the memory bank", capacity as u64 * 4)?,
            ))
        })?;
        let context = context.clone();
        Ok(Self { context, embeddings, labels, capacity, dimensions: d, len: 0, next: 0 })
    }

    /// Records the copies that put `n` rows and their labels in the place of the oldest ones; of
    /// more rows than the bank holds the last ones stay. The ranges need the usage `COPY_SRC`,
    /// and the encoder is to be submitted before the next one that the bank is recorded into.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`] for a range that is too small, misaligned, lacks the usage, is of another
    /// device or is the bank's own, [`Error::TooLarge`] for more rows than can be counted.
    pub fn enqueue(
        &mut self,
        encoder: &mut wgpu::CommandEncoder,
        n: usize,
        embeddings: wgpu::BufferSlice<'_>,
        labels: wgpu::BufferSlice<'_>,
    ) -> Result<()> {
        countable("embeddings", n, self.dimensions)?;
        let row = self.dimensions as u64 * 4;
        self.check("embeddings", &embeddings, n as u64 * row)?;
        self.check("labels", &labels, n as u64 * 4)?;
        self.check_devices([("embeddings", &embeddings), ("labels", &labels)])?;
        let mut from = n.saturating_sub(self.capacity);
        while from < n {
            let rows = (n - from).min(self.capacity - self.next);
            copy(encoder, &embeddings, &self.embeddings, [from, self.next, rows], row);
            copy(encoder, &labels, &self.labels, [from, self.next, rows], 4);
            from += rows;
            self.next = (self.next + rows) % self.capacity;
            self.len = self.capacity.min(self.len + rows);
        }
        Ok(())
    }

    fn check(&self, what: &'static str, range: &wgpu::BufferSlice<'_>, needed: u64) -> Result<()> {
        if !range.buffer().usage().contains(wgpu::BufferUsages::COPY_SRC) {
            let problem = format!("its usage is {:?}, COPY_SRC is needed", range.buffer().usage());
            return Err(Error::Buffer { what, problem });
        }
        if [&self.embeddings, &self.labels].contains(&range.buffer()) {
            return Err(Error::Buffer { what, problem: "it is the bank's own".into() });
        }
        if range.size() < needed {
            let problem = format!("the range has {} bytes, {needed} are needed", range.size());
            return Err(Error::Buffer { what, problem });
        }
        if range.offset() % wgpu::COPY_BUFFER_ALIGNMENT != 0 {
            let problem =
                format!("the range begins at byte {}, which is no multiple of 4", range.offset());
            return Err(Error::Buffer { what, problem });
        }
        Ok(())
    }

    /// Refuses buffers of another device: of both ranges at once, and one by one only where that
    /// fails.
    fn check_devices(&self, ranges: [(&'static str, &wgpu::BufferSlice<'_>); 2]) -> Result<()> {
        if self.try_copies(&ranges.map(|(_, range)| range)).is_ok() {
            return Ok(());
        }
        ranges.into_iter().try_for_each(|(what, range)| {
            let problem = |error| Error::Buffer { what, problem: refused(&error) };
            self.try_copies(&[range]).map_err(problem)
        })
    }

    /// Tries copies that are not submitted: wgpu tells of which device a buffer is in no other way.
    fn try_copies(&self, ranges: &[&wgpu::BufferSlice<'_>]) -> Result<()> {
        let device = self.context.device();
        scoped(&self.context, "checking a buffer", || {
            let mut encoder = device.create_command_encoder(&Default::default());
            for range in ranges {
                copy(&mut encoder, range, &self.labels, [0, 0, 1], wgpu::COPY_BUFFER_ALIGNMENT);
            }
            encoder.finish();
            Ok(())
        })
    }

    /// How many rows it holds now.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether it holds as many as it can.
    pub fn is_full(&self) -> bool {
        self.len == self.capacity
    }

    /// How many rows it can hold.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The shape of `n` embeddings against what the bank holds now, which gets no gradient. An
    /// empty bank has none to plan for: the first batch is only enqueued.
    pub fn shape(&self, n: usize) -> Shape {
        Shape::reference(n, self.len, self.dimensions).with_fixed_references()
    }

    /// Embeddings and labels, each in a whole buffer, against the bank.
    pub fn inputs<'a>(
        &'a self,
        embeddings: &'a wgpu::Buffer,
        labels: &'a wgpu::Buffer,
    ) -> Inputs<'a> {
        Inputs::new(embeddings, labels)
            .with(Input::References, self.embeddings.slice(..))
            .with(Input::ReferenceLabels, self.labels.slice(..))
    }

    /// The embeddings, `capacity` x D, of which the first [`len`](Self::len) rows are filled; the
    /// oldest is overwritten first.
    pub fn embeddings(&self) -> &wgpu::Buffer {
        &self.embeddings
    }

    /// The labels of the rows in the bank.
    pub fn labels(&self) -> &wgpu::Buffer {
        &self.labels
    }
}

/// Copies `rows` rows of so many bytes from row `from` of a range to row `to` of a buffer.
pub(crate) fn copy(
    encoder: &mut wgpu::CommandEncoder,
    source: &wgpu::BufferSlice<'_>,
    destination: &wgpu::Buffer,
    [from, to, rows]: [usize; 3],
    row: u64,
) {
    let [from, to, rows] = [from, to, rows].map(|count| count as u64 * row);
    encoder.copy_buffer_to_buffer(source.buffer(), source.offset() + from, destination, to, rows);
}
