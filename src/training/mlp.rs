//! A multilayer perceptron.

use crate::data::checks::check_length;
use crate::data::random::uniform_number;
use crate::data::shape::countable;
use crate::error::{Error, Result};

/// The sizes of a multilayer perceptron: linear layers with biases, and max(0, x) between them.
///
/// - inputs are N x I, outputs N x D, all f32, row by row
/// - layer l: `z_l = a_l x W_l + b_l`, where `a_1` is the input and `a_{l+1} = max(0, z_l)`; the
///   outputs are the last z, as they are
/// - parameters are the layers one after the other, each (I_l + 1) x D_l: the rows of its weights,
///   then the row of its biases
///
/// Without a hidden layer it is a linear projection with a bias. The slope of max(0, x) at 0 is 0.
/// NaN and infinities come through as through a [`Linear`](super::Linear) projection, but for NaN
/// below a maximum, which WGSL lets a GPU take for 0.
///
/// Source: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors",
/// Nature 1986; rectified by Nair and Hinton, "Rectified Linear Units Improve Restricted Boltzmann
/// Machines", ICML 2010.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mlp {
    /// I: numbers in a row of the inputs.
    pub inputs: usize,
    /// The numbers of each hidden layer, first to last; none for a linear projection.
    pub hidden: Vec<usize>,
    /// D: numbers in a row of the outputs.
    pub outputs: usize,
}

/// One layer of a perceptron.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    pub inputs: usize,
    pub outputs: usize,
    /// The place of its first weight among the parameters.
    pub begin: usize,
}

impl Layer {
    /// How many parameters it has.
    pub(crate) fn parameters(&self) -> usize {
        (self.inputs + 1) * self.outputs
    }

    /// Its weights, with the biases as the last row.
    pub(crate) fn of<'p, T>(&self, parameters: &'p [T]) -> &'p [T] {
        &parameters[self.begin..][..self.parameters()]
    }
}

impl Mlp {
    /// How many parameters all layers have.
    pub fn parameters(&self) -> usize {
        self.layers().iter().map(Layer::parameters).sum()
    }

    /// Parameters to begin with: each weight of a layer of I inputs even between plus and minus
    /// sqrt(6 / I), biases 0. The same seed gives the same parameters on every machine.
    ///
    /// Source: He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", ICCV 2015.
    ///
    /// # Errors
    ///
    /// Those of [`check`](Self::check).
    pub fn initial_parameters(&self, seed: u32) -> Result<Vec<f32>> {
        self.check(1)?;
        let of_layer = |(number, layer): (usize, Layer)| {
            let reach = (6.0 / layer.inputs as f64).sqrt();
            let weights = layer.inputs * layer.outputs;
            (0..layer.parameters()).map(move |at| {
                let even = uniform_number([seed, number as u32, at as u32]);
                if at < weights { (reach * (2.0 * even - 1.0)) as f32 } else { 0.0 }
            })
        };
        Ok(self.layers().into_iter().enumerate().flat_map(of_layer).collect())
    }

    /// Checks for this number of rows that nothing is empty and everything can be counted.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`] and [`Error::TooLarge`].
    pub fn check(&self, rows: usize) -> Result<()> {
        let sizes = [("the number of rows", rows), ("the dimension of the inputs", self.inputs)];
        let hidden = self.hidden.iter().map(|&size| ("the dimension of a hidden layer", size));
        let outputs = ("the dimension of the outputs", self.outputs);
        let mut sizes = sizes.into_iter().chain(hidden).chain([outputs]);
        if let Some((what, _)) = sizes.find(|(_, size)| *size == 0) {
            return Err(Error::Empty { what });
        }
        countable("inputs", rows, self.inputs)?;
        let mut before = 0_usize;
        for [inputs, outputs] in self.widths() {
            countable("outputs of a layer", rows, outputs)?;
            countable("weights of a layer", inputs.saturating_add(1), outputs)?;
            before += (inputs + 1) * outputs;
            countable("parameters", before, 1)?;
        }
        Ok(())
    }

    /// The inputs and outputs of every layer.
    fn widths(&self) -> impl Iterator<Item = [usize; 2]> {
        let before = std::iter::once(self.inputs).chain(self.hidden.iter().copied());
        let after = self.hidden.iter().copied().chain([self.outputs]);
        before.zip(after).map(|(before, after)| [before, after])
    }

    /// The layers in their order.
    pub(crate) fn layers(&self) -> Vec<Layer> {
        let mut begin = 0;
        let layer = |[inputs, outputs]: [usize; 2]| {
            let layer = Layer { inputs, outputs, begin };
            begin += layer.parameters();
            layer
        };
        self.widths().map(layer).collect()
    }
}

/// Checks a perceptron with what goes into it.
pub(crate) fn check(mlp: &Mlp, rows: usize, inputs: &[f32], parameters: &[f32]) -> Result<()> {
    mlp.check(rows)?;
    check_length("inputs", inputs.len(), rows * mlp.inputs)?;
    check_length("parameters", parameters.len(), mlp.parameters())
}
