//! `bench --predict`: how long every stage should take on a GPU that need not be there, from the
//! dispatches of its plan, the counted instructions of their loops and what the vendor publishes.

use std::collections::BTreeMap;

use serde::Serialize;
use wgpu::{Device, DeviceDescriptor, DeviceType, Features, Limits};
use wgpu_metric_learning::profile::{Section, Stage};
use wgpu_metric_learning::tuning::{RowWidth, Tiles};
use wgpu_metric_learning::{Arithmetic, Context, Loss, Options, Plan, Record, Shape};

use super::counts::{self, OPERATIONS};
use super::dense;
use super::hardware::Hardware;
use super::report::{Point, Report};
use super::stages::{bytes_of, is_of_chosen_pairs};
use super::subject::Subject;
use super::timing::TileNames;
use crate::place::Place;
use crate::plan::planned;
use crate::table::{self, Column};
use crate::{Result, print, print_json};

/// Bytes of a buffer of the device that plans: as many as the GPUs of the table take.
const MOST_BYTES: u64 = 1 << 30;

/// Operations that a plan counts for each pair and dimension.
const OF_A_PAIR: u64 = 3;

/// Below this share of the units that work, there are too few workgroups.
const FEW: f64 = 0.75;

const COLUMNS: [Column; 8] = [
    Column::Left("loss", 14),
    Column::Right("N", 6),
    Column::Right("D", 5),
    Column::Right("predicted ms", 12),
    Column::Right("dispatches", 10),
    Column::Right("memory MiB", 10),
    Column::Right("dense MiB moved", 15),
    Column::Right("dense ms at least", 17),
];

/// A point that is predicted.
pub(super) struct Size {
    pub n: usize,
    pub d: usize,
    pub class_size: usize,
    pub shape: Shape,
}

/// Predicts every subject at every size. Nothing is computed, and no adapter is opened.
pub(super) fn run(
    hardware: &Hardware,
    options: &Options,
    subjects: &[Subject],
    sizes: impl Fn(&Subject) -> Vec<Size>,
    json: bool,
) -> Result<Report<'static>> {
    let mut report = Report {
        on: format!("a prediction for the {}, nothing is measured", hardware.name),
        limits: properties(hardware),
        columns: &COLUMNS,
        milliseconds: "predicted ms",
        points: Vec::new(),
    };
    match json {
        true => print_json(&limits(hardware, options.arithmetic))?,
        false => print(&format!("{}\n\n{}", text(hardware), table::titles(&COLUMNS)))?,
    }
    let context = context(options)?;
    for subject in subjects {
        for size in sizes(subject) {
            let prediction = Prediction::new(hardware, &context, subject, &size)?;
            match json {
                true => print_json(&prediction.line(hardware, subject, &size))?,
                false => print(&prediction.text(subject, &size))?,
            }
            report.points.push(prediction.point(subject, &size));
        }
    }
    Ok(report)
}

/// What is published of a GPU, for people.
fn properties(hardware: &Hardware) -> Vec<(&'static str, String)> {
    let Hardware { units, lanes, ghz, gbps, source, .. } = hardware;
    vec![
        ("compute units", format!("{units} of {lanes} lanes at {ghz} GHz")),
        ("multiply-adds", format!("{:.1} GFLOP/s", 2e-9 * hardware.lane_operations_per_second())),
        ("memory", format!("{gbps} GB/s")),
        ("figures of", source.clone()),
    ]
}

fn text(hardware: &Hardware) -> String {
    let properties = table::properties(&properties(hardware));
    format!("{}: a prediction, nothing is measured\n{properties}", hardware.name)
}

/// What is published, and the counts, as JSON.
#[derive(Serialize)]
struct Published<'a> {
    /// Tells it from the points that follow.
    limits: bool,
    predicted: bool,
    #[serde(flatten)]
    place: Place,
    units: u32,
    lanes: u32,
    ghz: f64,
    operations_per_second: f64,
    bytes_per_second: f64,
    source: &'a str,
    vector_operations_per_pair_and_dimension: BTreeMap<&'static str, f64>,
}

/// A GPU that need not be there.
fn place(hardware: &Hardware, arithmetic: Arithmetic) -> Place {
    let adapter = Some(hardware.name.clone());
    Place { adapter, arithmetic: arithmetic.name(), ..Place::without_adapter("gpu") }
}

