//! A whole batch cut into what its ranks hold.

use std::ops::Range;

use super::shard::Shard;
use crate::data::batch::Batch;
use crate::data::mode::Mode;
use crate::error::{Error, Result};

/// The rows of so many that each rank holds, by what share of them it has: of the shares 3, 1, 0 and
/// 2 the first rank holds a half, and the third no row.
///
/// # Errors
///
/// [`Error::Parameter`] where the sum of the shares is 0, or is beyond what can be counted.
pub fn cut(rows: usize, shares: &[usize]) -> Result<Vec<Range<usize>>> {
    let all = shares.iter().try_fold(0_usize, |all, &share| all.checked_add(share));
    let all = all.filter(|&all| all > 0).ok_or_else(|| Error::Parameter {
        of: "a cut",
        parameter: "shares",
        value: format!("{shares:?}"),
        allowed: "numbers with a sum from 1 to that of the largest usize",
    })?;
    let (mut shared, mut start) = (0, 0);
    let part = |share| {
        shared += share;
        // It is at most the number of rows.
        let end = (rows as u128 * shared as u128 / all as u128) as usize;
        std::mem::replace(&mut start, end)..end
    };
    Ok(shares.iter().map(part).collect())
}

impl<'a> Shard<'a> {
    /// These rows of a whole batch, and these of its references, with all that it has beside rows. A
    /// batch without references is its own: both are the same.
    ///
    /// ```
    /// use wgpu_metric_learning::Batch;
    /// use wgpu_metric_learning::sharded::{Shard, cut};
    ///
    /// let batch = Batch::new(&[0.0, 0.5, 1.0, 0.2], [4, 1], &[0, 0, 1, 1])?;
    /// let parts = cut(4, &[1, 3])?;
    /// let shards = parts.into_iter().map(|rows| Shard::of(&batch, rows.clone(), rows));
    /// assert_eq!(shards.collect::<Result<Vec<_>, _>>()?.len(), 2);
    /// # Ok::<(), wgpu_metric_learning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::NotInMode`] for anything but a batch, alone or against references, and
    /// [`Error::Parameter`] for rows or references that it does not have.
    pub fn of(batch: &Batch<'a>, rows: Range<usize>, references: Range<usize>) -> Result<Self> {
        let shape = batch.shape();
        let mode = shape.mode();
        if !matches!(mode, Mode::Batch | Mode::Reference) {
            return Err(Error::NotInMode { what: "shards", mode: mode.name() });
        }
        check_part("rows", &rows, shape.queries())?;
        check_part("references", &references, shape.references())?;
        let numbers =
            |rows: &Range<usize>| rows.start * shape.dimensions()..rows.end * shape.dimensions();
        let embeddings = &batch.embeddings()[numbers(&rows)];
        let mut shard = Self::new(shape.dimensions(), embeddings, &batch.labels()[rows.clone()])
            .with_beta(batch.beta());
        if mode == Mode::Reference {
            let numbers = &batch.references()[numbers(&references)];
            shard = shard.with_references(numbers, &batch.reference_labels()[references]);
            if !shape.has_reference_gradient() {
                shard = shard.with_fixed_references();
            }
        } else if references != rows {
            return Err(not_held(
                "references",
                &references,
                "those of the rows, as it has no other",
            ));
        }
        shard = match (shape.has_weights(), shape.class_weights()) {
            (false, _) => shard,
            (true, 0) => shard.with_weights(&batch.weights()[rows]),
            (true, _) => shard.with_class_weights(batch.weights()),
        };
        let shard = shape.reference_offset().map_or(shard, |at| shard.with_reference_offset(at));
        let shard = batch.scale().map_or(shard, |scale| shard.with_scale(scale));
        Ok(batch.bias().map_or(shard, |bias| shard.with_bias(bias)))
    }
}

fn check_part(parameter: &'static str, part: &Range<usize>, rows: usize) -> Result<()> {
    match part.start <= part.end && part.end <= rows {
        true => Ok(()),
        false => Err(not_held(parameter, part, "a part of those that there are")),
    }
}

fn not_held(parameter: &'static str, part: &Range<usize>, allowed: &'static str) -> Error {
    Error::Parameter { of: "a shard of a batch", parameter, value: format!("{part:?}"), allowed }
}
