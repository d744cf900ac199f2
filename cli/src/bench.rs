//! `bench`: how long losses take on an adapter, beside what it can do at most, or on the CPU engine.

mod counts;
mod dense;
mod hardware;
mod limits;
mod on_cpu;
mod predict;
mod report;
mod stages;
mod subject;
mod timing;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use wgpu_metric_learning::tuning::{RowWidth, Tile, Tiles};
use wgpu_metric_learning::{Context, Options, Shape};

use hardware::Hardware;
use limits::Limits;
use predict::Size;
use report::Report;
use subject::{Inputs, Subject};
use timing::Timing;

use super::gpu::{self, Backend, Gpu, named};
use super::output::Named;
use super::pictures::Paths;
use super::table::{self, Column};
use super::{Error, Result, files, print, print_json};

#[derive(Args)]
pub(crate) struct Arguments {
    /// What is timed: losses over the pairs of a batch as `evaluate` takes them, with commas between
    /// names; or all of bench:contrastive, bench:triplet_all, bench:triplet_hard, bench:lifted,
    /// bench:multi_margin, bench:margin, bench:ntxent, bench:supcon and bench:sig_lip, in the
    /// settings that other implementations are timed in.
    #[arg(long, value_name = "OBJ", default_value = "all")]
    objective: String,

    /// Rows of a batch, with commas between the sizes.
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "512,1024,2048,4096")]
    n: Vec<usize>,

    /// Dimensions of a row, with commas between them.
    #[arg(long, value_name = "D,...", value_delimiter = ',', default_value = "128")]
    d: Vec<usize>,

    /// Rows of a class: labels are i modulo the number of classes.
    #[arg(long, value_name = "C", default_value_t = 8)]
    class_size: usize,

    /// How long each point is timed, in seconds, after an evaluation that is not.
    #[arg(long, value_name = "S", default_value = "2", value_parser = gpu::seconds)]
    seconds: Duration,

    /// What is timed.
    #[arg(long, value_enum, default_value_t = Backend::Gpu)]
    backend: Backend,

    #[command(flatten)]
    gpu: gpu::Arguments,

    /// N x D numbers in an .npy file, in the place of random rows of norm 1 and of --n and --d.
    #[arg(long, value_name = "FILE", requires = "labels", conflicts_with_all = ["n", "d", "class_size"])]
    embeddings: Option<PathBuf>,

    /// N integers or strings in an .npy file: their labels.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    labels: Option<PathBuf>,

    /// C x D numbers in an .npy file: a prototype for each class; random ones of norm 1 where it is
    /// left out.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    prototypes: Option<PathBuf>,

    /// Measures for every point which tiles of distances and gradients are faster, and takes
    /// those.
    #[arg(long, conflicts_with = "tile")]
    autotune: bool,

    /// Takes these tiles of distances and gradients in the place of those that the library picks.
    #[arg(long, value_name = "TILE", ignore_case = true, value_parser = named::<Tile>(Tile::ALL.map(Tile::name)))]
    tile: Option<Tile>,

    /// Shares a row among few or many invocations in the place of what the library picks.
    #[arg(long, value_name = "WIDTH", ignore_case = true, value_parser = named::<RowWidth>(RowWidth::ALL.map(RowWidth::name)))]
    row_width: Option<RowWidth>,

    /// Prints the stages of every point too, on the GPU's own clock: how long each takes, and how
    /// near it is to the limit that it is nearest to. JSON always has them.
    #[arg(long)]
    stages: bool,

    /// Predicts in the place of timing, for a GPU that need not be there, and opens no adapter: how
    /// long each stage should take by the counted instructions, the bytes and the workgroups of its
    /// dispatches, which of them it is bound by, and what PyTorch's dense way moves through memory.
    /// A GPU is one of rx-vega-64, rx-6900-xt, rx-7900-xtx, rtx-3060, rtx-4090, h100-sxm, h200-sxm
    /// and arc-a770, or written as units=60,lanes=64,ghz=2.2,gbps=448: compute units, multiply-adds
    /// of each a clock, clock and memory bandwidth.
    #[arg(
        long,
        value_name = "GPU",
        value_parser = Hardware::parse,
        conflicts_with_all = [
            "seconds", "backend", "embeddings", "autotune", "stages", "adapter", "timeout",
        ],
    )]
    predict: Option<Hardware>,

    /// Prints one JSON object a line.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    pictures: Paths,
}

