//! What parameters may be.

use std::f32::consts::FRAC_PI_2;

use crate::error::{Error, Result};
use crate::loss::Distance;

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

pub(super) fn check_count(of: &'static str, parameter: &'static str, value: u32) -> Result<()> {
    if value > 0 {
        return Ok(());
    }
    Err(Error::Parameter { of, parameter, value: value.to_string(), allowed: "at least 1" })
}

pub(super) fn check_part(of: &'static str, parameter: &'static str, value: f32) -> Result<()> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::Parameter { of, parameter, value: value.to_string(), allowed: "0 to 1" })
}

pub(super) fn check_angle(of: &'static str, parameter: &'static str, value: f32) -> Result<()> {
    if (0.0..=FRAC_PI_2).contains(&value) {
        return Ok(());
    }
    let allowed = "an angle of 0 to pi / 2";
    Err(Error::Parameter { of, parameter, value: value.to_string(), allowed })
}

/// Checks the distance of a loss that is defined by cosines.
pub(super) fn check_cosines(of: &'static str, distance: Distance) -> Result<()> {
    if distance == Distance::Cosine {
        return Ok(());
    }
    Err(Error::Unsupported {
        of,
        what: format!("{distance:?} distances"),
        reason: "it is defined by cosines: it takes Cosine".into(),
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

pub(super) fn check_temperature(of: &'static str, value: f32) -> Result<()> {
    check_normal(of, "temperature", value)
}

/// Below the smallest normal number f32 may take it for 0.
pub(super) fn check_normal(of: &'static str, parameter: &'static str, value: f32) -> Result<()> {
    if value.is_normal() && value > 0.0 {
        return Ok(());
    }
    Err(Error::Parameter {
        of,
        parameter,
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
