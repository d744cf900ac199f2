//! What the ranks do, and what rank 0 says of it.

use std::process::ExitCode;

use serde_json::{Value, json};
use wgpu_metric_learning::measures::Retrieval;
use wgpu_metric_learning::sharded::{Communicator, Shard, Sharded, cut};
use wgpu_metric_learning::training::{Adam, CpuOptimizer, Mlp};
use wgpu_metric_learning::{Cpu, Error, Evaluation, Loss, Mode, Result};
use wgpu_metric_learning_mpi::Mpi;

use super::engine::Engine;
use super::rows::Array;
use super::{Command, Evaluate, Rows, Train, unusable};

pub(crate) fn run(command: &Command, ranks: &Mpi) -> Result<()> {
    let held = Sharded::new(ranks).agree(Held::read(command.rows(), ranks))?;
    match command {
        Command::Evaluate(evaluate) => held.evaluate(evaluate),
        Command::Measure(_) => held.measure(),
        Command::Train(train) => held.train(train),
    }
}

/// Ends this rank, and all where they are not together any more.
pub(crate) fn end(ranks: &Mpi, error: &Error) -> ExitCode {
    let is_apart = matches!(error, Error::Ranks { .. });
    if ranks.rank() == 0 || is_apart {
        eprintln!("error: rank {} of {}: {error}", ranks.rank(), ranks.ranks());
    }
    if is_apart {
        ranks.abort(3);
    }
    ExitCode::from(2)
}

/// What a rank holds of the rows.
struct Held<'r> {
    ranks: &'r Mpi,
    engine: Engine,
    is_json: bool,
    /// All rows, and columns.
    shape: [usize; 2],
    embeddings: Vec<f32>,
    labels: Vec<u32>,
    /// For losses of two towers, the first half of all rows against the second: those of each that
    /// this rank holds.
    towers: [(Vec<f32>, Vec<u32>); 2],
}

impl<'r> Held<'r> {
    fn read(rows: &Rows, ranks: &'r Mpi) -> Result<Self> {
        let embeddings = Array::embeddings(rows.embeddings.as_deref());
        let labels = Array::labels(rows.labels.as_deref());
        let shape = embeddings.shape().map_err(unusable)?;
        let [count, _] = labels.shape().map_err(unusable)?;
        if count != shape[0] {
            return Err(Error::Length { what: "labels", expected: shape[0], actual: count });
        }
        let read = |from: usize, all: usize| {
            let part = part(&rows.cut, ranks, all)?;
            let part = from + part.start..from + part.end;
            let numbers = embeddings.numbers(part.clone()).map_err(unusable)?;
            Ok::<_, Error>((numbers, labels.integers(part).map_err(unusable)?))
        };
        let half = shape[0] / 2;
        let (numbers, own_labels) = read(0, shape[0])?;
        Ok(Self {
            ranks,
            engine: Engine::open(rows.backend, ranks.rank())?,
            is_json: rows.json,
            shape,
            embeddings: numbers,
            labels: own_labels,
            towers: [read(0, half)?, read(half, half)?],
        })
    }

