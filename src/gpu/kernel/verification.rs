//! The kernels of verification.

use crate::gpu::kernel::Kernel;
use crate::gpu::kernel::catalogue::kernel;
use crate::gpu::kernel::interface::Interface;
use crate::wgsl::include::shader;
use crate::wgsl::layout::{DIGIT_BITS, Mark};

/// Every one of them.
pub(crate) fn all() -> Vec<Kernel> {
    let rounds = (0..Mark::ROUNDS).flat_map(|round| [digits(round), choose(round)]);
    let others = [numbers(), offsets(), collect(), sorted(), places(), best(), totals()];
    others.into_iter().chain(rounds).collect()
}

pub(crate) fn numbers() -> Kernel {
    kernel(Interface::VerificationNumbers, shader!("verification/numbers.wgsl"), Vec::new())
}

pub(crate) fn offsets() -> Kernel {
    kernel(Interface::VerificationOffsets, shader!("verification/offsets.wgsl"), Vec::new())
}

pub(crate) fn collect() -> Kernel {
    kernel(Interface::VerificationCollect, shader!("verification/collect.wgsl"), Vec::new())
}

/// What was collected, in the order that its digits have been sorted into.
pub(crate) fn sorted() -> Kernel {
    kernel(Interface::Incidence, shader!("verification/sorted.wgsl"), Vec::new())
}

pub(crate) fn places() -> Kernel {
    kernel(Interface::VerificationPlaces, shader!("verification/places.wgsl"), Vec::new())
}

pub(crate) fn best() -> Kernel {
    kernel(Interface::VerificationBest, shader!("verification/best.wgsl"), Vec::new())
}

/// Counts by a digit of the thresholds, from the highest one on.
pub(crate) fn digits(round: u32) -> Kernel {
    let shader = shader!("verification/digits.wgsl");
    kernel(Interface::VerificationDigits, shader, vec![shift(round)])
}

/// Chooses that digit.
pub(crate) fn choose(round: u32) -> Kernel {
    let shader = shader!("verification/choose.wgsl");
    kernel(Interface::VerificationChoose, shader, vec![shift(round)])
}

fn shift(round: u32) -> (&'static str, f64) {
    ("SHIFT", ((Mark::ROUNDS - 1 - round) * DIGIT_BITS).into())
}

pub(crate) fn totals() -> Kernel {
    kernel(Interface::VerificationTotals, shader!("verification/totals.wgsl"), Vec::new())
}
