//! `train`: fits a projection head to labelled embeddings, or to the bundled digits.

mod checkpoint;
mod course;
mod outcome;
mod report;
mod rows;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use course::{Best, Course, Kept};
use outcome::{Ended, Outcome};
use report::Report;
use rows::Rows;
use serde_json::{Value, json};
use wgpu_metric_learning::training::{Adam, BalancedSampler, Mlp, Optimizer, Sgd, Training};
use wgpu_metric_learning::{Loss, Mode, Trainer, Weighted};

use super::digits::Digits;
use super::error::INTERRUPTED;
use super::evaluator::{Computing, Evaluator};
use super::head::Head;
use super::objective::{as_written, to_json};
use super::output::Named;
use super::pictures::Paths;
use super::{Error, Result, descriptions, interrupt, is_quiet, objective, say};

#[derive(Args)]
#[command(after_long_help = descriptions::help(is_trained))]
pub(crate) struct Arguments {
    /// The loss, or several with their weights, as evaluate takes them; of batches of embeddings and
    /// labels.
    #[arg(long, value_name = "OBJ", default_value = "Contrastive")]
    objective: String,

    #[command(flatten)]
    computing: Computing,

    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    head: Shape,

    #[command(flatten)]
    steps: Steps,

    /// Where the head is written, a .safetensors file that apply and PyTorch's nn.Sequential read.
    /// Left out: it is measured only.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    pictures: Paths,

    /// Prints one JSON object a line.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[command(next_help_heading = super::files::INPUTS)]
struct Data {
    /// N x I numbers: the embeddings. Left out: the bundled digits, the first 1,000 to train, the
    /// others to measure.
    #[arg(long, value_name = "FILE", requires = "labels")]
    embeddings: Option<PathBuf>,

    /// N integers or strings: the label of every embedding; evaluate --help tells how they are read.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    labels: Option<PathBuf>,

    /// Numbers from 0 on, one for every embedding: what the terms of its row as an anchor are
    /// multiplied by. Those held out are measured without.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    weights: Option<PathBuf>,

    /// Numbers from 0 on, one per class: what the terms of every embedding with that label are
    /// multiplied by.
    #[arg(long, value_name = "FILE", requires = "labels", conflicts_with = "weights")]
    class_weights: Option<PathBuf>,

    /// The share of the rows of each class, spread evenly, that is measured and not trained on.
    #[arg(long, value_name = "SHARE", default_value_t = 0.3, requires = "embeddings", value_parser = share)]
    validation: f64,
}

#[derive(Args)]
#[command(next_help_heading = "Head")]
struct Shape {
    /// The numbers of the hidden layers, with commas between them.
    #[arg(long, value_name = "H,...", value_delimiter = ',', default_value = "128")]
    hidden: Vec<usize>,

    /// Has no hidden layer: the head is a linear projection with a bias.
    #[arg(long, conflicts_with = "hidden")]
    linear: bool,

    /// Divides what the head makes by its norm: in the loss, in what is measured, and in what apply
    /// writes.
    #[arg(long)]
    normalize: bool,

    /// The numbers of an embedding that the head makes.
    #[arg(long, value_name = "D", default_value_t = 16)]
    dims: usize,
}

#[derive(Args)]
#[command(next_help_heading = "Steps")]
struct Steps {
    /// What makes the steps.
    #[arg(long, value_enum, default_value_t = Rule::Adam)]
    optimizer: Rule,

    /// How far a step goes.
    #[arg(long, value_name = "RATE", default_value_t = 2e-3)]
    learning_rate: f32,

    /// How strongly parameters are drawn to 0.
    #[arg(long, value_name = "W", default_value_t = 0.0)]
    weight_decay: f32,

    /// How the learning rate goes over the steps.
    #[arg(long = "schedule", value_enum, default_value_t = Decay::Constant)]
    decay: Decay,

    /// Steps in which the learning rate rises from 0 first.
    #[arg(long, value_name = "STEPS", default_value_t = 0)]
    warm_up: usize,

    /// How many steps there are.
    #[arg(long, value_name = "STEPS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,

    /// Classes in a batch; 10 where it is left out, or all that there are.
    #[arg(long, value_name = "P")]
    classes_per_batch: Option<usize>,

    /// Rows of each class in a batch.
    #[arg(long, value_name = "K", default_value_t = 8)]
    samples_per_class: usize,

    /// What the first parameters and the batches are drawn by: the same seed gives the same head,
    /// to the bit on one device.
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u32,

