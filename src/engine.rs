//! A GPU or the CPU, whichever there is.

use crate::cpu::Cpu;
use crate::data::batch::Batch;
use crate::data::evaluation::Evaluation;
use crate::data::objective::{ObjectiveEvaluation, Weighted};
use crate::data::run::Run;
use crate::error::Result;
use crate::gpu::{Adapter, Context, Options};
use crate::loss::Loss;
use crate::measures::{Measures, QueryMeasures, Retrieval, Verification, Verified};
use crate::search::{Neighbours, Search};
use crate::training::{Checkpoint, CpuTrainer, GpuTrainer, Training};

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
    #[cfg(not(target_arch = "wasm32"))]
    pub fn best(options: Options) -> Result<Self> {
        pollster::block_on(Self::best_async(options))
    }

    /// What [`best`](Self::best) is, found without blocking.
    ///
    /// # Errors
    ///
    /// Those of [`Adapter::open_async`].
    pub async fn best_async(options: Options) -> Result<Self> {
        match Adapter::find_async(None).await {
            Ok(adapter) if !adapter.is_software() => {
                adapter.open_async(options).await.map(Self::Gpu)
            }
            _ => Ok(Self::Cpu(Cpu::default().with_workspace_bytes(options.workspace_bytes))),
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

    /// Measures retrieval on inputs of the host, query by query: for the measures of each class, and
    /// for how sure those of all queries are.
    ///
    /// # Errors
    ///
    /// The [`Run`] may end with those of [`Context::measure_queries`] or of
    /// [`Cpu::measure_queries`].
    pub fn measure_queries<'a>(
        &'a self,
        retrieval: &'a Retrieval,
        batch: &'a Batch<'_>,
    ) -> Run<'a, QueryMeasures> {
        match self {
            Self::Gpu(context) => context.measure_queries(retrieval, batch),
            Self::Cpu(cpu) => cpu.measure_queries(retrieval, batch),
        }
    }

    /// Verifies on inputs of the host whether distances tell rows that are the same from others.
    ///
    /// # Errors
    ///
    /// The [`Run`] may end with those of [`Context::verify`] or of [`Cpu::verify`].
    pub fn verify<'a>(
        &'a self,
        verification: &'a Verification,
        batch: &'a Batch<'_>,
    ) -> Run<'a, Verified> {
        match self {
            Self::Gpu(context) => context.verify(verification, batch),
            Self::Cpu(cpu) => cpu.verify(verification, batch),
        }
    }

    /// Finds the nearest references of every query; both are rows of `dimensions` numbers, one after
    /// the other.
    ///
    /// # Errors
    ///
    /// The [`Run`] may end with those of [`Context::search`] or of [`Cpu::search`].
    pub fn search<'a>(
        &'a self,
        search: &'a Search,
        dimensions: usize,
        queries: &'a [f32],
        references: &'a [f32],
    ) -> Run<'a, Neighbours> {
        match self {
            Self::Gpu(context) => context.search(search, dimensions, queries, references),
            Self::Cpu(cpu) => cpu.search(search, dimensions, queries, references),
        }
    }

    /// Begins a training on labelled rows, N x I row by row.
    ///
    /// # Errors
    ///
    /// Those of [`Context::trainer`] or of [`Cpu::trainer`].
    pub fn trainer(&self, training: Training, inputs: &[f32], labels: &[u32]) -> Result<Trainer> {
        match self {
            Self::Gpu(context) => {
                let trainer = context.trainer(training, inputs, labels)?;
                Ok(Trainer::Gpu(trainer.into()))
            }
            Self::Cpu(cpu) => {
                let trainer = cpu.trainer(training, inputs, labels)?;
                Ok(Trainer::Cpu(trainer.into()))
            }
        }
    }
}

/// A training on whatever an [`Engine`] is.
#[derive(Debug)]
pub enum Trainer {
    /// On a GPU.
    Gpu(Box<GpuTrainer>),
    /// By the engine of the CPU.
    Cpu(Box<CpuTrainer>),
}

