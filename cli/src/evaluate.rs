//! `evaluate`: an objective on files, or the losses on the bundled digits.

use std::process::ExitCode;

use clap::Args;
use wgpu_metric_learning::{Batch, Loss, Mining, Mode, Weighted};

use super::digits::{self, Digits};
use super::evaluator::{self, Evaluator};
use super::files::{InputPaths, Inputs};
use super::objective::{Objective, WeightedLoss};
use super::output::Named;
use super::output_paths::OutputPaths;
use super::report::Report;
use super::summary::Summary;
use super::{Error, Result, descriptions, objective, print, print_json, ranks, verdict};

#[derive(Args)]
#[command(after_long_help = descriptions::help(|_| true))]
pub(crate) struct Arguments {
    /// The loss: a name such as Triplet, in any case; bench: and a name of those that `bench` times;
    /// a JSON object such as {"loss":"Triplet","mining":"Hard"}; a JSON array of such objects for
    /// their sum, each with a "weight" (1 where it is left out); or @ and the file of one. Left
    /// out: the losses in turn.
    #[arg(long, value_name = "OBJ")]
    objective: Option<String>,

    #[command(flatten)]
    evaluator: evaluator::Arguments,

    /// Shares the rows among so many contexts on the adapters of this machine, which compute in
    /// parallel; where there are fewer adapters, several are on one. With --backend cpu they are so
    /// many CPU engines. Of a batch or references; the digits' losses are those that take them.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u16).range(1..=64))]
    adapters: Option<u16>,

    #[command(flatten)]
    inputs: InputPaths,

    #[command(flatten)]
    outputs: OutputPaths,
}

impl Arguments {
    /// Opens what computes.
    fn open(&self) -> Result<Evaluator> {
        match self.adapters {
            Some(count) => Evaluator::of_adapters(&self.evaluator, count.into()),
            None => Evaluator::new(&self.evaluator),
        }
    }

    /// Every file that is read.
    fn files_read(&self) -> Vec<Named<'_>> {
        let objective = self.objective.as_deref().and_then(objective::file);
        let objective = objective.map(|path| Named { option: "--objective", path });
        self.inputs.named().into_iter().chain(objective).collect()
    }
}

/// Evaluates what is asked for; a result beyond its bound makes the exit code 1.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let objective = arguments.objective.as_deref().map(objective::parse).transpose()?;
    arguments.outputs.check_files(&arguments.files_read())?;
    let agrees = match objective {
        Some(objective) => match arguments.inputs.read()? {
            Some(inputs) => evaluate_files(arguments, objective, &inputs)?,
            None => {
                let digits = Digits::load()?;
                let usual = |loss: &Loss| digits.batch(loss, digits::usual_mode(loss));
                objective
                    .losses
                    .iter()
                    .try_for_each(|weighted| weighted.check(digits::usual_mode(&weighted.loss)))?;
                match objective.is_sum {
                    true => {
                        let check = arguments.evaluator.checks_digits();
                        evaluate_sum(arguments, &weighted(&objective, usual)?, check)?
                    }
                    false => {
                        let loss = objective.losses[0].loss.clone();
                        let mode = digits::usual_mode(&loss);
                        evaluate_digits(arguments, &digits, &[(loss, mode)])?
                    }
                }
            }
        },
        None => {
            let mut objectives = digits::objectives();
            objectives.retain(|(_, mode)| arguments.adapters.is_none() || ranks::take(*mode));
            evaluate_digits(arguments, &Digits::load()?, &objectives)?
        }
    };
    Ok(verdict(agrees))
}

/// Takes the triplets that are listed, where no other mining was chosen.
fn take_listed_triplets(weighted: &mut WeightedLoss) {
    let chooses = weighted.chooses("mining");
    if let (Loss::Triplet(loss), false) = (&mut weighted.loss, chooses) {
        loss.mining = Mining::Explicit;
    }
}

