//! Everything that a multilayer perceptron needs, made once.

use crate::data::shape::Shape;
use crate::error::Result;
use crate::gpu::cut::loops::check_mlp;
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
use crate::gpu::training::linear::Product;
use crate::training::Mlp;
use crate::training::mlp::Layer;
use crate::wgsl::layout::Start;

/// Everything that a multilayer perceptron needs: pipelines, what its layers make and their slopes.
///
/// Plan once; [bind forward](Self::bind_forward) what the outputs are made of and
/// [backward](Self::bind_backward) what the gradient is made of; record each where its turn is, with
/// the loss of the outputs between them: backward needs what forward has made of the same inputs
/// and parameters.
#[derive(Debug)]
pub struct MlpPlan {
    program: Program,
    mlp: Mlp,
    rows: usize,
    /// What every layer makes, before it is rectified.
    activations: Vec<wgpu::Buffer>,
    /// The gradient with respect to what every layer but the last makes.
    slopes: Vec<wgpu::Buffer>,
    gradient: wgpu::Buffer,
}

impl MlpPlan {
    pub(crate) fn new(context: &Context, mlp: Mlp, rows: usize) -> Result<Self> {
        mlp.check(rows)?;
        check_mlp(&mlp, rows)?;
        let allocator = Allocator::new(context);
        let shape = Shape::reference(rows, mlp.outputs, mlp.inputs);
        let name = TraceName::of_plan("Mlp", shape);
        let layers = mlp.layers();
        let numbers = |layer: &Layer| (rows * layer.outputs) as u64 * 4;
        context.planning(|| {
            let made = |layer| allocator.storage("outputs of a layer", numbers(layer));
            let slopes = |layer| allocator.storage("slopes of a layer", numbers(layer));
            let hidden = &layers[..layers.len() - 1];
            let bytes = mlp.parameters() as u64 * 4;
            Ok(Self {
                program: Program::new(context, name, Vec::new()),
                rows,
                activations: layers.iter().map(made).collect::<Result<_>>()?,
                slopes: hidden.iter().map(slopes).collect::<Result<_>>()?,
                gradient: allocator.storage("gradient of the parameters", bytes)?,
                mlp,
            })
        })
    }

