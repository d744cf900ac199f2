//! Where a loss is computed: on an adapter, or by the CPU reference.

use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use wgpu_metric_learning::reference::{self, Comparison};
use wgpu_metric_learning::{Adapter, Batch, Context, Evaluation, Loss, Options};

use super::{Error, Result, adapters, tell};

#[derive(Args)]
pub struct Arguments {
    /// What computes.
    #[arg(long, value_enum, default_value_t = Backend::Auto)]
    backend: Backend,

    /// Takes the first adapter whose name, driver or backend contains this text.
    #[arg(long, value_name = "TEXT")]
    adapter: Option<String>,

    /// The workspace on the GPU, in MiB; 32 where it is left out.
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u64).range(1..1 << 40))]
    workspace_mib: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Backend {
    /// The best adapter, or the CPU reference where there is none.
    Auto,
    /// An adapter of this machine.
    Gpu,
    /// The CPU reference in f64.
    Cpu,
}

/// An adapter that is open, or the CPU reference.
pub struct Evaluator {
    gpu: Option<Gpu>,
}

struct Gpu {
    context: Context,
    adapter: String,
}

/// A result with all that is said about it.
pub struct Outcome {
    pub evaluation: Evaluation<f64>,
    pub elapsed: Duration,
    pub agreement: Agreement,
}

/// What the result was compared with.
pub enum Agreement {
    NotChecked,
    ReferenceItself,
    Compared(Comparison),
}

impl Agreement {
    /// The comparison where the result is beyond a bound.
    pub fn violation(&self) -> Option<&Comparison> {
        match self {
            Self::Compared(comparison) => (!comparison.agrees()).then_some(comparison),
            Self::NotChecked | Self::ReferenceItself => None,
        }
    }
}

impl Evaluator {
    /// Opens what the arguments ask for.
    pub fn new(arguments: &Arguments) -> Result<Self> {
        match arguments.backend {
            Backend::Gpu => Gpu::open(arguments).map(Self::on),
            Backend::Auto => match Gpu::open(arguments) {
                Err(error) if arguments.adapter.is_none() => {
                    tell(&format!("note: {error}: the CPU reference computes in its place"));
                    Ok(Self::on_cpu())
                }
                opened => opened.map(Self::on),
            },
            Backend::Cpu => arguments.check_cpu().map(|()| Self::on_cpu()),
        }
    }

    fn on(gpu: Gpu) -> Self {
        Self { gpu: Some(gpu) }
    }

    fn on_cpu() -> Self {
        Self { gpu: None }
    }

    /// `gpu` or `cpu`.
    pub fn backend(&self) -> &'static str {
        if self.gpu.is_some() { "gpu" } else { "cpu" }
    }

    /// The adapter's name and backend.
    pub fn adapter(&self) -> Option<&str> {
        self.gpu.as_ref().map(|gpu| gpu.adapter.as_str())
    }

    /// What computes, for people.
    pub fn describe(&self) -> &str {
        self.adapter().unwrap_or("the CPU reference (f64)")
    }

    /// Evaluates the loss, and compares the result with the reference where that is asked for.
    pub fn evaluate(&self, loss: &Loss, batch: &Batch, check: bool) -> Result<Outcome> {
        let start = Instant::now();
        let Some(gpu) = &self.gpu else {
            let evaluation = reference::evaluate(loss, batch)?;
            let agreement = if check { Agreement::ReferenceItself } else { Agreement::NotChecked };
            return Ok(Outcome { evaluation, elapsed: start.elapsed(), agreement });
        };
        let evaluation = gpu.context.evaluate(loss, batch)?;
        let elapsed = start.elapsed();
        let agreement = if check {
            Agreement::Compared(reference::evaluate_with_bounds(loss, batch)?.compare(&evaluation))
        } else {
            Agreement::NotChecked
        };
        Ok(Outcome { evaluation: widen(evaluation), elapsed, agreement })
    }
}

impl Arguments {
    fn check_cpu(&self) -> Result<()> {
        let unused = [("--adapter", self.adapter.is_some()), ("--workspace-mib", self.workspace_mib.is_some())];
        match unused.into_iter().find(|(_, given)| *given) {
            Some((option, _)) => Err(Error::option(option, "is for a GPU, and --backend cpu takes none")),
            None => Ok(()),
        }
    }
}

impl Gpu {
    fn open(arguments: &Arguments) -> Result<Self> {
        let mut options = Options::default();
        if let Some(mib) = arguments.workspace_mib {
            options.workspace_bytes = mib << 20;
        }
        let adapter = Adapter::find(arguments.adapter.as_deref())?;
        Ok(Self { context: adapter.open(options)?, adapter: adapters::describe(&adapter) })
    }
}

fn widen(evaluation: Evaluation<f32>) -> Evaluation<f64> {
    let all = |values: Vec<f32>| values.into_iter().map(f64::from).collect::<Vec<_>>();
    Evaluation {
        loss: evaluation.loss.into(),
        terms: evaluation.terms,
        nonzero_terms: evaluation.nonzero_terms,
        nonzero_positive_terms: evaluation.nonzero_positive_terms,
        nonzero_negative_terms: evaluation.nonzero_negative_terms,
        positive_pairs: evaluation.positive_pairs,
        negative_pairs: evaluation.negative_pairs,
        mean_positive_distance: evaluation.mean_positive_distance.into(),
        mean_negative_distance: evaluation.mean_negative_distance.into(),
        gradient: all(evaluation.gradient),
        gradient_references: evaluation.gradient_references.map(all),
        gradient_beta: evaluation.gradient_beta.map(all),
        per_anchor: evaluation.per_anchor.map(all),
    }
}
