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
use crate::gpu::kernel::catalogue;
use crate::training::Linear;
use crate::wgsl::layout::Product;

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
        let product = Factors {
            left: ("inputs", inputs),
            right: ("weights", weights),
            sizes: [rows, summands, outputs],
            transposed: false,
        };
        self.program.bind(|| Ok(self.product(product, &self.outputs)?.into()))
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
        let product = Factors {
            left: ("inputs", inputs),
            right: ("output gradient", output_gradient),
            sizes: [rows, summands, outputs],
            transposed: true,
        };
        self.program.bind(|| Ok(self.product(product, &self.gradient)?.into()))
    }

    fn product(&self, factors: Factors<'_>, product: &wgpu::Buffer) -> Result<Vec<Dispatch>> {
        let Factors { left, right, sizes, transposed } = factors;
        let [rows, summands, columns] = sizes.map(|size| size as u32);
        let across = columns.div_ceil(TILE);
        let check = Checker::new(self.context());
        let size = Product { first: 0, rows, columns, summands, across };
        let bound = [
            check.bound_beside(left.0, &left.1, sizes[0] * sizes[1], product)?,
            check.bound_beside(right.0, &right.1, sizes[1] * sizes[2], product)?,
            Bound::all(product),
        ];
        let groups = Workgroups {
            count: rows.div_ceil(TILE) * across,
            most: 2 * PAIRS_PER_TILE * u64::from(summands),
            cost: 2 * sizes.iter().map(|&size| size as u64).product::<u64>(),
        };
        catalogue::linear(transposed).dispatches(self.context(), "linear", size, &bound, groups)
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

/// What a product is made of.
pub(crate) struct Factors<'a> {
    left: (&'static str, wgpu::BufferSlice<'a>),
    right: (&'static str, wgpu::BufferSlice<'a>),
    /// Rows, summands and columns of the product.
    sizes: [usize; 3],
    transposed: bool,
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
