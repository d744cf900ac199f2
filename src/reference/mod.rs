//! The answer by definition: every loss and its gradient in f64 on the CPU, by brute force,
//! readable beside the paper.
//!
//! [`evaluate`] is what the library's results mean. [`evaluate_with_bounds`] adds how far correct
//! f32 kernels may be from it, number by number, and [`Expectation::compare`] holds a result
//! against that.
//!
//! ```
//! use wgpu_metric_learning::{Batch, Triplet, reference};
//!
//! let embeddings = [0.0, 0.0, 0.3, 0.0, 0.0, 0.4];
//! let batch = Batch::new(&embeddings, [3, 2], &[7, 7, 8])?;
//! let evaluation = reference::evaluate(Triplet::default(), &batch)?;
//! // Triplets (0, 1, 2) and (1, 0, 2): 0.3 - 0.4 + 0.2, and 0.3 - 0.5 + 0.2 = 0.
//! assert!((evaluation.loss - 0.1 / 2.0).abs() < 1e-6);
//! # Ok::<(), wgpu_metric_learning::Error>(())
//! ```
//!
//! What to read first: in the room `definition` the file of a loss, `contrastive` the plainest. It
//! says what one anchor's row of distances adds to the loss and what the derivative by each
//! distance is. Here `distance` turns those into gradients, `sweep` runs over the anchors,
//! `pointwise` over the rows of losses without pairs, and `bounded` is the arithmetic that carries
//! the rounding errors of f32 along.

pub(crate) mod bounded;
mod comparison;
mod distance;
mod expectation;
mod measures;
mod objective;
mod points;
mod pointwise;
mod problem;
mod sweep;
mod training;
mod verification;

#[cfg(test)]
mod finite_differences;
#[cfg(test)]
pub(crate) mod samples;

pub use comparison::{Comparison, Deviation};
pub use expectation::Expectation;
pub use measures::{MeasuresExpectation, measure, measure_with_bounds};
pub use objective::{
    ObjectiveExpectation, evaluate_objective, evaluate_objective_with_bounds,
    evaluate_objective_with_bounds_in,
};

use crate::data::arithmetic::Arithmetic;
use crate::data::batch::Batch;
use crate::data::evaluation::Evaluation;
use crate::error::Result;
use crate::loss::{Loss, for_every_loss};
use problem::{Numbers, Problem};
use sweep::floored;
pub use training::{NumbersExpectation, backward, forward, optimize, project, project_back};
pub use verification::{VerificationExpectation, verify, verify_with_bounds};

/// A loss by its definition, in f64.
///
/// # Errors
///
/// Those of [`Batch::check`].
pub fn evaluate(loss: impl Into<Loss>, batch: &Batch) -> Result<Evaluation<f64>> {
    evaluate_with_bounds(loss, batch).map(|expectation| expectation.evaluation)
}

/// A loss by its definition, in f64, and how far correct f32 kernels may be from every number of
/// it.
///
/// # Errors
///
/// Those of [`Batch::check`].
pub fn evaluate_with_bounds(loss: impl Into<Loss>, batch: &Batch) -> Result<Expectation> {
    evaluate_with_bounds_in(Arithmetic::Exact, loss, batch)
}

/// A loss by its definition, in f64, and how far correct f32 kernels of this arithmetic may be from
/// every number of it: of `Options::arithmetic`. The numbers are the same in any.
///
/// # Errors
///
/// Those of [`Batch::check`].
pub fn evaluate_with_bounds_in(
    arithmetic: Arithmetic,
    loss: impl Into<Loss>,
    batch: &Batch,
) -> Result<Expectation> {
    let loss = loss.into();
    batch.check(&loss)?;
    Ok(expect(arithmetic, &loss, batch, Numbers::of(loss.description(), batch)))
}

macro_rules! define_expect {
    ($($pairs:ident),*; $($pointwise:ident),*) => {
        /// What is expected of the loss over the batch with `numbers` in the place of the batch's
        /// own.
        fn expect(
            arithmetic: Arithmetic,
            loss: &Loss,
            batch: &Batch,
            numbers: Numbers,
        ) -> Expectation {
            match loss {
                $(Loss::$pairs(loss) => {
                    sweep::sweep(loss, &Problem::of(loss, batch, numbers).with(arithmetic))
                })*
                $(Loss::$pointwise(loss) => pointwise::evaluate(loss, batch, &numbers.embeddings),)*
            }
        }
    };
}
for_every_loss!(define_expect);
