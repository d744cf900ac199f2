//! Where a training stands.

use super::Optimizer;
use crate::data::checks::check_length;
use crate::error::{Error, Result};

/// Where a training stands after some steps: everything that the steps to come depend on, beside the
/// [`Training`](super::Training), the labelled rows and the learning rate.
///
/// A trainer gives it ([`CpuTrainer::checkpoint`](super::CpuTrainer::checkpoint)), and another
/// trainer of the same training goes on from it: on the same device with the same bits. Another
/// device goes on as well, with the numbers rounded to its own precision.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The parameters of the perceptron, in the order of [`Mlp`](super::Mlp).
    pub parameters: Vec<f32>,
    /// What the optimiser remembers of every parameter: of [`Adam`](super::Adam) the moving averages
    /// of the gradient and of its square, of [`Sgd`](super::Sgd) the velocity, and 0.
    pub moments: Vec<[f64; 2]>,
    /// What the moments of a gradient that was always 1 would be: from 0 to 1, and above 0 after the
    /// first step; 0 for [`Sgd`](super::Sgd).
    pub moments_of_one: [f64; 2],
    /// The steps that the optimiser has made.
    pub steps: u32,
    /// The batches that were drawn.
    pub batches: u32,
}

impl Checkpoint {
    /// Checks that it is one of so many parameters, that all of it is finite, and that the optimiser
    /// can have got there.
    pub(crate) fn check(&self, optimizer: &Optimizer, parameters: usize) -> Result<()> {
        check_length("parameters", self.parameters.len(), parameters)?;
        check_length("moments", self.moments.len(), parameters)?;
        let refuse = |what, row, column| Err(Error::NotFinite { what, row, column });
        if let Some(at) = self.parameters.iter().position(|number| !number.is_finite()) {
            return refuse("parameters", at, 0);
        }
        let all = self.moments.iter().chain([&self.moments_of_one]).enumerate();
        for (row, moments) in all {
            // As far as a GPU holds it.
            if let Some(column) = moments.iter().position(|&moment| !(moment as f32).is_finite()) {
                return refuse("moments", row, column);
            }
        }
        match optimizer {
            Optimizer::Adam(_) => self.check_squares(),
            Optimizer::Sgd(_) => Ok(()),
        }
    }

    /// Checks what Adam takes the root of and divides by.
    fn check_squares(&self) -> Result<()> {
        let refuse = |parameter, value: f64, allowed| {
            Err(Error::Parameter { of: "Checkpoint", parameter, value: value.to_string(), allowed })
        };
        if let Some([_, square]) = self.moments.iter().find(|[_, square]| *square < 0.0) {
            return refuse("moments", *square, "a second moment of at least 0");
        }
        let is_allowed = |of_one: f64| {
            let is_begun = self.steps == 0 || of_one as f32 > 0.0;
            is_begun && (0.0..=1.0).contains(&of_one)
        };
        match self.moments_of_one.iter().find(|&&of_one| !is_allowed(of_one)) {
            Some(&of_one) => {
                refuse("moments_of_one", of_one, "from 0 to 1, and above 0 after the first step")
            }
            None => Ok(()),
        }
    }
}
