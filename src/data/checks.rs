//! What numbers of a batch may not be.

use crate::error::{Error, Result};
use crate::loss::SIGNS;

/// A scale that is none.
pub(crate) const SCALE_FAULT: Error = Error::Target {
    what: "scale",
    row: 0,
    column: 0,
    allowed: "any finite number greater than 0, and not subnormal",
};

/// A bias that is none.
pub(crate) const BIAS_FAULT: Error = Error::NotFinite { what: "bias", row: 0, column: 0 };

/// What a weight may be, in messages.
const WEIGHTS: &str = "any finite number from 0 on";

/// A weight that is none, at this place.
pub(crate) const fn weight_fault(what: &'static str, row: usize) -> Error {
    Error::Target { what, row, column: 0, allowed: WEIGHTS }
}

/// Demands so many finite numbers, none of which is below 0.
pub(crate) fn check_weights(what: &'static str, weights: &[f32], count: usize) -> Result<()> {
    check_length(what, weights.len(), count)?;
    match weights.iter().position(|weight| !weight.is_finite() || *weight < 0.0) {
        Some(row) => Err(weight_fault(what, row)),
        None => Ok(()),
    }
}

/// Demands rows of finite numbers.
pub(crate) fn check_rows(
    what: &'static str,
    values: &[f32],
    rows: usize,
    columns: usize,
) -> Result<()> {
    check_length(what, values.len(), rows * columns)?;
    match values.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(Error::NotFinite { what, row: at / columns, column: at % columns }),
        None => Ok(()),
    }
}

/// The number in f32.
///
/// # Errors
///
/// [`Error::Overflow`] where it is beyond f32.
pub(crate) fn narrow(what: &'static str, number: f64) -> Result<f32> {
    // Sums of nothing are -0.
    let narrow = (number + 0.0) as f32;
    if narrow.is_finite() { Ok(narrow) } else { Err(Error::Overflow { what }) }
}

/// The same of many numbers, each of them times a factor.
pub(crate) fn narrow_all(
    what: &'static str,
    numbers: &[f64],
    factor: f64,
    narrowed: &mut [f32],
) -> Result<()> {
    for (narrowed, number) in narrowed.iter_mut().zip(numbers) {
        *narrowed = (number * factor + 0.0) as f32;
    }
    // Without a branch, for the processor's vectors.
    let are_finite = narrowed.iter().fold(true, |are, one| are & one.is_finite());
    if are_finite { Ok(()) } else { Err(Error::Overflow { what }) }
}

/// Demands so many numbers.
pub(crate) fn check_length(what: &'static str, actual: usize, expected: usize) -> Result<()> {
    if actual == expected { Ok(()) } else { Err(Error::Length { what, expected, actual }) }
}

pub(crate) fn check_labels(labels: &[u32], what: &'static str, limit: usize) -> Result<()> {
    match labels.iter().position(|&label| label as usize >= limit) {
        Some(row) => Err(Error::LabelOutOfRange { what, row, label: Some(labels[row]), limit }),
        None => Ok(()),
    }
}

pub(super) fn check_same(same: &[u32], pairs: usize) -> Result<()> {
    check_length("same", same.len(), pairs)?;
    match same.iter().position(|&same| same > 1) {
        Some(row) => Err(Error::Target { what: "same", row, column: 0, allowed: "0 or 1" }),
        None => Ok(()),
    }
}

pub(super) fn check_signs(targets: &[f32], columns: usize) -> Result<()> {
    match targets.iter().position(|target| target.abs() != 1.0) {
        Some(at) => Err(Error::Target {
            what: "targets",
            row: at / columns,
            column: at % columns,
            allowed: SIGNS,
        }),
        None => Ok(()),
    }
}

pub(super) fn check_indices<const K: usize>(
    what: &'static str,
    list: &[[u32; K]],
    limit: usize,
) -> Result<()> {
    match list.iter().flatten().position(|&index| index as usize >= limit) {
        Some(at) => Err(Error::IndexOutOfRange { what, row: at / K, column: at % K, limit }),
        None => Ok(()),
    }
}
