//! Batches with as many rows of every class.

use serde::{Deserialize, Serialize};

use crate::data::random::uniform_number;
use crate::error::{Error, Result};

/// Draws batches that have as many rows of each of their classes: what losses over pairs need, which
/// find no positive pair in a batch of chance where there are many classes.
///
/// Source: Hermans, Beyer and Leibe, "In Defense of the Triplet Loss for Person Re-Identification",
/// 2017 ("PK" batches); `MPerClassSampler` of pytorch-metric-learning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BalancedSampler {
    /// Classes in a batch; from 2 to the number of classes that have two rows or more. Default 8.
    pub classes_per_batch: usize,
    /// Rows of each class in a batch, at least 2. A class that has fewer gives each of its rows as
    /// often as any other, or once more. Default 4.
    pub samples_per_class: usize,
}

impl Default for BalancedSampler {
    fn default() -> Self {
        Self { classes_per_batch: 8, samples_per_class: 4 }
    }
}

const NAME: &str = "BalancedSampler";

impl BalancedSampler {
    /// Rows of a batch.
    pub fn rows(&self) -> usize {
        self.classes_per_batch.saturating_mul(self.samples_per_class)
    }

    /// Begins to draw rows that have these labels. The same seed gives the same batches on every
    /// machine. Rows of a class of one row are never drawn.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a number of classes or rows outside its range.
    pub fn draw(&self, labels: &[u32], seed: u32) -> Result<Draws> {
        let mut order: Vec<usize> = (0..labels.len()).collect();
        order.sort_by_key(|&row| labels[row]);
        let classes: Vec<Vec<usize>> = order
            .chunk_by(|&a, &b| labels[a] == labels[b])
            .filter(|rows| rows.len() > 1)
            .map(<[usize]>::to_vec)
            .collect();
        let refuse = |parameter, value: usize, allowed| {
            Err(Error::Parameter { of: NAME, parameter, value: value.to_string(), allowed })
        };
        let Self { classes_per_batch, samples_per_class } = *self;
        if !(2..=classes.len()).contains(&classes_per_batch) {
            let allowed = "from 2 to the number of classes that have two rows or more";
            return refuse("classes_per_batch", classes_per_batch, allowed);
        }
        if samples_per_class < 2 || self.rows() >= u32::MAX as usize / 4 {
            let allowed = "2 or more, and as many as make a batch of fewer than 2^30 rows";
            return refuse("samples_per_class", samples_per_class, allowed);
        }
        Ok(Draws { sampler: *self, classes, seed, batch: 0 })
    }
}

/// The batches of a [`BalancedSampler`], one after the other without end: the indices of their
/// rows, those of a class one after the other.
#[derive(Clone, Debug)]
pub struct Draws {
    sampler: BalancedSampler,
    /// The rows of every class.
    classes: Vec<Vec<usize>>,
    seed: u32,
    batch: u32,
}

impl Draws {
    /// How many batches were drawn.
    pub fn drawn(&self) -> u32 {
        self.batch
    }

    /// Goes to where so many batches have been drawn: the next one is the one that would come then.
    pub fn set_drawn(&mut self, batches: u32) {
        self.batch = batches;
    }
}

impl Iterator for Draws {
    type Item = Vec<usize>;

    fn next(&mut self) -> Option<Vec<usize>> {
        let BalancedSampler { classes_per_batch, samples_per_class } = self.sampler;
        let mut numbers = 0;
        let mut below = |end: usize| {
            numbers += 1;
            (uniform_number([self.seed, self.batch, numbers]) * end as f64) as usize
        };
        let mut rows = Vec::with_capacity(self.sampler.rows());
        let mut classes: Vec<&[usize]> = self.classes.iter().map(Vec::as_slice).collect();
        shuffle(&mut classes, classes_per_batch, &mut below);
        for class in &classes[..classes_per_batch] {
            let mut class = class.to_vec();
            shuffle(&mut class, samples_per_class, &mut below);
            rows.extend(class.iter().cycle().take(samples_per_class));
        }
        self.batch = self.batch.wrapping_add(1);
        Some(rows)
    }
}

/// Brings so many of the items, in an order of chance, to the front; `below` gives a random number
/// below another.
fn shuffle<T>(items: &mut [T], count: usize, below: &mut impl FnMut(usize) -> usize) {
    for at in 0..count.min(items.len()) {
        let other = at + below(items.len() - at);
        items.swap(at, other);
    }
}
