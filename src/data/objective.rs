//! Weighted sums of losses.

use crate::data::batch::Batch;
use crate::data::evaluation::Evaluation;
use crate::data::input::{InputSet, Numbers};
use crate::data::shape::Shape;
use crate::error::{Error, Result};
use crate::loss::Loss;

/// A loss of an objective: its weight, and what it is evaluated on.
///
/// `I` is a [`Batch`] on the host or a [`Shape`] for a plan. Losses over the same set of rows, the
/// embeddings of a batch for instance, share that set's inputs and one gradient; a loss over other
/// rows, the logits of a classification head for instance, names another set and has that one's
/// gradient. All inputs of a set are shared. Losses that need other labels, references, betas or
/// lists for the same rows are evaluated one by one.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighted<I> {
    /// What its loss and gradients are multiplied with; any finite number.
    pub weight: f32,
    /// The loss.
    pub loss: Loss,
    /// What it is evaluated on.
    pub inputs: I,
    /// Which set of rows it is over; sets are numbered from 0.
    pub set: usize,
}

impl<I> Weighted<I> {
    /// A loss over set 0.
    pub fn new(weight: f32, loss: impl Into<Loss>, inputs: I) -> Self {
        Self { weight, loss: loss.into(), inputs, set: 0 }
    }

    /// This weighted loss over another set.
    pub fn over(self, set: usize) -> Self {
        Self { set, ..self }
    }
}

impl Weighted<Batch<'_>> {
    /// This weighted loss with the shape of its inputs in their place.
    pub fn shape(&self) -> Weighted<Shape> {
        Weighted {
            weight: self.weight,
            loss: self.loss.clone(),
            inputs: *self.inputs.shape(),
            set: self.set,
        }
    }
}

/// The result of an objective: `f32` from the GPU, `f64` from the CPU reference.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ObjectiveEvaluation<T = f32> {
    /// The sum of the weighted losses.
    pub loss: T,
    /// Every loss by itself, not weighted, in their order. Its `gradient` is empty, being part of
    /// `gradients`; its gradients with respect to references, beta, scale and bias are weighted.
    pub losses: Vec<Evaluation<T>>,
    /// For every set the gradient of `loss` with respect to its rows, N x D.
    pub gradients: Vec<Vec<T>>,
}

impl<T> ObjectiveEvaluation<T> {
    /// This result with every number that is not a count made into another one, as
    /// [`Evaluation::map`] does.
    pub fn map<U>(self, change: impl Fn(T) -> U) -> ObjectiveEvaluation<U> {
        let all = |numbers: Vec<T>| numbers.into_iter().map(&change).collect();
        ObjectiveEvaluation {
            loss: change(self.loss),
            losses: self.losses.into_iter().map(|loss| loss.map(&change)).collect(),
            gradients: self.gradients.into_iter().map(all).collect(),
        }
    }
}

/// Checks weights and losses, and that the losses of a set have as many rows and columns; gives the
/// rows and columns of every set.
pub(crate) fn check<I>(
    objective: &[Weighted<I>],
    shape_of: impl Fn(&I) -> Shape,
) -> Result<Vec<[usize; 2]>> {
    if objective.is_empty() {
        return Err(Error::Empty { what: "the number of losses" });
    }
    let last = objective.iter().map(|weighted| weighted.set).max().unwrap_or_default();
    if last >= objective.len() {
        return Err(NO_LOSS);
    }
    let mut sets = vec![None; last + 1];
    for Weighted { weight, loss, inputs, set } in objective {
        if !weight.is_finite() {
            let (value, allowed) = (weight.to_string(), "any finite number");
            return Err(Error::Parameter { of: loss.name(), parameter: "weight", value, allowed });
        }
        let shape = shape_of(inputs);
        shape.check()?;
        loss.check(&shape)?;
        let size = [shape.queries(), shape.dimensions()];
        if *sets[*set].get_or_insert(size) != size {
            return Err(Error::Set { what: "embeddings" });
        }
    }
    sets.into_iter().collect::<Option<_>>().ok_or(NO_LOSS)
}

/// A number of a set is left out.
const NO_LOSS: Error = Error::Empty { what: "the number of losses over a set" };

/// Checks the losses with their inputs on the host; gives the inputs of every set, which are what
/// any of its losses is given.
pub(crate) fn check_batches<'a>(
    objective: &[Weighted<Batch<'a>>],
) -> Result<Vec<InputSet<Numbers<'a>>>> {
    let sizes = check(objective, |batch| *batch.shape())?;
    objective.iter().try_for_each(|weighted| weighted.inputs.check(&weighted.loss))?;
    let inputs_of = |set| {
        let mut all = objective.iter().filter(|weighted| weighted.set == set);
        all.try_fold(InputSet::new(), |joined, weighted| joined.join(weighted.inputs.inputs()))
    };
    (0..sizes.len()).map(inputs_of).collect()
}
