//! Where a loss or a measure is computed: on an adapter, by the CPU engine, or by the reference.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use wgpu_metric_learning::measures::{Measures, Retrieval, Verification, Verified};
use wgpu_metric_learning::reference::{
    self, Comparison, Expectation, MeasuresExpectation, ObjectiveExpectation,
    VerificationExpectation,
};
use wgpu_metric_learning::{
    Arithmetic, Batch, Context, Cpu, Engine, Error as LibraryError, Evaluation, Loss,
    ObjectiveEvaluation, Progress as LibraryProgress, Weighted,
};

use super::gpu::{self, Gpu};
use super::place::Place;
use super::progress::Progress;
use super::{Error, Result, detail, note, ranks};

/// What computes.
#[derive(Args)]
pub(crate) struct Computing {
    /// What computes.
    #[arg(long, value_enum, default_value_t = Backend::Auto)]
    backend: Backend,

    #[command(flatten)]
    gpu: gpu::Arguments,
}

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    computing: Computing,

    /// Compares the result with the CPU reference; exit code 1 where an error is beyond its bound.
    /// The digits are always compared, but with --no-check.
    #[arg(long)]
    check: bool,

    /// Compares nothing: the digits' results come at once.
    #[arg(long, conflicts_with = "check")]
    no_check: bool,

    /// Prints one JSON object a line.
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Backend {
    /// The best adapter that is a GPU, or the CPU engine where there is none and nothing asks for an
    /// adapter.
    Auto,
    /// An adapter of this machine, be it software.
    Gpu,
    /// The CPU engine in f32.
    Cpu,
    /// The CPU reference in f64, which is right and not fast.
    Reference,
}

impl Arguments {
    /// Whether the result of files is compared with the reference.
    pub(crate) fn checks_files(&self) -> bool {
        self.check
    }

    /// Whether that of the digits is.
    pub(crate) fn checks_digits(&self) -> bool {
        !self.no_check
    }
}

