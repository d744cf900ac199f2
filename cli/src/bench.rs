//! `bench`: how long losses take on an adapter, beside what it can do at most.

mod limits;
mod stages;
mod subject;
mod timing;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use wgpu_metric_learning::Options;
use wgpu_metric_learning::tuning::{RowWidth, Tile, Tiles};

use limits::Limits;
use subject::{Inputs, Subject};
use timing::Timing;

use super::gpu::{self, Gpu, named};
use super::table::{self, Column};
use super::{Error, Result, print};

#[derive(Args)]
pub struct Arguments {
    /// What is timed: one of contrastive, triplet_all, triplet_hard, lifted, multi_margin, margin,
    /// ntxent and supcon, all of them, or a loss over the pairs of a batch as `evaluate` takes
    /// it.
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
    #[arg(long, value_name = "S", default_value_t = 2.0)]
    seconds: f64,

    #[command(flatten)]
    gpu: gpu::Arguments,

    /// N x D f32 in an .npy file, in the place of random rows of norm 1 and of --n and --d.
    #[arg(long, value_name = "FILE", requires = "labels", conflicts_with_all = ["n", "d", "class_size"])]
    embeddings: Option<PathBuf>,

    /// N u32 in an .npy file: their labels.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    labels: Option<PathBuf>,

    /// C x D f32 in an .npy file: a prototype for each class; random ones of norm 1 where it is
    /// left out.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    prototypes: Option<PathBuf>,

    /// Measures for every point which tiles of distances and gradients are faster, and takes
    /// those.
    #[arg(long, conflicts_with = "tile")]
    autotune: bool,

    /// Takes these tiles of distances and gradients, small or large, in the place of those that
    /// the library picks.
    #[arg(long, value_name = "TILE", value_parser = tile)]
    tile: Option<Tile>,

    /// Shares a row among few or many invocations, narrow or wide, in the place of what the
    /// library picks.
    #[arg(long, value_name = "WIDTH", value_parser = row_width)]
    row_width: Option<RowWidth>,

    /// Prints the stages of every point too, on the GPU's own clock: how long each takes, and how
    /// near it is to the limit that it is nearest to. JSON always has them.
    #[arg(long)]
    stages: bool,

    /// Prints one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Times what is asked for, point after point.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let subjects = Subject::parse(&arguments.objective)?;
    let time = duration(arguments.seconds)?;
    let points = arguments.points()?;
    let mut options = Options::default();
    options.tiles = arguments.tile.map(Tiles::both);
    options.row_width = arguments.row_width;
    let gpu = Gpu::open_with(&arguments.gpu, options)?;
    let limits = Limits::measure(&gpu.context)?;
    print(&if arguments.json { limits.json(&gpu).to_string() } else { limits.text(&gpu) })?;
    if !arguments.json {
        print(&format!("\n{}", table::titles(&COLUMNS)))?;
    }
    for subject in &subjects {
        for point in &points {
            let inputs = point.inputs()?;
            if arguments.autotune {
                gpu.context.autotune(inputs.batch(&subject.loss)?.shape())?;
            }
            let timing = Timing::measure(&gpu.context, subject, &inputs, time)?;
            print(&match arguments.json {
                true => timing.json(&gpu, subject, &inputs, &limits).to_string(),
                false => table::row(&COLUMNS, timing.cells(subject, &inputs, &limits)),
            })?;
            if arguments.stages && !arguments.json {
                timing.stages(&limits).try_for_each(|line| print(&format!("    {line}")))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

const COLUMNS: [Column; 9] = [
    Column::Left("loss", 14),
    Column::Right("N", 6),
    Column::Right("D", 5),
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

fn tile(name: &str) -> std::result::Result<Tile, String> {
    named(name, Tile::ALL)
}

fn row_width(name: &str) -> std::result::Result<RowWidth, String> {
    named(name, RowWidth::ALL)
}

fn duration(seconds: f64) -> Result<Duration> {
    let is_positive = |duration: &Duration| !duration.is_zero();
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(is_positive)
        .ok_or_else(|| Error::option("--seconds", format!("{seconds} is no duration above 0")))
}
