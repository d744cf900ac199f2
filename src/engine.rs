//! A GPU or the CPU, whichever there is.

use crate::cpu::Cpu;
use crate::data::batch::Batch;
use crate::data::evaluation::Evaluation;
use crate::data::objective::{ObjectiveEvaluation, Weighted};
use crate::data::run::Run;
use crate::error::Result;
use crate::gpu::{Adapter, Context, Options};
use crate::loss::Loss;
use crate::measures::{Measures, Retrieval};

/// What computes from host to host: a GPU, or the engine of the CPU.
///
/// ```
/// use wgpu_metric_learning::{Batch, Engine, Options, Triplet};
///
/// # let batch = Batch::new(&[0.0, 0.5, 1.0], [3, 1], &[0, 0, 1])?;
/// let engine = Engine::best(Options::default())?;
/// println!("{}", engine.evaluate(Triplet::default(), &batch).wait()?.loss);
/// # Ok::<(), wgpu_metric_learning::Error>(())
/// ```
#[derive(Clone, Debug)]
pub enum Engine {
    /// A GPU.
    Gpu(Context),
    /// The engine of the CPU.
    Cpu(Cpu),
}

impl Engine {
    /// The best adapter of this machine that is a GPU, or the engine of the CPU where there is none
    /// or only software that emulates one. Of the options the engine of the CPU takes
    /// [`workspace_bytes`](Options::workspace_bytes).
    ///
    /// # Errors
    ///
    /// Those of [`Adapter::open`].
    pub fn best(options: Options) -> Result<Self> {
        match Adapter::all().into_iter().find(|adapter| !adapter.is_software()) {
            Some(adapter) => adapter.open(options).map(Self::Gpu),
            None => Ok(Self::Cpu(Cpu::default().with_workspace_bytes(options.workspace_bytes))),
        }
    }

    /// Evaluates `loss` on inputs of the host.
    ///
    /// # Errors
    ///
    /// The [`Run`] may end with those of [`Context::evaluate`] or of [`Cpu::evaluate`].
    pub fn evaluate<'a>(
        &'a self,
        loss: impl Into<Loss>,
        batch: &'a Batch<'_>,
    ) -> Run<'a, Evaluation> {
        match self {
            Self::Gpu(context) => context.evaluate(loss, batch),
            Self::Cpu(cpu) => cpu.evaluate(loss, batch),
        }
    }

    /// Evaluates a weighted sum of losses on inputs of the host.
    ///
    /// # Errors
    ///
    /// The [`Run`] may end with those of [`Context::evaluate_objective`] or of
    /// [`Cpu::evaluate_objective`].
    pub fn evaluate_objective<'a>(
        &'a self,
        objective: &'a [Weighted<Batch<'_>>],
    ) -> Run<'a, ObjectiveEvaluation> {
        match self {
            Self::Gpu(context) => context.evaluate_objective(objective),
            Self::Cpu(cpu) => cpu.evaluate_objective(objective),
        }
    }

    /// Measures retrieval on inputs of the host.
    ///
    /// # Errors
    ///
    /// The [`Run`] may end with those of [`Context::measure`] or of [`Cpu::measure`].
    pub fn measure<'a>(
        &'a self,
        retrieval: &'a Retrieval,
        batch: &'a Batch<'_>,
    ) -> Run<'a, Measures> {
        match self {
            Self::Gpu(context) => context.measure(retrieval, batch),
            Self::Cpu(cpu) => cpu.measure(retrieval, batch),
        }
    }
}