    /// Measures the rows held out after every so many steps, and tells their MAP@R.
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u32).range(1..))]
    validate_every: Option<u32>,

    /// Stops early: when the MAP@R of the rows held out was not better in so many measurements one
    /// after another. The best head is kept. Measures after every tenth of the steps where
    /// --validate-every does not say otherwise.
    #[arg(long, value_name = "TIMES", value_parser = clap::value_parser!(u32).range(1..))]
    patience: Option<u32>,

    /// Where it is written with every line that is printed how far the training has come, a
    /// .safetensors file that --resume takes.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,

    /// Goes on from a checkpoint of the same training, up to --steps, with the same bits on the same
    /// device.
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Rule {
    /// Adam with its usual betas.
    Adam,
    /// Stochastic gradient descent with a momentum of 0.9.
    Sgd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Decay {
    /// It stays.
    Constant,
    /// It falls in half a cosine to 0.
    Cosine,
}

/// Whether a loss takes batches of embeddings and labels.
fn is_trained(loss: &Loss) -> bool {
    loss.modes().contains(&Mode::Batch)
}

fn share(text: &str) -> std::result::Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..1.0).contains(share) && *share > 0.0);
    share.ok_or_else(|| format!("{text} is no share above 0 and below 1"))
}

/// Classes in a batch where there are as many.
const USUAL_CLASSES: usize = 10;

/// Trains, measures, and writes the head.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let objective = arguments.objective()?;
    check_files(arguments)?;
    let [trained, held_out] = rows::rows(&arguments.data)?;
    let training = arguments.training(&trained, objective);
    let description = arguments.description(&training, &trained);
    let normalize = training.objective.iter().all(|weighted| weighted.loss.normalize());
    let evaluator = Evaluator::open(&arguments.computing)?;
    let Some(engine) = evaluator.engine() else {
        return Err(Error::option("--backend", "the reference does not train"));
    };
    let inputs = outcome::measure(&engine, &held_out, &held_out.values, held_out.columns)?;
    let mut trainer = engine.trainer(training.clone(), &trained.values, &trained.labels)?;
    if let Some(weights) = &trained.weights {
        trainer = trainer.with_weights(weights)?;
    }
    let (made, best) = arguments.steps.resume(&mut trainer, &description)?;
    if !is_quiet() && !arguments.json {
        let Rows { columns, labels, .. } = &trained;
        let (rows, on) = (labels.len(), evaluator.describe());
        say(&format!("{rows} rows of {columns} numbers, on {on}\n"))?;
    }
    let head = |parameters| Head { mlp: training.mlp.clone(), parameters, normalize };
    let measure = |head: &Head| -> Result<_> {
        let projected = head.project(&held_out.values)?;
        let measured = outcome::measure(&engine, &held_out, &projected, head.mlp.outputs)?;
        Ok((projected, measured))
    };
    let measure_now = |parameters| Ok(measure(&head(parameters))?.1);
    interrupt::listen()?;
    let course =
        Course { arguments, trainer, description: &description, measure: &measure_now, best };
    let Kept { parameters, course, steps, ended } = course.run(made)?;

    let head = head(parameters);
    if let Some(path) = &arguments.out {
        head.write(path, description.to_string())?;
    }
    let (projected, outputs) = measure(&head)?;
    course::tell_of_collapse(&projected, head.mlp.outputs);
    let report = Report {
        on: &evaluator.describe(),
        course: &course,
        held_out: &held_out,
        outputs: (&projected, head.mlp.outputs),
        measured: [inputs, outputs],
        picture_width: arguments.data.embeddings.is_none().then_some(Digits::WIDTH),
    };
    arguments.pictures.write(|| report.page())?;
    let out = arguments.out.as_deref();
    let place = evaluator.place();
    Outcome { steps, ended, inputs, outputs, out, place }.print(arguments.json)?;
    Ok(if ended == Ended::Interrupted { ExitCode::from(INTERRUPTED) } else { ExitCode::SUCCESS })
}

