//! The multilayer perceptron on the host.

use super::Cpu;
use crate::data::checks::check_length;
use crate::definition::training::perceptron::Perceptron;
use crate::error::Result;
use crate::training::Mlp;
use crate::training::mlp::check;

/// What the layers of a multilayer perceptron make of inputs: [`Cpu::forward`] computes it, and
/// [`Cpu::backward`] finds the slopes in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Activations {
    /// The numbers of every layer, before they are rectified.
    layers: Vec<Vec<f32>>,
}

impl Activations {
    /// The outputs of the last layer, N x D, row by row.
    pub fn outputs(&self) -> &[f32] {
        self.layers.last().map_or(&[], Vec::as_slice)
    }
}

impl Cpu {
    /// Takes `rows` inputs, N x I, through a multilayer perceptron; each number is summed in f64.
    ///
    /// # Errors
    ///
    /// Those of [`Mlp::check`]; [`Error::Length`](crate::Error::Length) for inputs or parameters of
    /// another length.
    pub fn forward(
        &self,
        mlp: &Mlp,
        rows: usize,
        inputs: &[f32],
        parameters: &[f32],
    ) -> Result<Activations> {
        check(mlp, rows, inputs, parameters)?;
        let layers = Perceptron { layers: &mlp.layers(), rows, inputs, parameters }.forward();
        Ok(Activations { layers })
    }

    /// The gradient of the parameters of a multilayer perceptron, in their order, from that with
    /// respect to its outputs, N x D; each number is summed in f64. `activations` are those of
    /// [`forward`](Self::forward) for the same inputs and parameters.
    ///
    /// # Errors
    ///
    /// Those of [`forward`](Self::forward); [`Error::Length`](crate::Error::Length) for a gradient
    /// or activations of another length.
    pub fn backward(
        &self,
        mlp: &Mlp,
        rows: usize,
        inputs: &[f32],
        parameters: &[f32],
        activations: &Activations,
        output_gradient: &[f32],
    ) -> Result<Vec<f32>> {
        check(mlp, rows, inputs, parameters)?;
        check_length("output gradient", output_gradient.len(), rows * mlp.outputs)?;
        let layers = mlp.layers();
        check_length("layers of the activations", activations.layers.len(), layers.len())?;
        for (layer, made) in layers.iter().zip(&activations.layers) {
            check_length("activations of a layer", made.len(), rows * layer.outputs)?;
        }
        let perceptron = Perceptron { layers: &layers, rows, inputs, parameters };
        Ok(perceptron.backward(&activations.layers, output_gradient))
    }
}
