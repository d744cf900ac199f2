//! Training on the host: the steps of an optimiser, and a linear projection.

use super::Cpu;
use crate::data::checks::check_length;
use crate::data::shape::countable;
use crate::definition::training::perceptron::{Entry, Product};
use crate::error::{Error, Result};
use crate::parallel::prelude::*;
use crate::training::{Linear, Optimizer};

/// What an optimiser remembers of its parameters on the host, and how many steps there were: as
/// [`OptimizerPlan`](crate::training::OptimizerPlan) is on the GPU.
///
/// A parameter stays as it is in a step, with all that is remembered of it, where its gradient is
/// NaN or infinite or the step would take the parameter or a moment beyond f32.
///
/// ```
/// use wgpu_metric_learning::training::{CpuOptimizer, Sgd};
///
/// let mut optimizer = CpuOptimizer::new(Sgd { learning_rate: 0.5, ..Default::default() }, 2)?;
/// let mut parameters = [1.0, -1.0];
/// assert_eq!(optimizer.step(&mut parameters, &[0.5, 0.0])?, 1);
/// assert_eq!(parameters, [0.75, -1.0]);
/// # Ok::<(), wgpu_metric_learning::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CpuOptimizer {
    optimizer: Optimizer,
    moments: Vec<[f64; 2]>,
    steps: u32,
}

impl CpuOptimizer {
    /// An optimiser of so many parameters that has made no step.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a parameter of the optimiser outside its range, [`Error::Empty`] and
    /// [`Error::TooLarge`] for their number.
    pub fn new(optimizer: impl Into<Optimizer>, parameters: usize) -> Result<Self> {
        let optimizer = optimizer.into();
        optimizer.check()?;
        if parameters == 0 {
            return Err(Error::Empty { what: "the number of parameters" });
        }
        countable("moments", parameters, 2)?;
        Ok(Self { optimizer, moments: vec![[0.0; 2]; parameters], steps: 0 })
    }

    /// Makes a step of the parameters along their gradient, in place; how many there were since the
    /// beginning or the last [`reset`](Self::reset).
    ///
    /// # Errors
    ///
    /// [`Error::Length`] for another number of parameters or slopes, before anything is changed;
    /// [`Error::StepsLeftOut`] where some of the parameters stay as they are in this step: the
    /// others have made it.
    pub fn step(&mut self, parameters: &mut [f32], gradient: &[f32]) -> Result<u32> {
        check_length("parameters", parameters.len(), self.moments.len())?;
        check_length("gradient", gradient.len(), self.moments.len())?;
        self.steps = self.steps.saturating_add(1);
        let steps = self.steps;
        let step = self.optimizer.step(steps);
        let all = parameters.par_iter_mut().zip(gradient).zip(&mut self.moments);
        let left_out = all.enumerate().filter_map(|(index, ((parameter, &slope), moments))| {
            let [first, second] = *moments;
            let state = [f64::from(*parameter), first, second];
            match step.of(state, f64::from(slope)) {
                Some([next, first, second]) => {
                    *parameter = next as f32;
                    *moments = [first, second];
                    None
                }
                None => Some((1, index)),
            }
        });
        let join = |(one, first): (u32, usize), (other, second): (u32, usize)| {
            (one.saturating_add(other), first.min(second))
        };
        match left_out.reduce_with(join) {
            Some((left_out, first)) => Err(Error::StepsLeftOut { left_out, first, steps }),
            None => Ok(steps),
        }
    }

    /// Replaces the learning rate.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for one outside its range.
    pub fn set_learning_rate(&mut self, learning_rate: f32) -> Result<()> {
        let optimizer = self.optimizer.with_learning_rate(learning_rate);
        optimizer.check()?;
        self.optimizer = optimizer;
        Ok(())
    }

    /// Forgets: the next step is the first. Parameters stay as they are.
    pub fn reset(&mut self) {
        self.moments.fill([0.0; 2]);
        self.steps = 0;
    }

    /// What it remembers of every parameter, and how many steps there were.
    pub(super) fn state(&self) -> (&[[f64; 2]], u32) {
        (&self.moments, self.steps)
    }

