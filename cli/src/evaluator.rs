//! Where a loss or a measure is computed: on an adapter, or by the CPU reference.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use wgpu_metric_learning::measures::{Measures, Retrieval};
use wgpu_metric_learning::reference::{
    self, Comparison, Expectation, MeasuresExpectation, ObjectiveExpectation,
};
use wgpu_metric_learning::{
    Batch, Context, Error as LibraryError, Evaluation, Loss, ObjectiveEvaluation,
    Progress as LibraryProgress, Weighted,
};

use super::gpu::{self, Gpu};
use super::progress::Progress;
use super::{Error, Result, tell};

#[derive(Args)]
pub(crate) struct Arguments {
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
pub(crate) struct Evaluator {
    gpu: Option<Gpu>,
}

/// A result with all that is said about it.
pub(crate) struct Outcome<T> {
    pub result: T,
    /// How long its pipelines took to compile, on a GPU.
    pub compiled: Option<Duration>,
    /// How long it took to run.
    pub elapsed: Duration,
    pub agreement: Agreement,
}

/// What the result was compared with.
pub(crate) enum Agreement {
    NotChecked,
    ReferenceItself,
    Compared(Comparison),
}

impl Agreement {
    /// The comparison where the result is beyond a bound.
    pub(crate) fn violation(&self) -> Option<&Comparison> {
        match self {
            Self::Compared(comparison) => (!comparison.agrees()).then_some(comparison),
            Self::NotChecked | Self::ReferenceItself => None,
        }
    }
}

impl Evaluator {
    /// Opens what the arguments ask for.
    pub(crate) fn new(arguments: &Arguments) -> Result<Self> {
        match arguments.backend {
            Backend::Gpu => Gpu::open(&arguments.gpu).map(Self::on),
            Backend::Auto => match Gpu::open(&arguments.gpu) {
                Err(error @ Error::Library(LibraryError::NoAdapter { .. }))
                    if arguments.gpu.adapter.is_none() && !names_adapter() =>
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
    pub(crate) fn backend(&self) -> &'static str {
        if self.gpu.is_some() { "gpu" } else { "cpu" }
    }

    /// The adapter's name and backend.
    pub(crate) fn adapter(&self) -> Option<String> {
        self.gpu.as_ref().map(Gpu::describe)
    }

    /// What computes, for people.
    pub(crate) fn describe(&self) -> String {
        self.adapter().unwrap_or_else(|| "the CPU reference (f64)".into())
    }

    /// Does what is asked, and compares the result with the reference where that is asked for.
    pub(crate) fn evaluate<T: Task + ?Sized>(
        &self,
        task: &T,
        check: bool,
    ) -> Result<Outcome<T::Result>> {
        let Some(gpu) = &self.gpu else {
            let start = Instant::now();
            let result = T::exact(expected(task)?);
            let agreement = if check { Agreement::ReferenceItself } else { Agreement::NotChecked };
            return Ok(Outcome { result, compiled: None, elapsed: start.elapsed(), agreement });
        };
        let start = Instant::now();
        let compiling = Progress::unknown("compiling");
        task.compile(&gpu.context)?;
        drop(compiling);
        let compiled = Some(start.elapsed());
        let start = Instant::now();
        let actual = run(|watch| task.on_gpu(&gpu.context, watch))?;
        let elapsed = start.elapsed();
        let agreement = if check {
            Agreement::Compared(T::compare(&expected(task)?, &actual))
        } else {
            Agreement::NotChecked
        };
        Ok(Outcome { result: T::widened(actual), compiled, elapsed, agreement })
    }
}

fn expected<T: Task + ?Sized>(task: &T) -> Result<T::Expected> {
    let _progress = Progress::unknown("the CPU reference computes");
    Ok(task.expected()?)
}

/// Hears how far an evaluation has come.
pub(crate) type Watch<'a> = &'a mut dyn FnMut(LibraryProgress) -> ControlFlow<()>;

/// Evaluates, and shows how far it has come; where the GPU does not answer, says what it was given
/// to do.
pub(crate) fn run<T>(evaluate: impl FnOnce(Watch) -> wgpu_metric_learning::Result<T>) -> Result<T> {
    let progress = Progress::of(1, "computing");
    let mut kernel = None;
    let mut watch = |now: LibraryProgress| {
        progress.set_of(now.done, now.total);
        kernel = now.next;
        ControlFlow::Continue(())
    };
    evaluate(&mut watch).map_err(|error| match (error, kernel) {
        (error @ LibraryError::Timeout { .. }, Some(kernel)) => Error::Kernel { error, kernel },
        (error, _) => error.into(),
    })
}

/// What can be asked, with its inputs.
pub(crate) trait Task {
    /// What the reference expects, with bounds.
    type Expected;
    /// What the kernels find.
    type Actual;
    /// Either in f64.
    type Result;

    fn expected(&self) -> wgpu_metric_learning::Result<Self::Expected>;
    fn compile(&self, context: &Context) -> wgpu_metric_learning::Result<()>;
    fn on_gpu(&self, context: &Context, watch: Watch)
    -> wgpu_metric_learning::Result<Self::Actual>;
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

    fn compile(&self, context: &Context) -> wgpu_metric_learning::Result<()> {
        context.plan(self.0, *self.1.shape()).map(drop)
    }

    fn on_gpu(&self, context: &Context, watch: Watch) -> wgpu_metric_learning::Result<Evaluation> {
        context.evaluate(self.0, self.1).watch(watch)
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

    fn compile(&self, context: &Context) -> wgpu_metric_learning::Result<()> {
        context.plan_measures(self.0, *self.1.shape()).map(drop)
    }

    fn on_gpu(&self, context: &Context, watch: Watch) -> wgpu_metric_learning::Result<Measures> {
        context.measure(self.0, self.1).watch(watch)
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

    fn compile(&self, context: &Context) -> wgpu_metric_learning::Result<()> {
        let shapes: Vec<_> = self.iter().map(Weighted::shape).collect();
        context.plan_objective(&shapes).map(drop)
    }

    fn on_gpu(
        &self,
        context: &Context,
        watch: Watch,
    ) -> wgpu_metric_learning::Result<ObjectiveEvaluation> {
        context.evaluate_objective(self).watch(watch)
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

/// Whether the environment asks for an adapter by its name, or for a backend that does not exist.
fn names_adapter() -> bool {
    let variable = |name| std::env::var(name).ok().filter(|text: &String| !text.trim().is_empty());
    let is_unknown = |text: String| wgpu::Backends::from_comma_list(&text).is_empty();
    variable("WGPU_ADAPTER_NAME").is_some() || variable("WGPU_BACKEND").is_some_and(is_unknown)
}

impl Arguments {
    fn check_cpu(&self) -> Result<()> {
        let unused = [
            ("--adapter", self.gpu.adapter.is_some()),
            ("--workspace-mib", self.gpu.workspace_mib.is_some()),
            ("--tier", self.gpu.tier.is_some()),
            ("--timeout", self.gpu.timeout.is_some()),
        ];
        match unused.into_iter().find(|(_, given)| *given) {
            Some((option, _)) => {
                Err(Error::option(option, "is for a GPU, and --backend cpu takes none"))
            }
            None => Ok(()),
        }
    }
}