/// What computes.
pub(crate) enum Evaluator {
    Gpu(Box<Gpu>),
    Cpu(Cpu),
    Reference,
    /// Engines that share the rows of a loss: at least one.
    Ranks(Vec<Self>),
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
        Self::open(&arguments.computing)
    }

    /// Opens what is asked for.
    pub(crate) fn open(arguments: &Computing) -> Result<Self> {
        let evaluator = Self::chosen(arguments)?;
        detail(|| format!("computing on {}", evaluator.describe()));
        Ok(evaluator)
    }

    /// Opens so many adapters that share the rows of a loss.
    pub(crate) fn of_adapters(arguments: &Arguments, count: usize) -> Result<Self> {
        let Computing { backend, gpu } = &arguments.computing;
        let ranks = match backend {
            Backend::Auto | Backend::Gpu => {
                let gpus = Gpu::open_group(gpu, count)?;
                gpus.into_iter().map(|gpu| Self::Gpu(gpu.into())).collect()
            }
            Backend::Cpu => {
                gpu.refuse("cpu", false)?;
                (0..count).map(|_| Self::Cpu(gpu.cpu())).collect()
            }
            Backend::Reference => {
                return Err(Error::option("--adapters", "the reference is none"));
            }
        };
        let evaluator = Self::Ranks(ranks);
        detail(|| format!("computing on {}", evaluator.describe()));
        Ok(evaluator)
    }

    fn chosen(arguments: &Computing) -> Result<Self> {
        let on = |gpu: Gpu| Self::Gpu(gpu.into());
        match arguments.backend {
            Backend::Gpu => Gpu::open(&arguments.gpu).map(on),
            Backend::Auto if arguments.gpu.asks_for_adapter() => Gpu::open(&arguments.gpu).map(on),
            Backend::Auto => match Gpu::open_hardware(&arguments.gpu)? {
                Some(gpu) => Ok(on(gpu)),
                None => {
                    note("no hardware GPU was found: the CPU engine computes");
                    Ok(Self::Cpu(arguments.gpu.cpu()))
                }
            },
            Backend::Cpu => {
                arguments.gpu.refuse("cpu", false).map(|()| Self::Cpu(arguments.gpu.cpu()))
            }
            Backend::Reference => arguments.gpu.refuse("reference", true).map(|()| Self::Reference),
        }
    }

    /// The engine; `None` for the reference, which is none.
    pub(crate) fn engine(&self) -> Option<Engine> {
        match self {
            Self::Gpu(gpu) => Some(Engine::Gpu(gpu.context.clone())),
            Self::Cpu(cpu) => Some(Engine::Cpu(cpu.clone())),
            Self::Reference | Self::Ranks(_) => None,
        }
    }

    /// What computes, for JSON.
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Gpu(gpu) => gpu.place(),
            Self::Cpu(_) => Place::without_adapter("cpu"),
            Self::Reference => Place::without_adapter("reference"),
            Self::Ranks(ranks) => ranks[0].place(),
        }
    }

    /// What computes, for people.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Gpu(gpu) => gpu.describe(),
            Self::Cpu(_) => CPU.into(),
            Self::Reference => "the CPU reference (f64)".into(),
            Self::Ranks(ranks) => {
                let names: Vec<_> = ranks.iter().map(Self::describe).collect();
                format!("{} ranks: {}", names.len(), names.join("; "))
            }
        }
    }

    /// How it computes distances.
    fn arithmetic(&self) -> Arithmetic {
        match self {
            Self::Gpu(gpu) => gpu.arithmetic(),
            Self::Ranks(ranks) => ranks[0].arithmetic(),
            Self::Cpu(_) | Self::Reference => Arithmetic::Exact,
        }
    }

    /// Does what is asked, and compares the result with the reference where that is asked for.
    pub(crate) fn evaluate<T: Task + ?Sized>(
        &self,
        task: &T,
        check: bool,
    ) -> Result<Outcome<T::Result>> {
        let (engine, compiled) = match self {
            Self::Ranks(ranks) => {
                let engines: Vec<_> = ranks.iter().filter_map(Self::engine).collect();
                let start = Instant::now();
                let actual = task.together(&engines)?;
                return self.outcome(task, actual, None, start.elapsed(), check);
            }
            Self::Gpu(gpu) => {
                let start = Instant::now();
                let _compiling = Progress::unknown("compiling");
                task.compile(&gpu.context)?;
                (Engine::Gpu(gpu.context.clone()), Some(start.elapsed()))
            }
            Self::Cpu(cpu) => (Engine::Cpu(cpu.clone()), None),
            Self::Reference => {
                let start = Instant::now();
                let result = T::exact(expected(task, Arithmetic::Exact)?);
                let agreement =
                    if check { Agreement::ReferenceItself } else { Agreement::NotChecked };
                return Ok(Outcome { result, compiled: None, elapsed: start.elapsed(), agreement });
            }
        };
        let start = Instant::now();
        let actual = run(|watch| task.on(&engine, watch))?;
        self.outcome(task, actual, compiled, start.elapsed(), check)
    }

    fn outcome<T: Task + ?Sized>(
        &self,
        task: &T,
        actual: T::Actual,
        compiled: Option<Duration>,
        elapsed: Duration,
        check: bool,
    ) -> Result<Outcome<T::Result>> {
        let agreement = if check {
            Agreement::Compared(T::compare(&expected(task, self.arithmetic())?, &actual))
        } else {
            Agreement::NotChecked
        };
        Ok(Outcome { result: T::widened(actual), compiled, elapsed, agreement })
    }
}

/// The engine of the CPU, for people.
pub(crate) const CPU: &str = "the CPU engine (f32)";

