//! What parameters may be.

use crate::error::{Error, Result};

pub(super) fn check_finite(loss: &'static str, parameter: &'static str, value: f32) -> Result<()> {
    if value.is_finite() {
        return Ok(());
    }
    Err(Error::Parameter {
        loss,
        parameter,
        value: value.to_string(),
        allowed: "any finite number",
    })
}

pub(super) fn check_positive(
    loss: &'static str,
    parameter: &'static str,
    value: f32,
) -> Result<()> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(Error::Parameter {
        loss,
        parameter,
        value: value.to_string(),
        allowed: "any finite number above 0",
    })
}

pub(crate) fn check_strength(
    loss: &'static str,
    parameter: &'static str,
    value: f32,
) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(Error::Parameter {
        loss,
        parameter,
        value: value.to_string(),
        allowed: "any finite number of at least 0",
    })
}

/// Checks the share of the past that is kept.
pub(crate) fn check_share(loss: &'static str, parameter: &'static str, value: f32) -> Result<()> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::Parameter {
        loss,
        parameter,
        value: value.to_string(),
        allowed: "0 or more and less than 1",
    })
}

/// Below the smallest normal number f32 may take it for 0.
pub(super) fn check_temperature(loss: &'static str, value: f32) -> Result<()> {
    if value.is_normal() && value > 0.0 {
        return Ok(());
    }
    Err(Error::Parameter {
        loss,
        parameter: "temperature",
        value: value.to_string(),
        allowed: "any finite number greater than 0, and not subnormal",
    })
}

pub(super) fn check_power(loss: &'static str, power: u32) -> Result<()> {
    if matches!(power, 1 | 2) {
        return Ok(());
    }
    Err(Error::Parameter { loss, parameter: "power", value: power.to_string(), allowed: "1 or 2" })
}
