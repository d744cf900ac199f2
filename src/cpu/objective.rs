//! Weighted sums of losses.

use super::step::Steps;
use super::{Cpu, evaluate};
use crate::data::batch::Batch;
use crate::data::checks::narrow;
use crate::data::input::{Input, Numbers};
use crate::data::objective::{ObjectiveEvaluation, Weighted, check_batches};
use crate::data::run::Watch;
use crate::error::Result;

/// Evaluates the losses one after the other and adds up their gradients.
pub(super) fn evaluate_all<'w>(
    cpu: &Cpu,
    objective: &[Weighted<Batch<'_>>],
    watch: &'w mut Watch<'w>,
) -> Result<ObjectiveEvaluation> {
    let sets = check_batches(objective)?;
    let rows = |input: Option<&Numbers>| input.map_or(0, |numbers| numbers.floats().len());
    let mut gradients: Vec<_> =
        sets.iter().map(|set| vec![0.0; rows(set.get(Input::Embeddings))]).collect();
    let mut steps = Steps::of(watch, objective.iter().map(|weighted| weighted.inputs.shape()));
    let mut losses = Vec::new();
    let mut loss_of_all = 0.0;
    for Weighted { weight, loss, inputs, set } in objective {
        let weight = f64::from(*weight);
        let mut part = evaluate(cpu, loss, inputs, &mut steps)?;
        loss_of_all += weight * f64::from(part.loss);
        let own = std::mem::take(&mut part.gradient);
        for (sum, slope) in gradients[*set].iter_mut().zip(own) {
            *sum += weight * f64::from(slope);
        }
        for table in [&mut part.gradient_references, &mut part.gradient_beta] {
            for slope in table.iter_mut().flatten() {
                *slope = narrow("the gradient", weight * f64::from(*slope))?;
            }
        }
        for slope in [&mut part.gradient_scale, &mut part.gradient_bias].into_iter().flatten() {
            *slope = narrow("the gradient", weight * f64::from(*slope))?;
        }
        losses.push(part);
    }
    let narrowed = |gradient: Vec<f64>| {
        gradient.into_iter().map(|sum| narrow("the gradient", sum)).collect::<Result<_>>()
    };
    Ok(ObjectiveEvaluation {
        loss: narrow("the loss", loss_of_all)?,
        losses,
        gradients: gradients.into_iter().map(narrowed).collect::<Result<_>>()?,
    })
}
