//! Everything that a linear projection needs, made once.

use crate::data::shape::Shape;
use crate::error::Result;
use crate::gpu::cut::loops::check_linear;
use crate::gpu::cut::tiles::{PAIRS_PER_TILE, TILE};
use crate::gpu::device::allocate::Allocator;
use crate::gpu::device::context::Context;
use crate::gpu::dispatch::Dispatch;
use crate::gpu::dispatch::binding::Binding;
use crate::gpu::dispatch::bound::{Bound, Checker};
use crate::gpu::dispatch::program::Program;
use crate::gpu::dispatch::record::{Record, recorded};
use crate::gpu::dispatch::trace::TraceName;
use crate::gpu::dispatch::workgroups::Workgroups;
use crate::gpu::kernel::catalogue::{self, Factor};
use crate::training::Linear;
use crate::wgsl::layout;

/// Everything that a linear projection needs: pipelines and outputs.
///
/// Plan once; [bind forward](Self::bind_forward) what the outputs are made of and
/// [backward](Self::bind_backward) what the gradient is made of; [record](Self::record) each where
/// its turn is. The outputs serve as embeddings of a loss, whose gradient goes backward.
#[derive(Debug)]
pub struct LinearPlan {
    program: Program,
    linear: Linear,
    outputs: wgpu::Buffer,
    gradient: wgpu::Buffer,
}

impl LinearPlan {
    pub(crate) fn new(context: &Context, linear: Linear) -> Result<Self> {
        linear.check()?;
        check_linear(&linear)?;
        let allocator = Allocator::new(context);
        let name = TraceName::of_plan(
            "Linear",
            Shape::reference(linear.rows, linear.outputs, linear.inputs),
        );
        context.planning(|| {
            Ok(Self {
                program: Program::new(context, name, Vec::new()),
                linear,
                outputs: allocator.storage("outputs", (linear.rows * linear.outputs) as u64 * 4)?,
                gradient: allocator.storage(
                    "gradient of the weights",
                    (linear.inputs * linear.outputs) as u64 * 4,
                )?,
            })
        })
    }

    /// Checks and binds the caller's N x I inputs and I x D weights. A recording writes the
    /// [outputs](Self::outputs).
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`](crate::Error::Buffer) for a range that is too small, misaligned, of the
    /// wrong usage or of another device, and for the plan's outputs themselves.
    pub fn bind_forward(
        &self,
        inputs: wgpu::BufferSlice<'_>,
        weights: wgpu::BufferSlice<'_>,
    ) -> Result<Binding> {
        let Linear { rows, inputs: summands, outputs } = self.linear;
        self.program.bind(|| {
            let check = Checker::new(self.context());
            let product = Product {
                left: check.bound_beside("inputs", &inputs, rows * summands, &self.outputs)?,
                right: check.bound_beside(
                    "weights",
                    &weights,
                    summands * outputs,
                    &self.outputs,
                )?,
                product: Bound::all(&self.outputs),
                sizes: [rows, summands, outputs],
                begins: [0; 2],
                factor: Factor::Rows,
            };
            Ok(product.dispatches(self.context(), "linear")?.into())
        })
    }

    /// Checks and binds the caller's N x I inputs and the N x D gradient with respect to the
    /// outputs, as [`Plan::gradient`](crate::Plan::gradient) has it. A recording writes the
    /// [gradient](Self::gradient) of the weights.
    ///
    /// # Errors
    ///
    /// Those of [`bind_forward`](Self::bind_forward), with the plan's own gradient in the place of
    /// its outputs.
    pub fn bind_backward(
        &self,
        inputs: wgpu::BufferSlice<'_>,
        output_gradient: wgpu::BufferSlice<'_>,
    ) -> Result<Binding> {
        let Linear { rows: summands, inputs: rows, outputs } = self.linear;
        let slopes = ("output gradient", &output_gradient);
        self.program.bind(|| {
            let check = Checker::new(self.context());
            let product = Product {
                left: check.bound_beside("inputs", &inputs, rows * summands, &self.gradient)?,
                right: check.bound_beside(
                    slopes.0,
                    slopes.1,
                    summands * outputs,
                    &self.gradient,
                )?,
                product: Bound::all(&self.gradient),
                sizes: [rows, summands, outputs],
                begins: [0; 2],
                factor: Factor::Columns,
            };
            Ok(product.dispatches(self.context(), "linear")?.into())
        })
    }

    /// The outputs, N x D f32, tight; usage `STORAGE | COPY_SRC`.
    pub fn outputs(&self) -> &wgpu::Buffer {
        &self.outputs
    }

    /// The gradient with respect to the weights, I x D f32, tight; usage `STORAGE | COPY_SRC`.
    pub fn gradient(&self) -> &wgpu::Buffer {
        &self.gradient
    }

    /// The sizes.
    pub fn linear(&self) -> &Linear {
        &self.linear
    }
}

recorded!(LinearPlan);

/// A product of matrices, and where it is written.
pub(crate) struct Product<'a> {
    pub left: Bound<'a>,
    pub right: Bound<'a>,
    pub product: Bound<'a>,
    /// Rows, summands and columns of the product.
    pub sizes: [usize; 3],
    /// Where the right matrix and the product begin in their ranges, in numbers.
    pub begins: [usize; 2],
    pub factor: Factor,
}

impl Product<'_> {
    pub(crate) fn dispatches(
        &self,
        context: &Context,
        label: &'static str,
    ) -> Result<Vec<Dispatch>> {
        let [rows, summands, columns] = self.sizes.map(|size| size as u32);
        let [right_begin, product_begin] = self.begins.map(|begin| begin as u32);
        let across = columns.div_ceil(TILE);
        let size = layout::Product {
            first: 0,
            rows,
            columns,
            summands,
            across,
            right_begin,
            product_begin,
        };
        let groups = Workgroups {
            count: rows.div_ceil(TILE) * across,
            most: 2 * PAIRS_PER_TILE * u64::from(summands),
            cost: 2 * self.sizes.iter().map(|&size| size as u64).product::<u64>(),
        };
        let bound = [self.left, self.right, self.product];
        catalogue::linear(self.factor).dispatches(context, label, size, &bound, groups)
    }
}

impl Context {
    /// Makes everything that a linear projection of these sizes needs, as [`Context::plan`] does
    /// for a loss.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`](crate::Error::Empty), [`Error::TooLarge`](crate::Error::TooLarge),
    /// [`Error::TooLong`](crate::Error::TooLong) for more than a million rows or
    /// inputs; [`Error::DeviceLimit`](crate::Error::DeviceLimit),
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory), [`Error::Gpu`](crate::Error::Gpu).
    pub fn plan_linear(&self, linear: Linear) -> Result<LinearPlan> {
        LinearPlan::new(self, linear)
    }
}