    /// Checks and binds the caller's N x I inputs and the parameters. A recording writes the
    /// [outputs](Self::outputs).
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`](crate::Error::Buffer) for a range that is too small, misaligned, of the
    /// wrong usage or of another device, and for buffers of the plan that it writes.
    pub fn bind_forward(
        &self,
        inputs: wgpu::BufferSlice<'_>,
        parameters: wgpu::BufferSlice<'_>,
    ) -> Result<Binding> {
        self.program.bind(|| {
            let [inputs, parameters] = self.bound(&inputs, &parameters, &self.activations)?;
            let mut dispatches = Vec::new();
            for (at, layer) in self.mlp.layers().iter().enumerate() {
                let before = self.before(at);
                let product = Product {
                    left: before.map_or(inputs, Bound::all),
                    right: parameters,
                    product: Bound::all(&self.activations[at]),
                    sizes: [self.rows, layer.inputs + 1, layer.outputs],
                    begins: [layer.begin, 0],
                    factor: Factor::Layer { rectified: before.is_some() },
                };
                dispatches.extend(product.dispatches(self.context(), "layer")?);
            }
            Ok(dispatches.into())
        })
    }

    /// Checks and binds the caller's N x I inputs, the parameters, and the N x D gradient with
    /// respect to the outputs, as [`Plan::gradient`](crate::Plan::gradient) has it. A recording
    /// writes the [gradient](Self::gradient) of the parameters.
    ///
    /// # Errors
    ///
    /// Those of [`bind_forward`](Self::bind_forward).
    pub fn bind_backward(
        &self,
        inputs: wgpu::BufferSlice<'_>,
        parameters: wgpu::BufferSlice<'_>,
        output_gradient: wgpu::BufferSlice<'_>,
    ) -> Result<Binding> {
        self.program.bind(|| {
            let written = self.slopes.iter().chain([&self.gradient]);
            let [inputs, parameters] = self.bound(&inputs, &parameters, written.clone())?;
            let check = Checker::new(self.context());
            let count = self.rows * self.mlp.outputs;
            let mut slopes = check.bound("output gradient", &output_gradient, count)?;
            for buffer in written {
                check.bound_beside("output gradient", &output_gradient, count, buffer)?;
            }
            let mut dispatches = Vec::new();
            for (at, layer) in self.mlp.layers().iter().enumerate().rev() {
                let before = self.before(at);
                let product = Product {
                    left: before.map_or(inputs, Bound::all),
                    right: slopes,
                    product: Bound::all(&self.gradient),
                    sizes: [layer.inputs + 1, self.rows, layer.outputs],
                    begins: [0, layer.begin],
                    factor: Factor::LayerColumns { rectified: before.is_some() },
                };
                dispatches.extend(product.dispatches(self.context(), "gradient of a layer")?);
                let (Some(made), Some(passed)) = (before, at.checked_sub(1)) else { break };
                let passed = &self.slopes[passed];
                dispatches.extend(self.passed(layer, [slopes, parameters], made, passed)?);
                slopes = Bound::all(passed);
            }
            Ok(dispatches.into())
        })
    }

    /// Passes the slopes of a layer on to what the layer before has `made`.
    fn passed(
        &self,
        layer: &Layer,
        [slopes, parameters]: [Bound<'_>; 2],
        made: &wgpu::Buffer,
        passed: &wgpu::Buffer,
    ) -> Result<Vec<Dispatch>> {
        let product = Product {
            left: slopes,
            right: parameters,
            product: Bound::all(passed),
            sizes: [self.rows, layer.outputs, layer.inputs],
            begins: [layer.begin, 0],
            factor: Factor::RowsByRows,
        };
        let mut dispatches = product.dispatches(self.context(), "slopes of a layer")?;
        let groups = Workgroups::for_values((self.rows * layer.inputs) as u32, 1);
        let bound = [Bound::all(made), Bound::all(passed)];
        let rectified = catalogue::rectified();
        let start = Start::default();
        dispatches.extend(rectified.dispatches(
            self.context(),
            "rectified",
            start,
            &bound,
            groups,
        )?);
        Ok(dispatches)
    }

    /// What the layer before this one makes; `None` for the first.
    fn before(&self, layer: usize) -> Option<&wgpu::Buffer> {
        layer.checked_sub(1).map(|before| &self.activations[before])
    }

    fn bound<'a, 'w>(
        &self,
        inputs: &wgpu::BufferSlice<'a>,
        parameters: &wgpu::BufferSlice<'a>,
        written: impl IntoIterator<Item = &'w wgpu::Buffer>,
    ) -> Result<[Bound<'a>; 2]> {
        let check = Checker::new(self.context());
        let [of_inputs, of_parameters] = [self.rows * self.mlp.inputs, self.mlp.parameters()];
        let bound = [
            check.bound("inputs", inputs, of_inputs)?,
            check.bound("parameters", parameters, of_parameters)?,
        ];
        for buffer in written {
            check.bound_beside("inputs", inputs, of_inputs, buffer)?;
            check.bound_beside("parameters", parameters, of_parameters, buffer)?;
        }
        Ok(bound)
    }

    /// The outputs, N x D f32, tight; usage `STORAGE | COPY_SRC`.
    pub fn outputs(&self) -> &wgpu::Buffer {
        &self.activations[self.activations.len() - 1]
    }

    /// The gradient with respect to the parameters, in their order, f32; usage
    /// `STORAGE | COPY_SRC`.
    pub fn gradient(&self) -> &wgpu::Buffer {
        &self.gradient
    }

    /// The sizes of the layers.
    pub fn mlp(&self) -> &Mlp {
        &self.mlp
    }

    /// N: rows of the inputs and of the outputs.
    pub fn rows(&self) -> usize {
        self.rows
    }
}

recorded!(MlpPlan);

impl Context {
    /// Makes everything that a multilayer perceptron over so many rows needs, as [`Context::plan`]
    /// does for a loss.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`](crate::Error::Empty), [`Error::TooLarge`](crate::Error::TooLarge),
    /// [`Error::TooLong`](crate::Error::TooLong) for more than a million rows, inputs or outputs of
    /// a layer; [`Error::DeviceLimit`](crate::Error::DeviceLimit),
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory), [`Error::Gpu`](crate::Error::Gpu).
    pub fn plan_mlp(&self, mlp: Mlp, rows: usize) -> Result<MlpPlan> {
        MlpPlan::new(self, mlp, rows)
    }
}
