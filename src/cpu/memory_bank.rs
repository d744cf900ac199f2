//! Cross-batch memory on the host: embeddings of earlier batches as references.

use crate::data::batch::Batch;
use crate::data::checks::check_rows;
use crate::data::shape::{Shape, countable};
use crate::error::Result;

/// The last embeddings and labels, at most `capacity` of them, in a ring on the host: references
/// for losses in reference mode that see more than one batch, as
/// [`MemoryBank`](crate::MemoryBank) is on the GPU.
///
/// [`enqueue`](Self::enqueue) a batch after its loss has been evaluated, so that no row meets
/// itself.
///
/// ```
/// use wgpu_metric_learning::{Batch, Contrastive, Cpu, CpuMemoryBank};
///
/// let mut bank = CpuMemoryBank::new(100, 2)?;
/// bank.enqueue(&[0.0, 0.1, 0.9, 0.0], &[3, 5])?;
/// let embeddings = [0.0, 0.2, 0.8, 0.1];
/// let batch = bank.against(Batch::new(&embeddings, [2, 2], &[3, 5])?)?;
/// assert_eq!(Cpu::default().evaluate(Contrastive::default(), &batch).wait()?.positive_pairs, 2);
/// # Ok::<(), wgpu_metric_learning::Error>(())
/// ```
///
/// Source: Wang, Zhang, Huang and Scott, "Cross-Batch Memory for Embedding Learning", CVPR 2020.
#[derive(Clone, Debug)]
pub struct CpuMemoryBank {
    embeddings: Vec<f32>,
    labels: Vec<u32>,
    capacity: usize,
    dimensions: usize,
    /// The row that the next one is written to.
    next: usize,
}

impl CpuMemoryBank {
    /// An empty bank for `capacity` rows of `d` numbers.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`](crate::Error::Empty) and [`Error::TooLarge`](crate::Error::TooLarge) for its
    /// sizes.
    pub fn new(capacity: usize, d: usize) -> Result<Self> {
        Shape::reference(1, capacity, d).check()?;
        let (embeddings, labels) = (Vec::new(), Vec::new());
        Ok(Self { embeddings, labels, capacity, dimensions: d, next: 0 })
    }

    /// Puts rows and their labels in the place of the oldest ones; of more rows than the bank holds
    /// the last ones stay.
    ///
    /// # Errors
    ///
    /// [`Error::Length`](crate::Error::Length) for embeddings of another length than the labels ask
    /// for, [`Error::NotFinite`](crate::Error::NotFinite) for NaN and infinities,
    /// [`Error::TooLarge`](crate::Error::TooLarge) for more rows than can be counted; before
    /// anything is changed.
    pub fn enqueue(&mut self, embeddings: &[f32], labels: &[u32]) -> Result<()> {
        let d = self.dimensions;
        countable("embeddings", labels.len(), d)?;
        check_rows("embeddings", embeddings, labels.len(), d)?;
        let first = labels.len().saturating_sub(self.capacity);
        for (row, &label) in embeddings[first * d..].chunks_exact(d).zip(&labels[first..]) {
            if self.is_full() {
                self.embeddings[self.next * d..][..d].copy_from_slice(row);
                self.labels[self.next] = label;
            } else {
                self.embeddings.extend(row);
                self.labels.push(label);
            }
            self.next = (self.next + 1) % self.capacity;
        }
        Ok(())
    }

    /// The batch against the rows in the bank, which stay as they are.
    ///
    /// # Errors
    ///
    /// Those of [`Batch::with_references`]: [`Error::Empty`](crate::Error::Empty) for a bank without
    /// a row, [`Error::Length`](crate::Error::Length) for rows of other dimensions.
    pub fn against<'a>(&'a self, batch: Batch<'a>) -> Result<Batch<'a>> {
        let batch = batch.with_references(&self.embeddings, self.len(), &self.labels)?;
        Ok(batch.with_fixed_references())
    }

    /// How many rows it holds.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Whether the next row takes the place of another one.
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity
    }

    /// How many rows it can hold.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The embeddings, a row after the other; once the bank is full, the oldest is overwritten
    /// first.
    pub fn embeddings(&self) -> &[f32] {
        &self.embeddings
    }

    /// The labels of the rows.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }
}
