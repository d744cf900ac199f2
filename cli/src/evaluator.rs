//! Where a loss or a measure is computed: on an adapter, or by the CPU reference.

use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use wgpu_metric_learning::measures::{Measures, Retrieval};
use wgpu_metric_learning::reference::{
    self, Comparison, Expectation, MeasuresExpectation, ObjectiveExpectation,
};
use wgpu_metric_learning::{
    Batch, Context, Error as LibraryError, Evaluation, Loss, ObjectiveEvaluation, Weighted,
};

use super::gpu::{self, Gpu};
use super::{Error, Result, tell};

#[derive(Args)]
pub struct Arguments {
    /// What computes.
    #[arg(long, value_enum, default_value_t = Backend::Auto)]
    backend: Backend,

    /// Compares the result with the CPU reference; exit code 1 where an error is beyond its bound.
    /// Always on for the digits.
    #[arg(long)]
    pub check: bool,

    /// Prints one JSON object a line.
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    gpu: gpu::Arguments,
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

/// A result with all that is said about it.
pub struct Outcome<T> {
    pub result: T,
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
            Backend::Gpu => Gpu::open(&arguments.gpu).map(Self::on),
            Backend::Auto => match Gpu::open(&arguments.gpu) {
                Err(error @ Error::Library(LibraryError::NoAdapter { .. }))
                    if arguments.gpu.adapter.is_none() =>
                {
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
    pub fn adapter(&self) -> Option<String> {
        self.gpu.as_ref().map(Gpu::describe)
    }

    /// What computes, for people.
    pub fn describe(&self) -> String {
        self.adapter().unwrap_or_else(|| "the CPU reference (f64)".into())
    }

    /// Does what is asked, and compares the result with the reference where that is asked for.
    pub fn evaluate<T: Task + ?Sized>(&self, task: &T, check: bool) -> Result<Outcome<T::Result>> {
        let start = Instant::now();
        let Some(gpu) = &self.gpu else {
            let result = T::exact(task.expected()?);
            let agreement = if check { Agreement::ReferenceItself } else { Agreement::NotChecked };
            return Ok(Outcome { result, elapsed: start.elapsed(), agreement });
        };
        let actual = task.on_gpu(&gpu.context)?;
        let elapsed = start.elapsed();
        let agreement = if check {
            Agreement::Compared(T::compare(&task.expected()?, &actual))
        } else {
            Agreement::NotChecked
        };
        Ok(Outcome { result: T::widened(actual), elapsed, agreement })
    }
}

/// What can be asked, with its inputs.
pub trait Task {
    /// What the reference expects, with bounds.
    type Expected;
    /// What the kernels find.
    type Actual;
    /// Either in f64.
    type Result;

    fn expected(&self) -> wgpu_metric_learning::Result<Self::Expected>;
    fn on_gpu(&self, context: &Context) -> wgpu_metric_learning::Result<Self::Actual>;
    fn compare(expected: &Self::Expected, actual: &Self::Actual) -> Comparison;
    fn exact(expected: Self::Expected) -> Self::Result;
    fn widened(actual: Self::Actual) -> Self::Result;
}

impl Task for (&Loss, &Batch<'_>) {
    type Expected = Expectation;
    type Actual = Evaluation;
    type Result = Evaluation<f64>;

    fn expected(&self) -> wgpu_metric_learning::Result<Expectation> {
        reference::evaluate_with_bounds(self.0, self.1)
    }

    fn on_gpu(&self, context: &Context) -> wgpu_metric_learning::Result<Evaluation> {
        context.evaluate(self.0, self.1).wait()
    }

    fn compare(expected: &Expectation, actual: &Evaluation) -> Comparison {
        expected.compare(actual)
    }

    fn exact(expected: Expectation) -> Evaluation<f64> {
        expected.evaluation
    }

    fn widened(actual: Evaluation) -> Evaluation<f64> {
        actual.map(f64::from)
    }
}

impl Task for (&Retrieval, &Batch<'_>) {
    type Expected = MeasuresExpectation;
    type Actual = Measures;
    type Result = Measures<f64>;

    fn expected(&self) -> wgpu_metric_learning::Result<MeasuresExpectation> {
        reference::measure_with_bounds(self.0, self.1)
    }

    fn on_gpu(&self, context: &Context) -> wgpu_metric_learning::Result<Measures> {
        context.measure(self.0, self.1).wait()
    }

    fn compare(expected: &MeasuresExpectation, actual: &Measures) -> Comparison {
        expected.compare(actual)
    }

    fn exact(expected: MeasuresExpectation) -> Measures<f64> {
        expected.measures
    }

    fn widened(actual: Measures) -> Measures<f64> {
        actual.map(f64::from)
    }
}

impl Task for [Weighted<Batch<'_>>] {
    type Expected = ObjectiveExpectation;
    type Actual = ObjectiveEvaluation;
    type Result = ObjectiveEvaluation<f64>;

    fn expected(&self) -> wgpu_metric_learning::Result<ObjectiveExpectation> {
        reference::evaluate_objective_with_bounds(self)
    }

    fn on_gpu(&self, context: &Context) -> wgpu_metric_learning::Result<ObjectiveEvaluation> {
        context.evaluate_objective(self).wait()
    }

    fn compare(expected: &ObjectiveExpectation, actual: &ObjectiveEvaluation) -> Comparison {
        expected.compare(actual)
    }

    fn exact(expected: ObjectiveExpectation) -> ObjectiveEvaluation<f64> {
        expected.evaluation
    }

    fn widened(actual: ObjectiveEvaluation) -> ObjectiveEvaluation<f64> {
        actual.map(f64::from)
    }
}

impl Arguments {
    fn check_cpu(&self) -> Result<()> {
        let unused = [
            ("--adapter", self.gpu.adapter.is_some()),
            ("--workspace-mib", self.gpu.workspace_mib.is_some()),
        ];
        match unused.into_iter().find(|(_, given)| *given) {
            Some((option, _)) => {
                Err(Error::option(option, "is for a GPU, and --backend cpu takes none"))
            }
            None => Ok(()),
        }
    }
}