/// Times what is asked for, point after point.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let subjects = Subject::parse(&arguments.objective)?;
    let points = arguments.points()?;
    arguments.check(&subjects, &points)?;
    arguments.pictures.check(&[], &arguments.files())?;
    if let Some(hardware) = &arguments.predict {
        let report = arguments.predict_on(hardware, &subjects, &points)?;
        arguments.pictures.write(|| report.page())?;
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.backend == Backend::Cpu {
        arguments.gpu.refuse("cpu", false)?;
        arguments.refuse_for_cpu()?;
        let report = on_cpu::run(arguments, &subjects, &points)?;
        arguments.pictures.write(|| report.page())?;
        return Ok(ExitCode::SUCCESS);
    }
    let report = time(arguments, &subjects, &points)?;
    arguments.pictures.write(|| report.page())?;
    Ok(ExitCode::SUCCESS)
}

/// Times on an adapter.
fn time(arguments: &Arguments, subjects: &[Subject], points: &[Point]) -> Result<Report<'static>> {
    let gpu = Gpu::open_with(&arguments.gpu, arguments.options())?;
    let limits = Limits::measure(&gpu.context)?;
    match arguments.json {
        true => print_json(&limits.line(&gpu))?,
        false => print(&format!("{}\n\n{}", limits.text(&gpu), table::titles(&COLUMNS)))?,
    }
    let mut report = Report {
        on: gpu.describe(),
        limits: limits.properties(),
        columns: &COLUMNS,
        milliseconds: "median ms",
        points: Vec::new(),
    };
    for subject in subjects {
        for point in points {
            let (inputs, compiled) = prepare(&gpu.context, subject, point)?;
            if arguments.autotune {
                gpu.context.autotune(inputs.batch(&subject.loss)?.shape())?;
            }
            let timing =
                Timing::measure(&gpu.context, subject, &inputs, compiled, arguments.seconds)?;
            match arguments.json {
                true => print_json(&timing.line(&gpu, subject, &inputs, &limits))?,
                false => print(&table::row(&COLUMNS, timing.cells(subject, &inputs, &limits)))?,
            }
            if arguments.stages && !arguments.json {
                timing.stages(&limits).try_for_each(|line| print(&format!("    {line}")))?;
            }
            report.points.push(timing.point(subject, &inputs, &limits));
        }
    }
    Ok(report)
}

/// The inputs, and how long the pipelines for them took to compile. Whatever the device refuses is
/// refused before random rows are made.
fn prepare(context: &Context, subject: &Subject, point: &Point) -> Result<(Inputs, Duration)> {
    let compile = |shape| {
        let start = Instant::now();
        context.plan(&subject.loss, shape)?;
        Ok::<_, Error>(start.elapsed())
    };
    if let Some(shape) = point.shape(subject) {
        let compiled = compile(shape)?;
        return Ok((point.inputs()?, compiled));
    }
    let inputs = point.inputs()?;
    let compiled = compile(*inputs.batch(&subject.loss)?.shape())?;
    Ok((inputs, compiled))
}

const COLUMNS: [Column; 10] = [
    Column::Left("loss", 14),
    Column::Right("N", 6),
    Column::Right("D", 5),
    Column::Right("compile ms", 10),
    Column::Right("median ms", 10),
    Column::Right("least ms", 10),
    Column::Right("record us", 9),
    Column::Right("dispatches", 10),
    Column::Right("memory MiB", 10),
    Column::Right("of peak", 7),
];

