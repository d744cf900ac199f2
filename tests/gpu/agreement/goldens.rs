//! Every golden case against the kernels, on every adapter of the machine.

use serde_json::json;
use support::adapters::{best_with, contexts};
use support::agreement::Tally;
use support::goldens::{self, Case};
use wgpu_metric_learning::tuning::Checks;
use wgpu_metric_learning::{Batch, Context, Loss, Options, Triplet, reference};

#[test]
fn every_case_agrees_on_every_adapter() {
    let mut tally = Tally::new();
    for case in goldens::cases() {
        tally.hold(&case.loss, &case.batch(), &case.name);
    }
    tally.conclude(0.1);
}

/// What is out of the ordinary: run-time checks would be seen where an index leaves its bounds.
/// (Ordinary rows are checked in every kernel by the unit tests of the library.)
#[test]
fn special_cases_agree_with_checked_shaders() {
    let mut tally = Tally::on(vec![best_with(Options::default().with_checks(Checks::Checked))]);
    for case in goldens::cases().iter().filter(|case| !case.tags.is_empty()) {
        tally.hold(&case.loss, &case.batch(), &case.name);
    }
    tally.conclude(0.1);
}

/// The comparison sees a fault in the kernels as it sees an expectation of something else.
#[test]
fn another_margin_label_or_coordinate_disagrees() {
    let devices = contexts();
    let context = &devices[0].context;
    for name in Loss::NAMES {
        let seen: Vec<_> = goldens::cases()
            .iter()
            .filter(|case| case.loss.name() == *name && case.tags.is_empty())
            // Without a term that is not 0 there may be nothing to see.
            .filter(|case| case.expected.evaluation.nonzero_terms > 0)
            .map(|case| faults_seen(context, case))
            .collect();
        assert!(!seen.is_empty(), "no plain case of {name}");
        for (fault, what) in
            ["another margin", "another label", "another coordinate"].into_iter().enumerate()
        {
            let tried: Vec<_> = seen.iter().filter_map(|seen| seen[fault]).collect();
            if tried.is_empty() {
                continue;
            }
            let part = tried.iter().filter(|&&seen| seen).count() as f64 / tried.len() as f64;
            println!("{name}: {what} is seen in {:.0} % of {} cases", 100.0 * part, tried.len());
            // A hinge that is off, or a triplet that is not mined, hides what is behind it.
            assert!(part >= 0.8, "{name}: {what} is seen in {part} of the cases");
        }
    }
}

/// Whether each fault makes the result disagree; `None` where the loss has no margin, or rows have
/// no labels.
fn faults_seen(context: &Context, case: &Case) -> [Option<bool>; 3] {
    let batch = case.batch();
    let disagrees = |loss: &Loss, given: &Batch| {
        let actual = context
            .evaluate(loss, given)
            .wait()
            .unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let expected = reference::evaluate_with_bounds(&case.loss, &batch).expect("a valid case");
        !expected.compare(&actual).agrees()
    };
    assert!(!disagrees(&case.loss, &batch), "{}", case.name);
    let mut labels = batch.labels().to_vec();
    let other = labels.iter().copied().find(|&label| label != labels[0]);
    labels.iter_mut().take(1).for_each(|label| *label = other.unwrap_or(*label));
    let mut embeddings = batch.embeddings().to_vec();
    let gradient = &case.expected.evaluation.gradient;
    let strongest = (0..gradient.len())
        .max_by(|&a, &b| gradient[a].abs().total_cmp(&gradient[b].abs()))
        .unwrap_or(0);
    // The slope of a confident logit does not change, and in the loss it is one of many.
    embeddings[strongest] += if case.mode == "pointwise" { 1e-2 } else { 1e-3 };
    [
        with_another_margin(&case.loss).map(|loss| disagrees(&loss, &batch)),
        (!labels.is_empty())
            .then(|| disagrees(&case.loss, &case.batch_of(batch.embeddings(), &labels))),
        Some(disagrees(&case.loss, &case.batch_of(&embeddings, batch.labels()))),
    ]
}

/// The loss with other margins, or what it has in their place; `None` where it has nothing.
fn with_another_margin(loss: &Loss) -> Option<Loss> {
    // Soft triplets have no margin.
    if let Loss::Triplet(triplet @ Triplet { soft: true, .. }) = loss {
        return Some(Triplet { soft: false, ..triplet.clone() }.into());
    }
    let mut settings = serde_json::to_value(loss).expect("a loss has a JSON form");
    let mut has_any = false;
    for value in settings.as_object_mut().expect("its settings").values_mut() {
        if value.is_f64() {
            *value = json!(value.as_f64().expect("a number") + 1e-3);
            has_any = true;
        }
    }
    has_any.then(|| serde_json::from_value(settings).expect("the same with other numbers"))
}