impl Trainer {
    /// The training with a weight for every row that it draws from.
    ///
    /// # Errors
    ///
    /// Those of [`GpuTrainer::with_weights`] or of [`CpuTrainer::with_weights`].
    pub fn with_weights(self, weights: &[f32]) -> Result<Self> {
        Ok(match self {
            Self::Gpu(trainer) => Self::Gpu(trainer.with_weights(weights)?.into()),
            Self::Cpu(trainer) => Self::Cpu(trainer.with_weights(weights)?.into()),
        })
    }

    /// Draws a batch, evaluates its objective and makes a step; gives losses and counts as they were
    /// before the step.
    ///
    /// # Errors
    ///
    /// Those of [`GpuTrainer::step`] or of [`CpuTrainer::step`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn step(&mut self) -> Result<ObjectiveEvaluation> {
        match self {
            Self::Gpu(trainer) => trainer.step(),
            Self::Cpu(trainer) => trainer.step(),
        }
    }

    /// Makes a step as [`step`](Self::step) does, without blocking on a GPU.
    ///
    /// # Errors
    ///
    /// Those of [`step`](Self::step) but [`Error::Timeout`](crate::Error::Timeout).
    pub async fn step_async(&mut self) -> Result<ObjectiveEvaluation> {
        match self {
            Self::Gpu(trainer) => trainer.step_async().await,
            Self::Cpu(trainer) => trainer.step(),
        }
    }

    /// Replaces the learning rate.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](crate::Error::Parameter) for one outside its range; on a GPU
    /// [`Error::Gpu`](crate::Error::Gpu) and [`Error::OutOfMemory`](crate::Error::OutOfMemory).
    pub fn set_learning_rate(&mut self, learning_rate: f32) -> Result<()> {
        match self {
            Self::Gpu(trainer) => trainer.set_learning_rate(learning_rate),
            Self::Cpu(trainer) => trainer.set_learning_rate(learning_rate),
        }
    }

    /// Where the training stands: [`resume`](Self::resume) of another trainer of the same training
    /// goes on from there, on the same device with the same bits.
    ///
    /// # Errors
    ///
    /// Those of [`GpuTrainer::checkpoint`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn checkpoint(&self) -> Result<Checkpoint> {
        match self {
            Self::Gpu(trainer) => trainer.checkpoint(),
            Self::Cpu(trainer) => Ok(trainer.checkpoint()),
        }
    }

    /// Where the training stands, as [`checkpoint`](Self::checkpoint) tells, without blocking on a GPU.
    ///
    /// # Errors
    ///
    /// Those of [`checkpoint`](Self::checkpoint) but [`Error::Timeout`](crate::Error::Timeout).
    pub async fn checkpoint_async(&self) -> Result<Checkpoint> {
        match self {
            Self::Gpu(trainer) => trainer.checkpoint_async().await,
            Self::Cpu(trainer) => Ok(trainer.checkpoint()),
        }
    }

    /// Goes to where a training stood. The learning rate stays as it is.
    ///
    /// # Errors
    ///
    /// Those of [`GpuTrainer::resume`] or of [`CpuTrainer::resume`].
    pub fn resume(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        match self {
            Self::Gpu(trainer) => trainer.resume(checkpoint),
            Self::Cpu(trainer) => trainer.resume(checkpoint),
        }
    }

    /// The parameters of the perceptron after the steps so far, in the order of
    /// [`Mlp`](crate::training::Mlp).
    ///
    /// # Errors
    ///
    /// Those of [`GpuTrainer::parameters`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn parameters(&self) -> Result<Vec<f32>> {
        match self {
            Self::Gpu(trainer) => trainer.parameters(),
            Self::Cpu(trainer) => Ok(trainer.parameters().to_vec()),
        }
    }

    /// The parameters, as [`parameters`](Self::parameters) gives them, without blocking on a GPU.
    ///
    /// # Errors
    ///
    /// Those of [`parameters`](Self::parameters) but [`Error::Timeout`](crate::Error::Timeout).
    pub async fn parameters_async(&self) -> Result<Vec<f32>> {
        match self {
            Self::Gpu(trainer) => trainer.parameters_async().await,
            Self::Cpu(trainer) => Ok(trainer.parameters().to_vec()),
        }
    }
}