    /// What the moments of a gradient that was always 1 would be.
    pub(super) fn moments_of_one(&self) -> [f64; 2] {
        self.optimizer.step(self.steps).moments_of_one()
    }

    /// Goes to where it remembers this, after so many steps.
    pub(super) fn restore(&mut self, moments: &[[f64; 2]], steps: u32) {
        self.moments = moments.to_vec();
        self.steps = steps;
    }

    /// The optimiser, with the learning rate that the next step has.
    pub fn optimizer(&self) -> &Optimizer {
        &self.optimizer
    }

    /// How many parameters there are.
    pub fn parameters(&self) -> usize {
        self.moments.len()
    }
}

impl Cpu {
    /// The outputs of a linear projection, N x D: inputs x weights, each summed in f64.
    ///
    /// # Errors
    ///
    /// Those of [`Linear::check`]; [`Error::Length`] for inputs or weights of another length.
    pub fn project(&self, linear: &Linear, inputs: &[f32], weights: &[f32]) -> Result<Vec<f32>> {
        linear.check()?;
        let Linear { rows, inputs: dimensions, outputs } = *linear;
        check_length("inputs", inputs.len(), rows * dimensions)?;
        check_length("weights", weights.len(), dimensions * outputs)?;
        let sizes = [rows, dimensions, outputs];
        let transposed = [false, false];
        Ok(Entry::product(&Product { left: inputs, right: weights, sizes, transposed }))
    }

    /// The gradient of the weights of a linear projection, I x D: inputs^T x gradient with respect
    /// to the outputs, each summed in f64.
    ///
    /// # Errors
    ///
    /// Those of [`Linear::check`]; [`Error::Length`] for inputs or a gradient of another length.
    pub fn project_back(
        &self,
        linear: &Linear,
        inputs: &[f32],
        output_gradient: &[f32],
    ) -> Result<Vec<f32>> {
        linear.check()?;
        let Linear { rows, inputs: dimensions, outputs } = *linear;
        check_length("inputs", inputs.len(), rows * dimensions)?;
        check_length("output gradient", output_gradient.len(), rows * outputs)?;
        let sizes = [dimensions, rows, outputs];
        let transposed = [true, false];
        Ok(Entry::product(&Product { left: inputs, right: output_gradient, sizes, transposed }))
    }
}

impl Entry for f32 {
    const ONE: Self = 1.0;

    /// Each number is summed in f64, with k one after the other.
    fn product(of: &Product<'_, Self>) -> Vec<Self> {
        let &Product { left, right, sizes: [rows, summands, columns], transposed } = of;
        let [left_transposed, right_transposed] = transposed;
        let [of_row, of_summand] = if left_transposed { [1, rows] } else { [summands, 1] };
        let turned = right_transposed.then(|| by_columns(right, summands));
        let right = turned.as_deref().unwrap_or(right);
        let mut product = vec![0.0; rows * columns];
        let all = product.par_chunks_exact_mut(columns).enumerate();
        all.for_each_init(Vec::new, |sums: &mut Vec<f64>, (row, product)| {
            sums.clear();
            sums.resize(columns, 0.0);
            for (k, right) in right.chunks_exact(columns).enumerate() {
                let left = f64::from(left[row * of_row + k * of_summand]);
                for (sum, &right) in sums.iter_mut().zip(right) {
                    *sum += left * f64::from(right);
                }
            }
            product.iter_mut().zip(sums).for_each(|(number, sum)| *number = *sum as f32);
        });
        product
    }

    fn rectified(self) -> Self {
        // NaN stays NaN.
        if self <= 0.0 { 0.0 } else { self }
    }

    fn passed(self, x: Self) -> Self {
        if x <= 0.0 { 0.0 } else { self }
    }
}

/// A matrix of so many columns, its columns as rows.
fn by_columns(matrix: &[f32], columns: usize) -> Vec<f32> {
    let column = |column| matrix.iter().skip(column).step_by(columns).copied();
    (0..columns).flat_map(column).collect()
}