    fn shard(&self) -> Shard<'_> {
        Shard::new(self.shape[1], &self.embeddings, &self.labels)
    }

    /// The rows as the loss takes them.
    fn shard_for(&self, loss: &Loss) -> Shard<'_> {
        if loss.modes().contains(&Mode::Batch) {
            return self.shard();
        }
        let [(rows, labels), (references, others)] = &self.towers;
        Shard::new(self.shape[1], rows, labels).with_references(references, others)
    }

    /// The result of all ranks, and the norm of its gradient.
    fn of_all(&self, loss: &Loss, shard: &Shard) -> Result<(Evaluation, f64)> {
        let sharded = Sharded::new(self.ranks);
        let found =
            sharded.evaluate(loss, shard, |loss, batch| self.engine.evaluate(loss, batch))?;
        let squares = found.gradient.iter().map(|&slope| f64::from(slope).powi(2)).sum();
        let norm = sharded.total(&[squares])?[0].sqrt();
        Ok((found, norm))
    }

    fn evaluate(&self, evaluate: &Evaluate) -> Result<()> {
        let losses = match &evaluate.objective {
            Some(objective) => vec![parsed(objective)?],
            None => losses(),
        };
        for loss in losses {
            let (found, norm) = self.of_all(&loss, &self.shard_for(&loss))?;
            let line = json!({
                "version": 2,
                "ranks": self.ranks.ranks(),
                "objective": loss,
                "n": self.shape[0],
                "d": self.shape[1],
                "value": found.loss,
                "terms": found.terms,
                "nonzero_terms": found.nonzero_terms,
                "positive_pairs": found.positive_pairs,
                "negative_pairs": found.negative_pairs,
                "mean_positive_distance": found.mean_positive_distance,
                "mean_negative_distance": found.mean_negative_distance,
                "gradient_norm": norm,
            });
            let text = || format!("{:<28} {:.9e} {norm:.9e}", loss.name(), found.loss);
            self.say(&line, text);
        }
        Ok(())
    }

    fn measure(&self) -> Result<()> {
        let found = Sharded::new(self.ranks)
            .measure(&Retrieval::default(), &self.shard(), |retrieval, batch| {
                self.engine.measure(retrieval, batch)
            })?
            .measures();
        let line = json!({
            "version": 2,
            "ranks": self.ranks.ranks(),
            "queries": found.queries,
            "counted": found.counted,
            "precision_at_1": found.precision_at_1,
            "recall": found.recall,
            "r_precision": found.r_precision,
            "mean_average_precision_at_r": found.mean_average_precision_at_r,
            "mean_reciprocal_rank": found.mean_reciprocal_rank,
            "mean_average_precision": found.mean_average_precision,
        });
        self.say(&line, || {
            format!(
                "precision at 1 {:.6}, MAP@R {:.6}, MAP {:.6}",
                found.precision_at_1,
                found.mean_average_precision_at_r,
                found.mean_average_precision
            )
        });
        Ok(())
    }

    /// Every rank projects its own rows, and makes the same steps of the same parameters by the
    /// gradient of all.
    fn train(&self, train: &Train) -> Result<()> {
        let loss = parsed(&train.objective)?;
        let [_, inputs] = self.shape;
        let mlp = Mlp { inputs, hidden: Vec::new(), outputs: train.dimensions };
        let (cpu, rows) = (Cpu::default(), self.labels.len());
        let mut parameters = mlp.initial_parameters(train.seed)?;
        let adam = Adam { learning_rate: train.learning_rate, ..Adam::default() };
        let mut optimizer = CpuOptimizer::new(adam, parameters.len())?;
        for step in 0..train.steps {
            // A rank without rows has nothing to project.
            let activations = match rows {
                0 => None,
                _ => Some(cpu.forward(&mlp, rows, &self.embeddings, &parameters)?),
            };
            let outputs = activations.as_ref().map_or(&[][..], |all| all.outputs());
            let shard = Shard::new(train.dimensions, outputs, &self.labels);
            let (found, norm) = self.of_all(&loss, &shard)?;
            let own = match &activations {
                None => vec![0.0; parameters.len()],
                Some(all) => {
                    cpu.backward(&mlp, rows, &self.embeddings, &parameters, all, &found.gradient)?
                }
            };
            let own: Vec<_> = own.into_iter().map(f64::from).collect();
            let gradient = Sharded::new(self.ranks).total(&own)?;
            let gradient: Vec<_> = gradient.into_iter().map(|slope| slope as f32).collect();
            optimizer.step(&mut parameters, &gradient)?;
            let line = json!({
                "version": 2,
                "ranks": self.ranks.ranks(),
                "step": step,
                "value": found.loss,
                "gradient_norm": norm,
            });
            self.say(&line, || format!("step {step:>5}: {:.9e} {norm:.9e}", found.loss));
        }
        Ok(())
    }

    /// Rank 0 speaks for all.
    fn say(&self, line: &Value, text: impl Fn() -> String) {
        if self.ranks.rank() > 0 {
            return;
        }
        match self.is_json {
            true => println!("{line}"),
            false => println!("{}", text()),
        }
    }
}

/// The rows that a rank holds of so many, by the shares of all ranks.
fn part(shares: &[usize], ranks: &Mpi, rows: usize) -> Result<std::ops::Range<usize>> {
    let equal = vec![1; ranks.ranks()];
    let shares = if shares.is_empty() { &equal } else { shares };
    let [given, expected] = [shares.len(), ranks.ranks()];
    if given != expected {
        return Err(unusable(format!("--cut has {given} shares, there are {expected} ranks")));
    }
    Ok(cut(rows, shares)?.swap_remove(ranks.rank()))
}

fn parsed(objective: &str) -> Result<Loss> {
    serde_json::from_str(objective).map_err(|error| unusable(format!("--objective: {error}")))
}

/// Every loss whose rows meet rows, with its defaults.
fn losses() -> Vec<Loss> {
    let named = |&name: &&str| serde_json::from_value::<Loss>(json!({ "loss": name })).ok();
    let meets_rows =
        |loss: &Loss| loss.modes().iter().any(|mode| matches!(mode, Mode::Batch | Mode::Reference));
    Loss::NAMES.iter().filter_map(named).filter(meets_rows).collect()
}