fn limits(hardware: &Hardware, arithmetic: Arithmetic) -> Published<'_> {
    Published {
        limits: true,
        predicted: true,
        place: place(hardware, arithmetic),
        units: hardware.units,
        lanes: hardware.lanes,
        ghz: hardware.ghz,
        operations_per_second: 2.0 * hardware.lane_operations_per_second(),
        bytes_per_second: hardware.bytes_per_second(),
        source: &hardware.source,
        vector_operations_per_pair_and_dimension: OPERATIONS.into_iter().collect(),
    }
}

/// What a loss on rows of one size should take.
struct Prediction {
    stages: Vec<StagePrediction>,
    dispatches: usize,
    tiles: Option<Tiles>,
    row_width: Option<RowWidth>,
    memory_bytes: u64,
    operations: u64,
    dense: Option<DensePrediction>,
    arithmetic: Arithmetic,
}

/// What the dense way in PyTorch moves, and how long that alone takes.
#[derive(Clone, Copy, Serialize)]
struct DensePrediction {
    bytes: u64,
    ms_predicted: f64,
}

impl Prediction {
    fn new(hardware: &Hardware, context: &Context, subject: &Subject, size: &Size) -> Result<Self> {
        let (plan, binding) = planned(context, &subject.loss, size.shape)?;
        let sections = plan.sections(&binding)?;
        let dispatches: Vec<_> = sections.iter().flat_map(Section::apart).collect();
        let stages = Stage::ALL.into_iter().filter_map(|stage| {
            let own: Vec<_> =
                dispatches.iter().filter(|dispatch| dispatch.stage() == stage).collect();
            (!own.is_empty()).then(|| StagePrediction::new(stage, &own, &plan, hardware))
        });
        let of_dense = |bytes: u64| DensePrediction {
            bytes,
            ms_predicted: 1e3 * bytes as f64 / hardware.bytes_per_second(),
        };
        let sides = [size.n, size.shape.references()];
        Ok(Self {
            stages: stages.collect(),
            dispatches: plan.dispatches(&binding),
            tiles: plan.tiles(),
            row_width: plan.row_width(),
            memory_bytes: plan.memory_bytes(),
            operations: plan.operations(&binding),
            dense: dense::bytes(&subject.name, sides, size.class_size.min(size.n) - 1)
                .map(of_dense),
            arithmetic: context.options().arithmetic,
        })
    }

    fn milliseconds(&self) -> f64 {
        self.stages.iter().map(StagePrediction::milliseconds).sum()
    }

    fn cells(&self, subject: &Subject, size: &Size) -> Vec<String> {
        let mib = |bytes: u64| format!("{:.1}", bytes as f64 / f64::from(1 << 20));
        let of_dense = |text: fn(&DensePrediction) -> String| {
            self.dense.as_ref().map(text).unwrap_or_default()
        };
        vec![
            subject.name.clone(),
            size.n.to_string(),
            size.d.to_string(),
            format!("{:.3}", self.milliseconds()),
            self.dispatches.to_string(),
            mib(self.memory_bytes),
            of_dense(|dense| format!("{:.1}", dense.bytes as f64 / f64::from(1 << 20))),
            of_dense(|dense| format!("{:.3}", dense.ms_predicted)),
        ]
    }

    /// It as a report has it.
    fn point(&self, subject: &Subject, size: &Size) -> Point {
        Point {
            loss: subject.name.clone(),
            n: size.n,
            d: size.d,
            milliseconds: self.milliseconds(),
            cells: self.cells(subject, size),
            stages: self.stages.iter().map(StagePrediction::text).collect(),
        }
    }

    fn text(&self, subject: &Subject, size: &Size) -> String {
        let cells = self.cells(subject, size);
        let stages = self.stages.iter().map(|stage| format!("    {}", stage.text()));
        let lines: Vec<_> = std::iter::once(table::row(&COLUMNS, cells)).chain(stages).collect();
        lines.join("\n")
    }

    fn line<'a>(&self, hardware: &Hardware, subject: &'a Subject, size: &Size) -> Line<'a> {
        Line {
            implementation: env!("CARGO_BIN_NAME"),
            predicted: true,
            place: place(hardware, self.arithmetic),
            loss: &subject.name,
            objective: &subject.loss,
            n: size.n,
            d: size.d,
            ms_predicted: self.milliseconds(),
            stages: self.stages.iter().map(|stage| (stage.stage.name(), stage.line())).collect(),
            dispatches: self.dispatches,
            tiles: self.tiles.map(TileNames::new),
            row_width: self.row_width.map(RowWidth::name),
            memory_bytes: self.memory_bytes,
            operations: self.operations,
            dense: self.dense,
        }
    }
}

