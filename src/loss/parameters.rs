//! What parameters may be.

use crate::error::{Error, Result};

pub(super) fn check_finite(of: &'static str, parameter: &'static str, value: f32) -> Result<()> {
    if value.is_finite() {
        return Ok(());
    }
    Err(Error::Parameter { of, parameter, value: value.to_string(), allowed: "any finite number" })
}

pub(super) fn check_positive(of: &'static str, parameter: &'static str, value: f32) -> Result<()> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(Error::Parameter {
        of,
        parameter,
        value: value.to_string(),
        allowed: "any finite number above 0",
    })
}

pub(crate) fn check_strength(of: &'static str, parameter: &'static str, value: f32) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(Error::Parameter {
        of,
        parameter,
        value: value.to_string(),
        allowed: "any finite number of at least 0",
    })
}

/// Checks the share of the past that is kept.
pub(crate) fn check_share(of: &'static str, parameter: &'static str, value: f32) -> Result<()> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::Parameter {
        of,
        parameter,
        value: value.to_string(),
        allowed: "0 or more and less than 1",
    })
}

/// Below the smallest normal number f32 may take it for 0.
pub(super) fn check_temperature(of: &'static str, value: f32) -> Result<()> {
    if value.is_normal() && value > 0.0 {
        return Ok(());
    }
    Err(Error::Parameter {
        of,
        parameter: "temperature",
        value: value.to_string(),
        allowed: "any finite number greater than 0, and not subnormal",
    })
}

pub(super) fn check_power(of: &'static str, power: u32) -> Result<()> {
    if matches!(power, 1 | 2) {
        return Ok(());
    }
    Err(Error::Parameter { of, parameter: "power", value: power.to_string(), allowed: "1 or 2" })
}
