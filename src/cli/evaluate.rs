//! `evaluate`: one objective on files, or the core losses on the bundled digits.

use std::process::ExitCode;

use clap::Args;
use wgpu_metric_learning::Loss;

use super::digits::{self, Digits};
use super::evaluator::{self, Evaluator};
use super::files::{InputPaths, Inputs, OutputPaths};
use super::report::{Report, Summary};
use super::{Error, Format, Result, objective, print};

#[derive(Args)]
pub struct Arguments {
    /// The loss: a name such as Triplet, a JSON object such as {"loss":"Triplet","mining":"Hard"}, or @ and the file of one.
    /// Left out: the core losses in turn.
    #[arg(long, value_name = "OBJ")]
    objective: Option<String>,

    #[command(flatten)]
    evaluator: evaluator::Arguments,

    /// Compares the result with the CPU reference; exit code 1 where an error is beyond its bound. Always on for the digits.
    #[arg(long)]
    check: bool,

    /// How results are printed; as JSON, one object a line.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    #[command(flatten)]
    inputs: InputPaths,

    #[command(flatten)]
    outputs: OutputPaths,
}

/// Evaluates what is asked for; a result beyond its bound makes the exit code 1.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let objective = arguments.objective.as_deref().map(objective::parse).transpose()?;
    let agrees = match &objective {
        Some(loss) => match arguments.inputs.read()? {
            Some(inputs) => evaluate_files(arguments, loss, &inputs)?,
            None => evaluate_digits(arguments, std::slice::from_ref(loss))?,
        },
        None => evaluate_digits(arguments, &digits::objectives())?,
    };
    Ok(if agrees { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn evaluate_files(arguments: &Arguments, loss: &Loss, inputs: &Inputs) -> Result<bool> {
    inputs.check(&[loss])?;
    let batch = inputs.batch(loss)?;
    batch.check(loss)?;
    arguments.outputs.check(loss, batch.shape())?;
    let evaluator = Evaluator::new(&arguments.evaluator)?;
    let outcome = evaluator.evaluate(loss, &batch, arguments.check)?;
    arguments.outputs.write(batch.shape(), &outcome.result)?;
    let report = Report::of_loss(loss, batch.shape(), &outcome.result);
    print(&match arguments.format {
        Format::Table => report.text(&evaluator, &outcome),
        Format::Json => report.json(&evaluator, &outcome).to_string(),
    })?;
    Ok(outcome.agreement.violation().is_none())
}

fn evaluate_digits(arguments: &Arguments, objectives: &[Loss]) -> Result<bool> {
    let digits = Digits::load()?;
    objectives.iter().try_for_each(|loss| Ok::<_, Error>(digits.batch(loss)?.check(loss)?))?;
    let evaluator = Evaluator::new(&arguments.evaluator)?;
    let summary = Summary::new(objectives);
    if arguments.format == Format::Table {
        print(&format!("{digits}, on {}\n\n{}", evaluator.describe(), summary.titles()))?;
    }
    let mut violations = Vec::new();
    for loss in objectives {
        let batch = digits.batch(loss)?;
        let outcome = evaluator.evaluate(loss, &batch, true)?;
        print(&match arguments.format {
            Format::Table => summary.row(loss, &outcome),
            Format::Json => {
                Report::of_loss(loss, batch.shape(), &outcome.result).json(&evaluator, &outcome).to_string()
            }
        })?;
        let violation = outcome.agreement.violation();
        violations.extend(violation.map(|comparison| format!("\n{}\n{comparison}", objective::describe(loss))));
    }
    if arguments.format == Format::Table {
        violations.iter().try_for_each(|violation| print(violation))?;
    }
    Ok(violations.is_empty())
}
