//! Products of matrices, and the multilayer perceptron that is made of them, for any numbers.

use crate::training::mlp::Layer;

/// C(r, c) = sum_k A(r, k) B(k, c), with A(k, r) in the place of A(r, k) and B(c, k) in the place of
/// B(k, c) where a matrix is transposed.
pub(crate) struct Product<'a, N> {
    pub left: &'a [N],
    pub right: &'a [N],
    /// Rows, summands and columns.
    pub sizes: [usize; 3],
    /// The left matrix, and the right one.
    pub transposed: [bool; 2],
}

/// A number of a matrix: what the engine of the CPU and the reference compute a perceptron with.
pub(crate) trait Entry: Copy {
    const ONE: Self;

    /// C, row by row.
    fn product(product: &Product<'_, Self>) -> Vec<Self>;

    /// max(0, x).
    fn rectified(self) -> Self;

    /// The slope of x where this is that of max(0, x): 0 where x is not above 0.
    fn passed(self, x: Self) -> Self;
}

/// A perceptron with what goes into it.
pub(crate) struct Perceptron<'a, N> {
    pub layers: &'a [Layer],
    pub rows: usize,
    pub inputs: &'a [N],
    pub parameters: &'a [N],
}

impl<N: Entry> Perceptron<'_, N> {
    /// What every layer makes, before it is rectified.
    pub(crate) fn forward(&self) -> Vec<Vec<N>> {
        let mut all: Vec<Vec<N>> = Vec::new();
        for layer in self.layers {
            all.push(N::product(&Product {
                left: &self.before(layer, all.last()),
                right: layer.of(self.parameters),
                sizes: [self.rows, layer.inputs + 1, layer.outputs],
                transposed: [false, false],
            }));
        }
        all
    }

    /// The gradient of the parameters, from that with respect to the outputs and what every layer
    /// has made.
    pub(crate) fn backward(&self, made: &[Vec<N>], of_outputs: &[N]) -> Vec<N> {
        let mut slopes = of_outputs.to_vec();
        let mut gradients = Vec::new();
        for (at, layer) in self.layers.iter().enumerate().rev() {
            let made_before = at.checked_sub(1).map(|at| &made[at]);
            gradients.push(N::product(&Product {
                left: &self.before(layer, made_before),
                right: &slopes,
                sizes: [layer.inputs + 1, self.rows, layer.outputs],
                transposed: [true, false],
            }));
            let Some(made_before) = made_before else { break };
            let passed = N::product(&Product {
                left: &slopes,
                right: &layer.of(self.parameters)[..layer.inputs * layer.outputs],
                sizes: [self.rows, layer.outputs, layer.inputs],
                transposed: [false, true],
            });
            slopes =
                passed.into_iter().zip(made_before).map(|(slope, &x)| slope.passed(x)).collect();
        }
        gradients.into_iter().rev().flatten().collect()
    }

    /// What goes into a layer, N x (I + 1): the inputs, or what the layer before has made,
    /// rectified; and a column of ones for the biases.
    fn before(&self, layer: &Layer, made_before: Option<&Vec<N>>) -> Vec<N> {
        let rows = made_before.map_or(self.inputs, Vec::as_slice).chunks_exact(layer.inputs);
        let passed = |&number: &N| if made_before.is_some() { number.rectified() } else { number };
        rows.flat_map(|row| row.iter().map(passed).chain([N::ONE])).collect()
    }
}
