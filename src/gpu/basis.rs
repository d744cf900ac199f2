//! What plans of every kind stand on: the matrix of distances on the GPU, and the dispatches.

use std::sync::atomic::{AtomicU64, Ordering};

use super::buffers::Matrix;
use super::context::Context;
use super::dispatch::Step;
use super::inputs::{BetaInput, Binding, Inputs};
use super::scope::scoped;
use super::stripes::Stripes;
use super::sweeps::TILE;
use crate::shape::{Mode, Shape};
use crate::{Distance, Error, Result};

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// Inputs of one shape, a stripe of their distances, and the dispatches that work on them.
#[derive(Debug)]
pub(crate) struct Basis {
    pub id: u64,
    pub context: Context,
    pub shape: Shape,
    pub distance: Distance,
    /// Whether the kernels work on unit rows.
    pub on_unit_rows: bool,
    pub stripes: Stripes,
    pub matrix: Matrix,
    /// Those after prepare.
    pub steps: Vec<Step>,
}

impl Basis {
    /// Without any dispatch yet.
    pub(crate) fn new(context: &Context, shape: Shape, distance: Distance, normalize: bool) -> Result<Self> {
        let limits = context.device().limits();
        check_tiles(&shape, &limits)?;
        let stripes = Stripes::new(&shape, context.options().workspace_bytes, limits.max_storage_buffer_binding_size)?;
        Ok(Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            context: context.clone(),
            shape,
            distance,
            on_unit_rows: shape.mode() != Mode::Scores && (normalize || distance.is_of_unit_rows()),
            stripes,
            matrix: Matrix::new(context, &shape, &stripes)?,
            steps: Vec::new(),
        })
    }

    /// Checks the caller's buffers and binds them.
    pub(crate) fn bind(&self, inputs: &Inputs<'_>, beta: Option<BetaInput<'_>>) -> Result<Binding> {
        self.context.or_forget(|| scoped(self.context.device(), "binding inputs", || Binding::new(self, inputs, beta)))
    }

    /// Records every dispatch in a pass of its own.
    pub(crate) fn record(&self, encoder: &mut wgpu::CommandEncoder, binding: &Binding) -> Result<()> {
        let descriptor = wgpu::ComputePassDescriptor { label: Some("metric-learning"), timestamp_writes: None };
        self.record_into(&mut encoder.begin_compute_pass(&descriptor), binding)
    }

    /// Records every dispatch.
    pub(crate) fn record_into(&self, pass: &mut wgpu::ComputePass<'_>, binding: &Binding) -> Result<()> {
        self.steps(binding)?.for_each(|step| step.record(pass));
        Ok(())
    }

    /// Every dispatch in its order.
    pub(crate) fn steps<'a>(&'a self, binding: &'a Binding) -> Result<impl Iterator<Item = &'a Step>> {
        if binding.plan != self.id {
            return Err(Error::Buffer { what: "binding", problem: "it was made by another plan".into() });
        }
        Ok(binding.steps.iter().chain(&self.steps))
    }

    /// How many dispatches a recording has.
    pub(crate) fn dispatches(&self, binding: &Binding) -> usize {
        self.steps.len() + binding.steps.len()
    }
}

/// The tiles of a stripe are dispatched in two dimensions.
fn check_tiles(shape: &Shape, limits: &wgpu::Limits) -> Result<()> {
    let needed = shape.queries().max(shape.references()).div_ceil(TILE as usize) as u64;
    let limit = limits.max_compute_workgroups_per_dimension.into();
    if needed <= limit {
        return Ok(());
    }
    Err(Error::DeviceLimit {
        what: "a workgroup for every 64 rows",
        needed,
        name: "maxComputeWorkgroupsPerDimension",
        limit,
    })
}
