//! What is trained, and on what.

use super::{BalancedSampler, Draws, Mlp, Optimizer};
use crate::data::checks::{check_length, check_weights};
use crate::data::objective::{self, Weighted};
use crate::data::shape::Shape;
use crate::error::{Error, Result};

/// A perceptron that is trained on labelled rows, and how: batches of the sampler go through it, and
/// the optimiser makes a step along the gradient of the objective of what comes out.
///
/// [`Cpu::trainer`](crate::Cpu::trainer) trains it, and with the feature `gpu` so do
/// [`Context::trainer`](crate::Context::trainer) and [`Engine::trainer`](crate::Engine::trainer).
#[derive(Clone, Debug, PartialEq)]
pub struct Training {
    /// The perceptron, which begins with its
    /// [`initial_parameters`](Mlp::initial_parameters).
    pub mlp: Mlp,
    /// The losses of the outputs with their weights, all over set 0: any that take batches of
    /// embeddings and labels and nothing else.
    pub objective: Vec<Weighted<()>>,
    /// What makes the steps.
    pub optimizer: Optimizer,
    /// What draws the batches.
    pub sampler: BalancedSampler,
    /// What the first parameters and the batches are drawn by: the same seed gives the same ones on
    /// every machine.
    pub seed: u32,
}

/// The labelled rows that a perceptron is trained on, and the batches that are drawn of them.
#[derive(Clone, Debug)]
pub(crate) struct Drawing {
    columns: usize,
    inputs: Vec<f32>,
    labels: Vec<u32>,
    /// One for every row; nothing where there are none.
    weights: Vec<f32>,
    draws: Draws,
}

/// The rows of a batch, their labels, and their weights where rows have any.
pub(crate) struct Drawn {
    pub inputs: Vec<f32>,
    pub labels: Vec<u32>,
    pub weights: Vec<f32>,
}

impl Training {
    /// The shape of a batch of outputs.
    pub(crate) fn shape(&self) -> Shape {
        Shape::batch(self.sampler.rows(), self.mlp.outputs)
    }

    /// The objective over one kind of inputs.
    pub(crate) fn objective_over<I: Copy>(&self, inputs: I) -> Vec<Weighted<I>> {
        let over = |weighted: &Weighted<()>| {
            let &Weighted { weight, ref loss, set, .. } = weighted;
            Weighted { weight, loss: loss.clone(), inputs, set }
        };
        self.objective.iter().map(over).collect()
    }

    /// Checks everything, and begins to draw.
    pub(crate) fn begin(&self, inputs: &[f32], labels: &[u32]) -> Result<Drawing> {
        let columns = self.mlp.inputs;
        self.mlp.check(self.sampler.rows().max(labels.len()))?;
        check_length("inputs", inputs.len(), labels.len() * columns)?;
        let draws = self.sampler.draw(labels, self.seed)?;
        if let Some(Weighted { loss, set, .. }) = self.objective.iter().find(|of| of.set != 0) {
            let (value, allowed) = (set.to_string(), "0, since there is one set of rows");
            return Err(Error::Parameter { of: loss.name(), parameter: "set", value, allowed });
        }
        objective::check(&self.objective_over(self.shape()), |shape| *shape)?;
        if let Some(at) = inputs.iter().position(|number| !number.is_finite()) {
            let (row, column) = (at / columns, at % columns);
            return Err(Error::NotFinite { what: "inputs", row, column });
        }
        let (inputs, labels, weights) = (inputs.to_vec(), labels.to_vec(), Vec::new());
        Ok(Drawing { columns, inputs, labels, weights, draws })
    }
}

impl Drawing {
    /// How many batches were drawn.
    pub(crate) fn drawn(&self) -> u32 {
        self.draws.drawn()
    }

    /// Goes to where so many batches have been drawn.
    pub(crate) fn set_drawn(&mut self, batches: u32) {
        self.draws.set_drawn(batches);
    }

    /// Gives every row a weight.
    pub(crate) fn set_weights(&mut self, weights: &[f32]) -> Result<()> {
        check_weights("weights", weights, self.labels.len())?;
        self.weights = weights.to_vec();
        Ok(())
    }

    /// The rows of the next batch.
    pub(crate) fn next(&mut self) -> Drawn {
        let rows = self.draws.next().unwrap_or_default();
        let inputs =
            rows.iter().flat_map(|&row| &self.inputs[row * self.columns..][..self.columns]);
        Drawn {
            inputs: inputs.copied().collect(),
            labels: rows.iter().map(|&row| self.labels[row]).collect(),
            weights: rows.iter().filter_map(|&row| self.weights.get(row).copied()).collect(),
        }
    }
}
