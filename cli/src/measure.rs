//! `measure`: retrieval measures of files, or of the bundled digits.

mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use wgpu_metric_learning::measures::Retrieval;
use wgpu_metric_learning::{Batch, Cpu, Distance, Engine, Mode};

use super::digits::Digits;
use super::evaluator::{self, Evaluator};
use super::files;
use super::gpu::named;
use super::pictures::Paths;
use super::report::{Details, Report};
use super::{Result, note, verdict};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The distance that ranks.
    #[arg(long, value_name = "D", ignore_case = true, default_value = "Euclidean", value_parser = named::<Distance>(Distance::ALL.map(Distance::name)))]
    distance: Distance,

    /// Divides every row by its norm first.
    #[arg(long)]
    normalize: bool,

    /// The k of Recall@k, with commas between them.
    #[arg(long, value_name = "K,...", value_delimiter = ',', default_value = "1,2,4,8")]
    recall_at: Vec<usize>,

    /// The k of Precision@k, with commas between them.
    #[arg(long, value_name = "K,...", value_delimiter = ',')]
    precision_at: Vec<usize>,

    /// The k of NDCG@k, with commas between them.
    #[arg(long, value_name = "K,...", value_delimiter = ',')]
    ndcg_at: Vec<usize>,

    /// Tells the measures of every class too, of its queries. With --backend reference they come from
    /// the CPU engine.
    #[arg(long)]
    per_class: bool,

    /// Tells between which values each measure is in 95 % of so many draws of as many queries, each
    /// of which may be drawn again. With --backend reference they come from the CPU engine.
    #[arg(long, value_name = "DRAWS", value_parser = clap::value_parser!(u32).range(1..))]
    bootstrap: Option<u32>,

    /// What the draws are drawn by.
    #[arg(long, value_name = "SEED", default_value_t = 0, requires = "bootstrap")]
    seed: u32,

    #[command(flatten)]
    evaluator: evaluator::Arguments,

    #[command(flatten)]
    pictures: Paths,

    #[command(flatten)]
    inputs: InputPaths,
}

#[derive(Args, Clone)]
#[command(next_help_heading = files::INPUTS)]
struct InputPaths {
    /// N x D numbers: the embeddings, every one a query. Left out: the bundled digits.
    #[arg(long, value_name = "FILE", requires = "labels")]
    embeddings: Option<PathBuf>,

    /// N integers or strings: the label of every embedding; evaluate --help tells how they are read.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    labels: Option<PathBuf>,

    /// M x D numbers: what the embeddings retrieve instead of each other.
    #[arg(long, value_name = "FILE", requires_all = ["embeddings", "reference_labels"])]
    references: Option<PathBuf>,

    /// M integers or strings: the label of every reference.
    #[arg(long, value_name = "FILE", requires = "references")]
    reference_labels: Option<PathBuf>,

    /// Row i of the embeddings is the same as row i + ROWS of the references, and does not retrieve
    /// itself: 0 where both are one file.
    #[arg(long, value_name = "ROWS", requires = "references")]
    reference_offset: Option<usize>,
}

impl InputPaths {
    fn paths(&self) -> files::InputPaths {
        let Self { embeddings, labels, references, reference_labels, reference_offset } =
            self.clone();
        files::InputPaths {
            embeddings,
            labels,
            references,
            reference_labels,
            reference_offset,
            ..Default::default()
        }
    }

    fn mode(&self) -> Mode {
        if self.references.is_some() { Mode::Reference } else { Mode::Batch }
    }
}

/// Measures what is asked for; a result beyond its bound makes the exit code 1.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let paths = arguments.inputs.paths();
    arguments.pictures.check(&[], &paths.named())?;
    match paths.read()? {
        Some(inputs) => {
            let batch = inputs.batch_in(arguments.inputs.mode())?;
            measure(arguments, &batch, &inputs.classes, arguments.evaluator.checks_files())
        }
        None => {
            let check = arguments.evaluator.checks_digits();
            measure(arguments, &Digits::load()?.rows()?, &[], check)
        }
    }
}

/// The share of the draws that confidence is told of.
const SHARE: f64 = 0.95;

/// Measures a batch whose labels have these names, or are numbers.
fn measure(
    arguments: &Arguments,
    batch: &Batch,
    classes: &[String],
    check: bool,
) -> Result<ExitCode> {
    let Arguments { distance, normalize, recall_at, precision_at, ndcg_at, .. } = arguments;
    let retrieval = Retrieval {
        distance: *distance,
        normalize: *normalize,
        recall_at: recall_at.clone(),
        precision_at: precision_at.clone(),
        ndcg_at: ndcg_at.clone(),
    };
    retrieval.check(batch.shape())?;
    let evaluator = Evaluator::new(&arguments.evaluator)?;
    let outcome = evaluator.evaluate(&(&retrieval, batch), check)?;
    if outcome.result.counted == 0 {
        note("no label is there twice, so nothing can be retrieved: every measure is 0");
    }
    let engine = evaluator.engine().unwrap_or_else(|| Engine::Cpu(Cpu::default()));
    let details = details(arguments, &engine, &retrieval, batch, classes)?;
    let page = report::Report {
        on: &evaluator.describe(),
        retrieval: &retrieval,
        batch,
        classes,
        measures: &outcome.result,
        details: &details,
        picture_width: arguments.inputs.embeddings.is_none().then_some(Digits::WIDTH),
    };
    arguments.pictures.write(|| page.page())?;
    let report = Report::of_measures(&retrieval, batch.shape(), &outcome.result);
    let report = report.with_details(details.clone());
    report.print(arguments.evaluator.json, &evaluator, &outcome)?;
    Ok(verdict(outcome.agreement.violation().is_none()))
}

/// What is told beside the measures, where that is asked for.
fn details(
    arguments: &Arguments,
    engine: &Engine,
    retrieval: &Retrieval,
    batch: &Batch,
    classes: &[String],
) -> Result<Details> {
    let Arguments { per_class, bootstrap, seed, .. } = *arguments;
    let mut details = Details::default();
    if !per_class && bootstrap.is_none() {
        return Ok(details);
    }
    let queries = evaluator::run(|watch| engine.measure_queries(retrieval, batch).watch(watch))?;
    if per_class {
        let name = |label: u32| match classes.get(label as usize) {
            Some(class) => class.clone(),
            None => label.to_string(),
        };
        let of_classes = queries.classes().into_iter();
        let of_classes = of_classes.map(|(label, measures)| (name(label), measures));
        details = details.with_classes(retrieval, of_classes);
    }
    if let Some(draws) = bootstrap {
        let bounds = queries.confidence(SHARE, draws, seed)?;
        details = details.with_confidence(retrieval, (SHARE, draws, seed), bounds);
    }
    Ok(details)
}