/// A point as JSON.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "impl")]
    implementation: &'static str,
    predicted: bool,
    #[serde(flatten)]
    place: Place,
    loss: &'a str,
    objective: &'a Loss,
    n: usize,
    d: usize,
    ms_predicted: f64,
    stages: BTreeMap<&'static str, StageLine>,
    dispatches: usize,
    tiles: Option<TileNames>,
    row_width: Option<&'static str>,
    memory_bytes: u64,
    operations: u64,
    dense: Option<DensePrediction>,
}

/// A stage as JSON.
#[derive(Serialize)]
struct StageLine {
    ms_predicted: f64,
    dispatches: usize,
    least_workgroups: u64,
    operations: u64,
    vector_operations: u64,
    bytes: u64,
    bound_by: &'static str,
    share_of_units: f64,
}

/// A context that plans as for a discrete GPU, on a device that computes nothing.
fn context(options: &Options) -> Result<Context> {
    let required_features = Features::SUBGROUP;
    let required_limits = Limits {
        max_buffer_size: MOST_BYTES,
        max_storage_buffer_binding_size: MOST_BYTES,
        ..Limits::default()
    };
    let (device, queue) = Device::noop(&DeviceDescriptor {
        required_features,
        required_limits,
        ..Default::default()
    });
    let options = options.clone().with_planned_for(DeviceType::DiscreteGpu);
    Ok(Context::configured(&device, &queue, options)?)
}

/// What a stage should take.
struct StagePrediction {
    stage: Stage,
    dispatches: usize,
    /// The workgroups of the dispatch that has the fewest.
    least_workgroups: u64,
    /// As the plan counts them.
    operations: u64,
    vector_operations: f64,
    bytes: u64,
    /// How long the vector operations take if every unit works all the time.
    arithmetic: f64,
    /// How long they take with the workgroups that there are.
    in_rounds: f64,
    /// How long the bytes take.
    copies: f64,
}

impl StagePrediction {
    fn new(stage: Stage, dispatches: &[&Section], plan: &Plan, hardware: &Hardware) -> Self {
        let works: Vec<_> = dispatches.iter().map(|dispatch| Work::of(dispatch, plan)).collect();
        let bytes = match stage {
            Stage::Distance => passes(&works, plan) * bytes_of(stage, plan),
            Stage::Terms => dispatches.iter().map(|dispatch| bytes_of_terms(dispatch, plan)).sum(),
            Stage::Gradient if !is_of_chosen_pairs(plan.loss()) => {
                works.iter().map(|work| work.bytes_of_gradient(plan)).sum()
            }
            _ => bytes_of(stage, plan),
        };
        let vector_operations = works.iter().map(|work| work.vector_operations).sum();
        Self {
            stage,
            dispatches: dispatches.len(),
            least_workgroups: works.iter().map(|work| work.workgroups).min().unwrap_or(0),
            operations: works.iter().map(|work| work.operations).sum(),
            vector_operations,
            bytes,
            arithmetic: vector_operations / hardware.lane_operations_per_second(),
            in_rounds: works.iter().map(|work| work.seconds(hardware)).sum(),
            copies: bytes as f64 / hardware.bytes_per_second(),
        }
    }

    fn milliseconds(&self) -> f64 {
        1e3 * self.in_rounds.max(self.copies)
    }

    /// How many of the units work, on average.
    fn share_of_units(&self) -> f64 {
        if self.in_rounds > 0.0 { self.arithmetic / self.in_rounds } else { 0.0 }
    }

    fn bound_by(&self) -> &'static str {
        match self.share_of_units() {
            _ if self.copies >= self.in_rounds => "copies",
            share if share < FEW => "workgroups",
            _ => "multiply-adds",
        }
    }

    fn text(&self) -> String {
        let (stage, milliseconds) = (self.stage.name(), self.milliseconds());
        let dispatches = match (self.dispatches, self.least_workgroups) {
            (1, 1) => "1 dispatch of 1 workgroup".to_owned(),
            (1, workgroups) => format!("1 dispatch of {workgroups} workgroups"),
            (count, least) => format!("{count} dispatches, the smallest of {least}"),
        };
        format!(
            "{stage:<9} {milliseconds:>8.4} ms, bound by {:<14} {:>3.0} % of the units at work, \
            {dispatches}",
            format!("{},", self.bound_by()),
            100.0 * self.share_of_units(),
        )
    }

    fn line(&self) -> StageLine {
        StageLine {
            ms_predicted: self.milliseconds(),
            dispatches: self.dispatches,
            least_workgroups: self.least_workgroups,
            operations: self.operations,
            vector_operations: self.vector_operations as u64,
            bytes: self.bytes,
            bound_by: self.bound_by(),
            share_of_units: self.share_of_units(),
        }
    }
}

