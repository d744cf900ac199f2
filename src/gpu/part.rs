//! A loss on its basis, which it may share with other losses.

use super::basis::Basis;
use super::buffers::Buffers;
use super::dispatch::Step;
use super::{pointwise, steps};
use crate::loss::{Loss, SEED};
use crate::shape::Mode;
use crate::{Error, Result};

/// A loss with its buffers.
#[derive(Debug)]
pub(crate) struct Part {
    pub loss: Loss,
    pub buffers: Buffers,
}

impl Part {
    /// The gradients of the loss are multiplied with `weight`. `beside` are the others on the same
    /// basis so far.
    pub(crate) fn new(basis: &Basis, loss: Loss, weight: f32, beside: &[Self]) -> Result<Self> {
        let rows = match basis.shape.mode() {
            Mode::Pointwise => pointwise::checked_rows(&loss, &basis.shape)?,
            _ => basis.stripes.height,
        };
        let coefficients = beside.iter().find_map(|other| other.buffers.coefficients.stripe());
        let buffers = Buffers::new(basis, &loss, rows, weight, coefficients)?;
        Ok(Self { loss, buffers })
    }

    /// Replaces the seed of a loss that draws.
    pub(crate) fn set_seed(&self, queue: &wgpu::Queue, seed: u32) -> Result<()> {
        let parameters = self.loss.description().terms().parameters;
        let Some(place) = parameters.iter().position(|&(name, _)| name == SEED) else {
            let (what, reason) = ("a seed".into(), "it draws nothing".into());
            return Err(Error::Unsupported { loss: self.loss.name(), what, reason });
        };
        queue.write_buffer(&self.buffers.parameters, (place * 4) as u64, bytemuck::bytes_of(&seed));
        Ok(())
    }
}

/// The steps of losses that share a basis, after those that prepare it.
pub(crate) fn steps_of(basis: &Basis, parts: &[Part]) -> Result<Vec<Step>> {
    match basis.shape.mode() {
        Mode::Pointwise => pointwise::steps(basis, parts),
        _ => steps::steps(basis, parts),
    }
}
