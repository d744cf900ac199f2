//! Prints the dispatches of a plan.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use wgpu::{BufferDescriptor, BufferUsages};
use wgpu_metric_learning::{
    Binding, Context, Input, InputSet, Inputs, Loss, Mode, Plan, Record, Shape, profile,
};

use super::gpu::{self, Gpu};
use super::place::Place;
use super::sizes::Sizes;
use super::{Error, Result, descriptions, objective, print, print_json};

/// Lists the dispatches of a recording in their order.
#[derive(Args)]
#[command(after_long_help = descriptions::help(|_| true))]
pub(crate) struct Arguments {
    #[command(flatten)]
    gpu: gpu::Arguments,

    /// The loss: its name, or JSON, as `evaluate` takes it.
    #[arg(long, value_name = "OBJECTIVE")]
    objective: String,

    /// Rows of the embeddings.
    #[arg(long, value_name = "N", default_value_t = 512)]
    n: usize,

    /// Numbers in a row; the classes of scores.
    #[arg(long, value_name = "D", default_value_t = 128)]
    d: usize,

    /// References, prototypes, or listed pairs or triplets, where the mode has them.
    #[arg(long, value_name = "M", default_value_t = 512)]
    m: usize,

    /// The mode, where the loss has several: batch, reference, prototypes, scores, pair-rows,
    /// pair-indices, scored-pair-rows, scored-pair-indices, triplets or pointwise; the first that
    /// the loss has where it is left out.
    #[arg(long, value_name = "MODE")]
    mode: Option<String>,

    /// Prints one JSON object a line, for each loss.
    #[arg(long)]
    json: bool,

    /// Terms have weights, one for every row of the embeddings, pair or triplet.
    #[arg(long)]
    weights: bool,
}

/// A plan as JSON.
#[derive(Serialize)]
struct Line<'a> {
    objective: &'a Loss,
    mode: &'static str,
    #[serde(flatten)]
    sizes: Sizes,
    memory_bytes: u64,
    kernels: Vec<Kernel>,
    #[serde(flatten)]
    place: Place,
}

/// A kernel in dispatches that follow one another, as JSON.
#[derive(Serialize)]
struct Kernel {
    stage: &'static str,
    kernel: String,
    workgroups: Vec<[u32; 3]>,
    reads: Vec<String>,
    writes: Vec<String>,
}

impl From<profile::ListedKernel> for Kernel {
    fn from(listed: profile::ListedKernel) -> Self {
        let profile::ListedKernel { stage, kernel, workgroups, reads, writes, .. } = listed;
        Self { stage: stage.name(), kernel, workgroups, reads, writes }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let objective = objective::parse(&arguments.objective)?;
    let gpu = Gpu::open(&arguments.gpu)?;
    for loss in objective.losses.iter().map(|weighted| &weighted.loss) {
        let mode = mode_of(loss, arguments.mode.as_deref())?;
        let shape = shape_of(mode, [arguments.n, arguments.m, arguments.d]);
        let shape = if arguments.weights { shape.with_weights() } else { shape };
        let (plan, binding) = planned(&gpu.context, loss, shape)?;
        let listing = plan.listing(&binding)?;
        match arguments.json {
            true => print_json(&Line {
                objective: loss,
                mode: mode.name(),
                sizes: Sizes::of(&shape),
                memory_bytes: plan.memory_bytes(),
                kernels: listing.kernels().map(Kernel::from).collect(),
                place: gpu.place(),
            })?,
            false => print(listing.to_string().trim_end())?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn mode_of(loss: &Loss, asked: Option<&str>) -> Result<Mode> {
    let modes = loss.modes();
    let Some(asked) = asked else { return Ok(modes[0]) };
    let name = asked.to_lowercase().replace(['-', '_'], " ");
    modes.iter().copied().find(|mode| mode.name() == name).ok_or_else(|| {
        let known: Vec<_> = modes.iter().map(|mode| mode.name().replace(' ', "-")).collect();
        let problem = format!("{} has no mode {asked}, only {}", loss.name(), known.join(", "));
        Error::option("--mode", problem)
    })
}

fn shape_of(mode: Mode, [n, m, d]: [usize; 3]) -> Shape {
    match mode {
        Mode::Reference => Shape::reference(n, m, d),
        Mode::Prototypes => Shape::prototypes(n, m, d),
        Mode::Scores => Shape::scores(n, d),
        Mode::PairRows => Shape::pair_rows(n, d),
        Mode::PairIndices => Shape::pair_indices(n, d, m),
        Mode::ScoredPairRows => Shape::scored_pair_rows(n, d),
        Mode::ScoredPairIndices => Shape::scored_pair_indices(n, d, m),
        Mode::Triplets => Shape::triplets(n, d, m),
        Mode::Pointwise => Shape::pointwise(n, d),
        _ => Shape::batch(n, d),
    }
}

/// Plans the loss and binds buffers of the right sizes, which nothing is ever read from.
pub(crate) fn planned(context: &Context, loss: &Loss, shape: Shape) -> Result<(Plan, Binding)> {
    let plan = context.plan(loss, shape)?;
    let given = Input::ALL.into_iter().filter(|&input| loss.takes(&shape, input));
    let buffers = given.fold(InputSet::new(), |set, input| {
        let buffer = context.device().create_buffer(&BufferDescriptor {
            label: Some(input.name()),
            size: shape.numbers(input) as u64 * 4,
            usage: BufferUsages::STORAGE,
            mapped_at_creation: false,
        });
        set.with(input, buffer)
    });
    let binding = plan.bind(&Inputs::of(&buffers))?;
    Ok((plan, binding))
}