/// What a dispatch does.
struct Work {
    workgroups: u64,
    operations: u64,
    vector_operations: f64,
    /// Of a kernel of distances or gradients in tiles, the size of a tile.
    tile: Option<[u64; 2]>,
    /// Whether it adds up slices of a gradient.
    adds_slices: bool,
}

impl Work {
    fn of(dispatch: &Section, plan: &Plan) -> Self {
        let (workgroups, operations) = (dispatch.workgroups(), dispatch.operations());
        let kernel = dispatch.kernel();
        let tile = plan.tiles().and_then(|tiles| match dispatch.stage() {
            Stage::Distance => Some([u64::from(tiles.distance.of_distances()); 2]),
            Stage::Gradient => Some(tiles.gradient.of_gradient().map(u64::from)),
            _ => None,
        });
        let distance = plan.loss().distance().unwrap_or_default();
        let is_expanded = plan.context().options().arithmetic == Arithmetic::Expanded;
        let counted = tile.and_then(|tile| {
            let count = counts::operations(&kernel, tile, distance, is_expanded)?;
            Some((tile, count))
        });
        let dimensions = plan.shape().dimensions() as u64;
        let vector_operations = match counted {
            // All of a tile is computed, be it beyond the edge of the matrix.
            Some(([rows, columns], count)) if dispatch.stage() == Stage::Distance => {
                count * (workgroups * rows * columns * dimensions.next_multiple_of(4)) as f64
            }
            Some(([_, width], count)) => {
                let padded = dimensions.next_multiple_of(width) as f64 / dimensions as f64;
                count * operations as f64 / OF_A_PAIR as f64 * padded
            }
            None => operations as f64,
        };
        let tile = counted.map(|(tile, _)| tile);
        let adds_slices = kernel.ends_with("slices");
        Self { workgroups, operations, vector_operations, tile, adds_slices }
    }

    /// How long it takes: each unit has a workgroup at a time, and all begin the next one together.
    /// A unit that has several gives each its share, which comes to the same.
    fn seconds(&self, hardware: &Hardware) -> f64 {
        let workgroups = self.workgroups.max(1);
        let rounds = workgroups.div_ceil(hardware.units.into());
        rounds as f64 * self.vector_operations / workgroups as f64 / hardware.operations_of_a_unit()
    }

    /// Pairs whose direction or difference it takes.
    fn pairs(&self, plan: &Plan) -> u64 {
        self.operations / (OF_A_PAIR * plan.shape().dimensions() as u64)
    }

    /// The coefficients once for every tile of dimensions; the sums, which are added to those of
    /// earlier stripes, or up to those of all slices; and the rows.
    fn bytes_of_gradient(&self, plan: &Plan) -> u64 {
        if self.adds_slices {
            return 4 * 256 * self.workgroups;
        }
        let Some([height, width]) = self.tile else { return bytes_of(Stage::Gradient, plan) };
        let dimensions = plan.shape().dimensions() as u64;
        let sums = self.workgroups * height * width.min(dimensions);
        4 * (self.pairs(plan) * dimensions.div_ceil(width) + 3 * sums)
    }
}

/// How often the matrix of distances is computed; half of it is as much to write.
fn passes(works: &[Work], plan: &Plan) -> u64 {
    let shape = plan.shape();
    let pairs: u64 = works.iter().map(|work| work.pairs(plan)).sum();
    let matrix = shape.queries() as u64 * shape.references().next_multiple_of(4) as u64;
    pairs.div_ceil(matrix).max(1)
}

/// A row of distances for every workgroup, and of coefficients where the kernel makes them.
fn bytes_of_terms(dispatch: &Section, plan: &Plan) -> u64 {
    let makes_coefficients =
        !dispatch.kernel().ends_with(" statistics") && !is_of_chosen_pairs(plan.loss());
    let rows = dispatch.workgroups() * plan.shape().references() as u64;
    4 * rows * if makes_coefficients { 2 } else { 1 }
}