fn check_files(arguments: &Arguments) -> Result<()> {
    fn named<'a>(files: &[(&'static str, Option<&'a Path>)]) -> Vec<Named<'a>> {
        let named = |&(option, path): &(_, Option<&'a Path>)| Some(Named { option, path: path? });
        files.iter().filter_map(named).collect()
    }
    let Arguments { data, steps, out, pictures, .. } = arguments;
    let inputs = named(&[
        ("--embeddings", data.embeddings.as_deref()),
        ("--labels", data.labels.as_deref()),
        ("--weights", data.weights.as_deref()),
        ("--class-weights", data.class_weights.as_deref()),
        ("--objective", objective::file(&arguments.objective)),
    ]);
    let (out, checkpoint) = (out.as_deref(), steps.checkpoint.as_deref());
    let resume = named(&[("--resume", steps.resume.as_deref())]);
    // A checkpoint may be gone on with in its own file.
    pictures.check(&named(&[("--out", out)]), &resume)?;
    pictures.check(&named(&[("--out", out), ("--checkpoint", checkpoint)]), &inputs)
}

impl Steps {
    /// Whether rows held out are measured on the way.
    fn validates(&self) -> bool {
        self.validate_every.is_some() || self.patience.is_some()
    }

    /// Whether they are measured after so many steps.
    fn validates_after(&self, made: u32) -> bool {
        let every = self.validate_every.unwrap_or(self.steps.div_ceil(10));
        self.validates() && made.is_multiple_of(every)
    }

    /// Goes to where the training stood that is to be gone on with; how many steps it had made, and
    /// its best head where the rows held out are to end the training.
    fn resume(&self, trainer: &mut Trainer, description: &Value) -> Result<(u32, Option<Best>)> {
        let Some(path) = &self.resume else { return Ok((0, None)) };
        let (checkpoint, best) = checkpoint::read(path, description)?;
        trainer.resume(&checkpoint).map_err(|error| Error::file(path, error))?;
        let (made, asked) = (checkpoint.batches, self.steps);
        if made >= asked {
            let problem =
                format!("{} has made {made} steps, {asked} are asked for", path.display());
            return Err(Error::option("--steps", problem));
        }
        Ok((made, best.filter(|_| self.patience.is_some())))
    }
}

/// The loss that divides rows by their norm.
fn normalized(loss: &Loss) -> Result<Loss> {
    let mut settings = to_json(loss);
    settings["normalize"] = true.into();
    let problem =
        |_| Error::option("--normalize", format!("{} does not take normalize", loss.name()));
    serde_json::from_value(settings).map_err(problem)
}

impl Arguments {
    /// What is trained with.
    fn objective(&self) -> Result<Vec<Weighted<()>>> {
        let all = objective::parse(&self.objective)?.losses.into_iter().map(|mut weighted| {
            weighted.check(Mode::Batch)?;
            if self.head.normalize {
                weighted.loss = normalized(&weighted.loss)?;
            }
            Ok(Weighted::new(weighted.weight, weighted.loss, ()))
        });
        all.collect()
    }

    fn training(&self, rows: &Rows, objective: Vec<Weighted<()>>) -> Training {
        let Steps { learning_rate, weight_decay, seed, .. } = self.steps;
        let optimizer: Optimizer = match self.steps.optimizer {
            Rule::Adam => Adam { learning_rate, weight_decay, ..Default::default() }.into(),
            Rule::Sgd => Sgd { learning_rate, weight_decay, momentum: 0.9 }.into(),
        };
        let hidden = if self.head.linear { Vec::new() } else { self.head.hidden.clone() };
        let classes = || rows::classes(&rows.labels).min(USUAL_CLASSES);
        let sampler = BalancedSampler {
            classes_per_batch: self.steps.classes_per_batch.unwrap_or_else(classes),
            samples_per_class: self.steps.samples_per_class,
        };
        let mlp = Mlp { inputs: rows.columns, hidden, outputs: self.head.dims };
        Training { mlp, objective, optimizer, sampler, seed }
    }
}

/// The key of a description that says which program has made it.
const MADE_BY: &str = "made_by";

impl Arguments {
    /// How a head is trained on these rows, for its file.
    fn description(&self, training: &Training, rows: &Rows) -> Value {
        let Training { mlp, objective, optimizer, sampler, seed } = training;
        let parts = objective.iter().map(|of| {
            let mut part = as_written(&of.loss);
            part["weight"] = as_written(&of.weight);
            part
        });
        json!({
            MADE_BY: concat!("wgpu-metric-learning ", env!("CARGO_PKG_VERSION")),
            "rows": rows.labels.len(),
            "checksum": rows.checksum(),
            "inputs": mlp.inputs,
            "hidden": mlp.hidden,
            "outputs": mlp.outputs,
            "normalize": objective.iter().all(|weighted| weighted.loss.normalize()),
            "objective": parts.collect::<Vec<_>>(),
            "optimizer": as_written(optimizer),
            "schedule": self.steps.decay.to_possible_value().map(|of| of.get_name().to_owned()),
            "warm_up": self.steps.warm_up,
            "sampler": sampler,
            "seed": seed,
        })
    }
}