/// Where the inputs of a point come from.
enum Point {
    Random { n: usize, d: usize, class_size: usize },
    Files { embeddings: PathBuf, labels: PathBuf, prototypes: Option<PathBuf> },
}

impl Point {
    /// The shape of random rows, which is known before they are made.
    fn shape(&self, subject: &Subject) -> Option<Shape> {
        match *self {
            Self::Random { n, d, class_size } => {
                Some(subject::shape(&subject.loss, n, d, class_size))
            }
            Self::Files { .. } => None,
        }
    }

    fn inputs(&self) -> Result<Inputs> {
        match self {
            Self::Random { n, d, class_size } => Ok(Inputs::random(*n, *d, *class_size)),
            Self::Files { embeddings, labels, prototypes } => {
                Inputs::read(embeddings, labels, prototypes.as_deref())
            }
        }
    }
}

impl Arguments {
    /// Refuses what cannot be timed, or would have no effect.
    fn check(&self, subjects: &[Subject], points: &[Point]) -> Result<()> {
        if self.prototypes.is_some() && !subjects.iter().any(Subject::takes_prototypes) {
            return Err(Error::option("--prototypes", "none of the losses takes them"));
        }
        for subject in subjects {
            for shape in points.iter().filter_map(|point| point.shape(subject)) {
                shape.check()?;
                subject.loss.check(&shape)?;
            }
        }
        Ok(())
    }

    /// The options of the library, but for those of an adapter.
    fn options(&self) -> Options {
        let mut options = Options::default();
        options.tiles = self.tile.map(Tiles::both);
        options.row_width = self.row_width;
        options
    }

    fn predict_on(
        &self,
        hardware: &Hardware,
        subjects: &[Subject],
        points: &[Point],
    ) -> Result<Report<'static>> {
        let mut options = self.options();
        options.tier = self.gpu.tier;
        options.arithmetic = self.gpu.arithmetic.unwrap_or(options.arithmetic);
        options.workspace_bytes = self.gpu.workspace_bytes().unwrap_or(options.workspace_bytes);
        let sizes = |subject: &Subject| {
            let size = |point: &Point| match *point {
                Point::Random { n, d, class_size } => {
                    Some(Size { n, d, class_size, shape: point.shape(subject)? })
                }
                Point::Files { .. } => None,
            };
            points.iter().filter_map(size).collect()
        };
        predict::run(hardware, &options, subjects, sizes, self.json)
    }

    /// The files that are read.
    fn files(&self) -> Vec<Named<'_>> {
        let Self { embeddings, labels, prototypes, .. } = self;
        let all =
            [("--embeddings", embeddings), ("--labels", labels), ("--prototypes", prototypes)];
        files::named(all)
    }

    /// Refuses what is for the kernels of an adapter.
    fn refuse_for_cpu(&self) -> Result<()> {
        let of_kernels = [
            ("--autotune", self.autotune),
            ("--tile", self.tile.is_some()),
            ("--row-width", self.row_width.is_some()),
            ("--stages", self.stages),
        ];
        match of_kernels.into_iter().find(|(_, given)| *given) {
            Some((option, _)) => Err(Error::option(option, "--backend cpu takes none")),
            None => Ok(()),
        }
    }

    fn points(&self) -> Result<Vec<Point>> {
        if let (Some(embeddings), Some(labels)) = (self.embeddings.clone(), self.labels.clone()) {
            return Ok(vec![Point::Files {
                embeddings,
                labels,
                prototypes: self.prototypes.clone(),
            }]);
        }
        let class_size = self.class_size;
        for (option, has_zero) in [
            ("--n", self.n.contains(&0)),
            ("--d", self.d.contains(&0)),
            ("--class-size", class_size == 0),
        ] {
            if has_zero {
                return Err(Error::option(option, "0 is too small, the least is 1"));
            }
        }
        let of = |d| self.n.iter().map(move |&n| Point::Random { n, d, class_size });
        Ok(self.d.iter().flat_map(|&d| of(d)).collect())
    }
}
