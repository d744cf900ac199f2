//! The terms of the pointwise losses, as the library's own reference computes them.

use wgpu_metric_learning::{
    Batch, BinaryCrossEntropy, CrossEntropy, ElasticNet, Hinge, Huber, L1, L2, Loss,
    MeanSquaredError, UniformEntropy,
};

use super::chart::Chart;
use super::losses::loss_of;

/// Every chart, with the name of its file.
pub(super) fn all() -> Vec<(&'static str, String)> {
    [
        ("losses/regression.svg", regression()),
        ("losses/binary.svg", binary()),
        ("losses/classes.svg", classes()),
        ("losses/regularisers.svg", regularisers()),
    ]
    .map(|(name, chart)| (name, chart.draw()))
    .into()
}

/// A pointwise loss of one value, with a target where it takes one.
fn value(loss: impl Into<Loss>, value: f64, target: Option<f32>) -> f64 {
    let values = [value as f32];
    let batch = Batch::pointwise(&values, [1, 1]).expect("a valid value");
    match target {
        Some(target) => loss_of(loss, batch.with_targets(&[target]).expect("a valid target")),
        None => loss_of(loss, batch),
    }
}

fn regression() -> Chart<'static> {
    Chart {
        title: "MeanSquaredError and Huber: one element",
        x_title: "prediction less target",
        x: [-3.0, 3.0],
        y: [0.0, 6.0],
        grid: [1.0, 1.0],
        curves: vec![
            ("MeanSquaredError", Box::new(|x| value(MeanSquaredError::default(), x, Some(0.0)))),
            ("Huber, delta 1", Box::new(|x| value(Huber::default(), x, Some(0.0)))),
            (
                "Huber, delta 0.5",
                Box::new(|x| value(Huber { delta: 0.5, ..Default::default() }, x, Some(0.0))),
            ),
        ],
    }
}

fn binary() -> Chart<'static> {
    Chart {
        title: "Hinge and BinaryCrossEntropy: one element",
        x_title: "prediction, or logit",
        x: [-3.0, 3.0],
        y: [0.0, 4.0],
        grid: [1.0, 1.0],
        curves: vec![
            ("Hinge, target 1", Box::new(|x| value(Hinge::default(), x, Some(1.0)))),
            (
                "BinaryCrossEntropy, target 1",
                Box::new(|x| value(BinaryCrossEntropy::default(), x, Some(1.0))),
            ),
            (
                "BinaryCrossEntropy, target 0.9",
                Box::new(|x| value(BinaryCrossEntropy::default(), x, Some(0.9))),
            ),
        ],
    }
}

fn classes() -> Chart<'static> {
    let logits = |x: f64| [x as f32, 0.0, 0.0];
    Chart {
        title: "CrossEntropy and UniformEntropy: three classes",
        x_title: "logit of the own class; the others are 0",
        x: [-4.0, 4.0],
        y: [0.0, 10.0],
        grid: [1.0, 2.0],
        curves: vec![
            (
                "CrossEntropy: 0 where the class is certain",
                Box::new(move |x| {
                    let logits = logits(x);
                    let batch = Batch::pointwise(&logits, [1, 3]).expect("valid logits");
                    loss_of(CrossEntropy::default(), batch.with_labels(&[0]).expect("a class"))
                }),
            ),
            (
                "UniformEntropy: least where nothing is certain",
                Box::new(move |x| {
                    let logits = logits(x);
                    let batch = Batch::pointwise(&logits, [1, 3]).expect("valid logits");
                    loss_of(UniformEntropy::default(), batch)
                }),
            ),
        ],
    }
}

fn regularisers() -> Chart<'static> {
    Chart {
        title: "L1, L2 and ElasticNet: one weight, strengths 1",
        x_title: "weight",
        x: [-2.0, 2.0],
        y: [0.0, 4.0],
        grid: [0.5, 1.0],
        curves: vec![
            ("L1", Box::new(|x| value(L1 { strength: 1.0, ..Default::default() }, x, None))),
            ("L2", Box::new(|x| value(L2 { strength: 1.0, ..Default::default() }, x, None))),
            (
                "ElasticNet, 1 of each",
                Box::new(|x| {
                    let loss =
                        ElasticNet { l1_strength: 1.0, l2_strength: 1.0, ..Default::default() };
                    value(loss, x, None)
                }),
            ),
        ],
    }
}
