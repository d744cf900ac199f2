//! How many of the planned rows a recording has, from numbers in buffers of the caller's.

use super::basis::Basis;
use super::buffers::{filled, uniform};
use super::context::Context;
use super::dispatch::{Bound, Step};
use super::inputs::{Around, Checker, Inputs};
use super::kernels;
use super::layout::{Planned, Sizes};
use super::stripes::pairs;
use crate::shape::{Mode, Shape};
use crate::{Error, Result};

/// The buffer that all kernels read the sizes from: those of the shape. No more is in it between
/// two recordings.
pub(crate) fn buffer(context: &Context, shape: &Shape) -> Result<wgpu::Buffer> {
    let [queries, references, listed, _] = planned(shape);
    let sizes =
        Sizes { queries, references, listed, pairs: pairs(shape) as u32, given: planned(shape) };
    let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::STORAGE;
    filled(context, "metric-learning sizes", bytemuck::bytes_of(&sizes), usage)
}

fn planned(shape: &Shape) -> [u32; 4] {
    [shape.queries() as u32, shape.references() as u32, shape.listed() as u32, 0]
}

/// Whether a shape of this mode has this number of its own.
pub(crate) fn takes(mode: Mode, what: &'static str) -> bool {
    match what {
        "rows" => true,
        "reference rows" => mode == Mode::Reference,
        "listed" => matches!(mode, Mode::PairIndices | Mode::Triplets),
        _ => false,
    }
}

/// Around the dispatches of a recording that has other sizes than planned: writes them, and brings
/// the planned ones back. Nothing where the caller gives no numbers.
pub(crate) fn around(basis: &Basis, inputs: &Inputs<'_>) -> Result<Around> {
    let mode = basis.shape.mode();
    // In the modes of one set the references are the queries, and each row of two aligned sets is a
    // pair.
    let references = if has_as_many_references(mode) { inputs.rows } else { inputs.reference_rows };
    let listed = if mode == Mode::PairRows { inputs.rows } else { inputs.listed };
    let numbers = [("rows", inputs.rows), ("reference rows", references), ("listed", listed)];
    if numbers.iter().all(|(_, number)| number.is_none()) {
        return Ok(Around::default());
    }
    Ok(Around {
        before: vec![write(basis, numbers)?],
        after: vec![write(basis, numbers.map(|(what, _)| (what, None)))?],
    })
}

fn has_as_many_references(mode: Mode) -> bool {
    !matches!(mode, Mode::Reference | Mode::Prototypes | Mode::Scores)
}

fn write(
    basis: &Basis,
    numbers: [(&'static str, Option<wgpu::BufferSlice<'_>>); 3],
) -> Result<Step> {
    let Basis { context, shape, sizes, matrix, .. } = basis;
    let check = Checker::new(context);
    let [rows, references, listed] = numbers;
    let [rows, references, listed] =
        [given(&check, rows)?, given(&check, references)?, given(&check, listed)?];
    let is_given = |number: &Option<Bound<'_>>| u32::from(number.is_some());
    let subject = Planned {
        sizes: planned(shape),
        is_given: [is_given(&rows), is_given(&references), is_given(&listed), 0],
        pairs_per_entry: (pairs(shape) / shape.listed().max(1) as u64) as u32,
        padding: [0; 3],
    };
    let uniform = uniform(context, "planned sizes", bytemuck::bytes_of(&subject))?;
    let unused = Bound::all(&matrix.unused);
    let [rows, references, listed] =
        [rows, references, listed].map(|number| number.unwrap_or(unused));
    let bound = [Bound::all(&uniform), rows, references, listed, Bound::all(sizes)];
    Ok(kernels::prepare_sizes().step(context, "sizes", &bound, [1, 1, 1], 1))
}

fn given<'a>(
    check: &Checker,
    (what, number): (&'static str, Option<wgpu::BufferSlice<'a>>),
) -> Result<Option<Bound<'a>>> {
    number.map(|range| check.bound(what, &range, 1)).transpose()
}

/// The shape with the sizes that a recording had, if they are within the planned ones.
pub(crate) fn resized(shape: &Shape, [queries, references, listed, _]: [u32; 4]) -> Result<Shape> {
    let found = shape.resized([queries, references, listed].map(|number| number as usize));
    let numbers = [
        ("rows", found.queries(), shape.queries()),
        ("reference rows", found.references(), shape.references()),
        ("listed entries", found.listed(), shape.listed()),
    ];
    match numbers.into_iter().find(|(_, count, limit)| count > limit) {
        Some((what, count, limit)) => Err(Error::BeyondPlan { what, count, limit }),
        None => found.check().map(|()| found),
    }
}