fn evaluate_files(
    arguments: &Arguments,
    mut objective: Objective,
    inputs: &Inputs,
) -> Result<bool> {
    for weighted in &mut objective.losses {
        if inputs.has_triplets() {
            take_listed_triplets(weighted);
        }
        let mode = inputs.mode(&weighted.loss)?;
        weighted.settle(mode);
        weighted.check(mode)?;
    }
    inputs.check(objective.losses.iter().map(|weighted| &weighted.loss))?;
    if objective.is_sum {
        return evaluate_sum(
            arguments,
            &weighted(&objective, |loss| inputs.batch(loss))?,
            arguments.evaluator.checks_files(),
        );
    }
    let loss = &objective.losses[0].loss;
    let batch = inputs.batch(loss)?;
    batch.check(loss)?;
    arguments.outputs.check(loss, batch.shape())?;
    let evaluator = arguments.open()?;
    let outcome = evaluator.evaluate(&(loss, &batch), arguments.evaluator.checks_files())?;
    let report = Report::of_loss(loss, batch.shape(), &outcome.result);
    let printed = report.print(arguments.evaluator.json, &evaluator, &outcome);
    arguments.outputs.write(batch.shape(), &outcome.result)?;
    printed?;
    Ok(outcome.agreement.violation().is_none())
}

/// The losses with their weights and what each takes; those of the same embeddings are over the
/// same set.
fn weighted<'a>(
    objective: &Objective,
    batch: impl Fn(&Loss) -> Result<Batch<'a>>,
) -> Result<Vec<Weighted<Batch<'a>>>> {
    let mut sets: Vec<*const [f32]> = Vec::new();
    let mut losses = Vec::new();
    for weighted in &objective.losses {
        let batch = batch(&weighted.loss)?;
        let embeddings: *const [f32] = batch.embeddings();
        let set =
            sets.iter().position(|&known| std::ptr::eq(known, embeddings)).unwrap_or(sets.len());
        sets.resize(sets.len().max(set + 1), embeddings);
        losses.push(Weighted::new(weighted.weight, &weighted.loss, batch).over(set));
    }
    Ok(losses)
}

fn evaluate_sum(arguments: &Arguments, objective: &[Weighted<Batch>], check: bool) -> Result<bool> {
    arguments.outputs.check_sum()?;
    objective.iter().try_for_each(|weighted| weighted.inputs.check(&weighted.loss))?;
    let evaluator = arguments.open()?;
    let outcome = evaluator.evaluate(objective, check)?;
    let shape = objective[0].inputs.shape();
    let report = Report::of_sum(objective, &outcome.result);
    let printed = report.print(arguments.evaluator.json, &evaluator, &outcome);
    arguments.outputs.write_gradient(shape, &outcome.result.gradients[0])?;
    printed?;
    Ok(outcome.agreement.violation().is_none())
}

fn evaluate_digits(
    arguments: &Arguments,
    digits: &Digits,
    objectives: &[(Loss, Mode)],
) -> Result<bool> {
    objectives
        .iter()
        .try_for_each(|(loss, mode)| Ok::<_, Error>(digits.batch(loss, *mode)?.check(loss)?))?;
    let evaluator = arguments.open()?;
    let summary = Summary::new(objectives);
    if !arguments.evaluator.json {
        print(&format!("{digits}, on {}\n\n{}", evaluator.describe(), summary.titles()))?;
    }
    let mut violations = Vec::new();
    for (loss, mode) in objectives {
        let batch = digits.batch(loss, *mode)?;
        let outcome = evaluator.evaluate(&(loss, &batch), arguments.evaluator.checks_digits())?;
        match arguments.evaluator.json {
            true => {
                let report = Report::of_loss(loss, batch.shape(), &outcome.result);
                print_json(&report.line(&evaluator, &outcome))?;
            }
            false => print(&summary.row(loss, *mode, &outcome))?,
        }
        let violation = outcome.agreement.violation();
        violations.extend(
            violation.map(|comparison| format!("\n{}\n{comparison}", descriptions::describe(loss))),
        );
    }
    if !arguments.evaluator.json {
        violations.iter().try_for_each(|violation| print(violation))?;
    }
    Ok(violations.is_empty())
}