fn expected<T: Task + ?Sized>(task: &T, arithmetic: Arithmetic) -> Result<T::Expected> {
    let _progress = Progress::unknown("the CPU reference computes");
    Ok(task.expected(arithmetic)?)
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
    /// What an engine finds.
    type Actual;
    /// Either in f64.
    type Result;

    fn expected(&self, arithmetic: Arithmetic) -> wgpu_metric_learning::Result<Self::Expected>;
    fn compile(&self, context: &Context) -> wgpu_metric_learning::Result<()>;
    fn on(&self, engine: &Engine, watch: Watch) -> wgpu_metric_learning::Result<Self::Actual>;
    /// What engines find that share the rows.
    fn together(&self, _: &[Engine]) -> wgpu_metric_learning::Result<Self::Actual> {
        Err(LibraryError::Unsupported {
            of: "--adapters",
            what: "a sum of losses".into(),
            reason: "ranks share the rows of one".into(),
        })
    }

    fn compare(expected: &Self::Expected, actual: &Self::Actual) -> Comparison;
    fn exact(expected: Self::Expected) -> Self::Result;
    fn widened(actual: Self::Actual) -> Self::Result;
}

impl Task for (&Loss, &Batch<'_>) {
    type Expected = Expectation;
    type Actual = Evaluation;
    type Result = Evaluation<f64>;

    fn expected(&self, arithmetic: Arithmetic) -> wgpu_metric_learning::Result<Expectation> {
        reference::evaluate_with_bounds_in(arithmetic, self.0, self.1)
    }

    fn compile(&self, context: &Context) -> wgpu_metric_learning::Result<()> {
        context.plan(self.0, *self.1.shape()).map(drop)
    }

    fn on(&self, engine: &Engine, watch: Watch) -> wgpu_metric_learning::Result<Evaluation> {
        engine.evaluate(self.0, self.1).watch(watch)
    }

    fn together(&self, engines: &[Engine]) -> wgpu_metric_learning::Result<Evaluation> {
        ranks::evaluate(self.0, self.1, engines)
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

    fn expected(&self, _: Arithmetic) -> wgpu_metric_learning::Result<MeasuresExpectation> {
        reference::measure_with_bounds(self.0, self.1)
    }

    fn compile(&self, context: &Context) -> wgpu_metric_learning::Result<()> {
        context.plan_measures(self.0, *self.1.shape()).map(drop)
    }

    fn on(&self, engine: &Engine, watch: Watch) -> wgpu_metric_learning::Result<Measures> {
        engine.measure(self.0, self.1).watch(watch)
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

impl Task for (&Verification, &Batch<'_>) {
    type Expected = VerificationExpectation;
    type Actual = Verified;
    type Result = Verified;

    fn expected(&self, _: Arithmetic) -> wgpu_metric_learning::Result<VerificationExpectation> {
        reference::verify_with_bounds(self.0, self.1)
    }

    fn compile(&self, context: &Context) -> wgpu_metric_learning::Result<()> {
        context.plan_verification(self.0, *self.1.shape(), 1).map(drop)
    }

    fn on(&self, engine: &Engine, watch: Watch) -> wgpu_metric_learning::Result<Verified> {
        engine.verify(self.0, self.1).watch(watch)
    }

    fn compare(expected: &VerificationExpectation, actual: &Verified) -> Comparison {
        expected.compare(actual)
    }

    fn exact(expected: VerificationExpectation) -> Verified {
        expected.verified
    }

    fn widened(actual: Verified) -> Verified {
        actual
    }
}

impl Task for [Weighted<Batch<'_>>] {
    type Expected = ObjectiveExpectation;
    type Actual = ObjectiveEvaluation;
    type Result = ObjectiveEvaluation<f64>;

    fn expected(
        &self,
        arithmetic: Arithmetic,
    ) -> wgpu_metric_learning::Result<ObjectiveExpectation> {
        reference::evaluate_objective_with_bounds_in(arithmetic, self)
    }

    fn compile(&self, context: &Context) -> wgpu_metric_learning::Result<()> {
        let shapes: Vec<_> = self.iter().map(Weighted::shape).collect();
        context.plan_objective(&shapes).map(drop)
    }

    fn on(
        &self,
        engine: &Engine,
        watch: Watch,
    ) -> wgpu_metric_learning::Result<ObjectiveEvaluation> {
        engine.evaluate_objective(self).watch(watch)
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
