//! The plan of a pointwise loss: one kernel over the caller's values, then finish. No matrix, no stripes.

use super::buffers::{Buffers, filled};
use super::context::Context;
use super::dispatch::{Bound, Step, folded};
use super::inputs::{Checker, Inputs};
use super::kernel::{Kernel, Room};
use super::layout::{Cut, Finish};
use super::plan::Plan;
use super::steps;
use crate::Result;
use crate::loss::{Loss, Truth};
use crate::shape::Shape;

/// Values of a workgroup where rows mean nothing: 16 for each of its 256 invocations.
const WIDTH: usize = 4096;

/// Operations of a value, at an exponential or two and their series.
const COST: u64 = 64;

/// How the values are cut: where a term is a row, into these; else into runs of `WIDTH`.
fn cut(loss: &Loss, shape: &Shape) -> Cut {
    let width = if loss.has_per_anchor(shape) { shape.dimensions() } else { WIDTH };
    let count = shape.queries() * shape.dimensions();
    Cut { count: count as u32, width: width as u32, rows: count.div_ceil(width) as u32, padding: 0 }
}

/// Buffers, and the steps after those of the binding.
pub(crate) fn plan(context: &Context, loss: &Loss, shape: &Shape) -> Result<(Buffers, Vec<Step>)> {
    let cut = cut(loss, shape);
    let buffers = Buffers::pointwise(context, shape, cut.rows.into())?;
    let totals = steps::totals(context, loss, &buffers, true, cut.rows.into());
    let finish = Finish {
        count: cut.count.div_ceil(WIDTH as u32),
        dimensions: WIDTH as u32,
        last: true.into(),
        factor: 1.0,
        ..Default::default()
    };
    let finish = steps::finish_gradient(context, &buffers, &buffers.queries, &buffers.gradient, None, &finish)?;
    Ok((buffers, vec![totals, finish]))
}

/// Checks the caller's buffers and binds the loss's kernel to them.
pub(crate) fn bind(plan: &Plan, inputs: &Inputs<'_>, check: &Checker) -> Result<Step> {
    let (context, loss, shape, buffers) = (plan.context(), plan.loss(), plan.shape(), plan.buffers());
    let cut = cut(loss, shape);
    let values = check.bound("embeddings", &inputs.embeddings, cut.count as usize)?;
    let truth = match loss.truth() {
        Truth::Nothing => Bound::all(&buffers.unused),
        Truth::Targets | Truth::Signs => {
            check.needed("targets", &inputs.targets, cut.count as usize, "every value has one")?
        }
        Truth::Labels => check.needed("labels", &inputs.labels, shape.queries(), "every row has one")?,
    };
    let usage = wgpu::BufferUsages::UNIFORM;
    let uniform = filled(context.device(), "metric-learning cut", bytemuck::bytes_of(&cut), usage)?;
    let terms = loss.description().terms();
    let parameters = steps::parameters(context, &terms)?;
    let bound = [
        Bound::all(&uniform),
        Bound::all(&parameters),
        values,
        truth,
        Bound::all(&buffers.gradient),
        Bound::all(&buffers.rows),
        Bound::all(&buffers.state),
    ];
    // The kernels of rows have their truth written into them.
    let is_by_rows = loss.has_per_anchor(shape);
    let constants = if is_by_rows { Vec::new() } else { vec![("TRUTH", f64::from(loss.truth() as u32))] };
    let kernel = Kernel::new(Room::Pointwise, terms.shader, constants);
    Ok(kernel.step(context, "pointwise", &bound, folded(cut.rows), u64::from(cut.count) * COST))
}
