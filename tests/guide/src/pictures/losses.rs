//! The terms of the losses, as the library's own reference computes them.

use wgpu_metric_learning::reference;
use wgpu_metric_learning::{
    Batch, BinaryCrossEntropy, Contrastive, CrossEntropy, Distance, ElasticNet, Form, Hinge, Huber,
    L1, L2, LiftedStructured, Loss, Margin, MeanSquaredError, MultiMargin, NtXent, Reduction,
    SupCon, Triplet, UniformEntropy,
};

use super::chart::{Chart, Curve};

/// Every chart, with the name of its file.
pub(super) fn all() -> Vec<(&'static str, String)> {
    [
        ("losses/contrastive.svg", contrastive()),
        ("losses/triplet.svg", triplet()),
        ("losses/lifted_structured.svg", lifted_structured()),
        ("losses/margin.svg", margin()),
        ("losses/multi_margin.svg", multi_margin()),
        ("losses/nt_xent.svg", nt_xent()),
        ("losses/sup_con.svg", sup_con()),
        ("losses/regression.svg", regression()),
        ("losses/binary.svg", binary()),
        ("losses/classes.svg", classes()),
        ("losses/regularisers.svg", regularisers()),
    ]
    .map(|(name, chart)| (name, chart.draw()))
    .into()
}

fn loss_of(loss: impl Into<Loss>, batch: Batch<'_>) -> f64 {
    reference::evaluate(loss, &batch).expect("a valid evaluation").loss
}

/// The term of two rows on a line, at this distance, which are the same or not.
fn pair(loss: impl Into<Loss>, distance: f64, same: bool) -> f64 {
    let rows = [0.0, distance as f32];
    let same = [same.into()];
    let batch = Batch::pair_indices(&rows, [2, 1], &[[0, 1]], &same);
    loss_of(loss, batch.expect("a valid pair"))
}

fn contrastive() -> Chart<'static> {
    let term = |power, same| -> Curve<'static> {
        Box::new(move |distance| {
            let loss = Contrastive { power, reduction: Reduction::Sum, ..Default::default() };
            pair(loss, distance, same)
        })
    };
    Chart {
        title: "Contrastive: the term of one pair",
        x_title: "distance of the pair",
        x: [0.0, 2.0],
        y: [0.0, 2.0],
        grid: [0.5, 0.5],
        curves: vec![
            ("positive pair, power 2", term(2, true)),
            ("negative pair, power 2, margin 1", term(2, false)),
            ("positive pair, power 1 (Siamese)", term(1, true)),
            ("negative pair, power 1, margin 1", term(1, false)),
        ],
    }
}

fn triplet() -> Chart<'static> {
    let term = |soft| -> Curve<'static> {
        Box::new(move |distance| {
            let rows = [0.0, 1.0, -distance as f32];
            let batch = Batch::triplets(&rows, [3, 1], &[[0, 1, 2]]).expect("a valid triplet");
            let mining = wgpu_metric_learning::Mining::Explicit;
            let reduction = Reduction::Sum;
            loss_of(Triplet { mining, reduction, soft, ..Default::default() }, batch)
        })
    };
    Chart {
        title: "Triplet: one term, the positive at distance 1",
        x_title: "distance of anchor and negative",
        x: [0.0, 2.0],
        y: [0.0, 1.4],
        grid: [0.5, 0.2],
        curves: vec![("hinge, margin 0.2", term(false)), ("soft", term(true))],
    }
}

fn lifted_structured() -> Chart<'static> {
    let term = |form| -> Curve<'static> {
        Box::new(move |distance| {
            // The pair, and a negative on either side of it.
            let rows = [0.0, distance as f32, -0.6, distance as f32 + 0.6];
            let batch = Batch::new(&rows, [4, 1], &[7, 7, 8, 9]).expect("a valid batch");
            loss_of(LiftedStructured { form, ..Default::default() }, batch)
        })
    };
    Chart {
        title: "LiftedStructured: one positive pair, margin 1",
        x_title: "distance of the pair; a negative 0.6 from each end",
        x: [0.0, 2.0],
        y: [0.0, 4.0],
        grid: [0.5, 1.0],
        curves: vec![
            ("Smooth: all negatives of both ends", term(Form::Smooth)),
            ("Exact: the nearest negative of either end", term(Form::Exact)),
        ],
    }
}

fn margin() -> Chart<'static> {
    let term = |same| -> Curve<'static> {
        Box::new(move |distance| {
            let loss = Margin { reduction: Reduction::Sum, ..Default::default() };
            pair(loss, distance, same)
        })
    };
    Chart {
        title: "Margin: the term of one pair, beta 1.2, alpha 0.2",
        x_title: "distance of the pair",
        x: [0.0, 2.0],
        y: [0.0, 1.5],
        grid: [0.4, 0.5],
        curves: vec![("positive pair", term(true)), ("negative pair", term(false))],
    }
}

fn multi_margin() -> Chart<'static> {
    let term = |power| -> Curve<'static> {
        Box::new(move |lead| {
            let scores = [lead as f32, 0.0];
            let batch = Batch::scores(&scores, [1, 2], &[0]).expect("valid scores");
            loss_of(MultiMargin { power, ..Default::default() }, batch)
        })
    };
    Chart {
        title: "MultiMargin: a sample of two classes, margin 1",
        x_title: "score of the own class less the other",
        x: [-1.0, 2.0],
        y: [0.0, 4.0],
        grid: [0.5, 1.0],
        curves: vec![("power 1", term(1)), ("power 2", term(2))],
    }
}

/// A row of norm 1 whose cosine with the first axis is this, turned towards another axis.
fn at_cosine(cosine: f64, axis: usize) -> [f32; 4] {
    let mut row = [0.0; 4];
    row[0] = cosine as f32;
    row[axis] = (1.0 - cosine * cosine).max(0.0).sqrt() as f32;
    row
}

/// The loss of an anchor, the first axis, against rows at these cosines; the last two are negatives.
fn of_anchor(loss: impl Into<Loss>, positives: &[f64]) -> f64 {
    let mut rows = Vec::new();
    let mut labels = Vec::new();
    for (axis, &cosine) in positives.iter().enumerate() {
        rows.extend(at_cosine(cosine, axis + 1));
        labels.push(7);
    }
    for axis in [2, 3] {
        rows.extend(at_cosine(0.3, axis));
        labels.push(8);
    }
    let batch = Batch::new(&[1.0, 0.0, 0.0, 0.0], [1, 4], &[7]).expect("a valid anchor");
    let batch = batch.with_references(&rows, labels.len(), &labels).expect("valid references");
    loss_of(loss, batch)
}

fn nt_xent() -> Chart<'static> {
    let term = |temperature| -> Curve<'static> {
        Box::new(move |cosine| of_anchor(NtXent { temperature, ..Default::default() }, &[cosine]))
    };
    Chart {
        title: "NtXent: two negatives at cosine 0.3",
        x_title: "cosine of anchor and positive",
        x: [-1.0, 1.0],
        y: [0.0, 6.0],
        grid: [0.5, 1.0],
        curves: vec![
            ("temperature 0.1", term(0.1)),
            ("temperature 0.2", term(0.2)),
            ("temperature 0.5", term(0.5)),
        ],
    }
}

fn sup_con() -> Chart<'static> {
    let temperature = 0.2;
    Chart {
        title: "SupCon and NtXent, temperature 0.2",
        x_title: "cosine of one positive; the other stays at 0.8",
        x: [-1.0, 1.0],
        y: [0.0, 6.0],
        grid: [0.5, 1.0],
        curves: vec![
            (
                "SupCon: positives compete with each other too",
                Box::new(move |cosine| {
                    let loss =
                        SupCon { temperature, distance: Distance::Cosine, ..Default::default() };
                    of_anchor(loss, &[cosine, 0.8])
                }),
            ),
            (
                "NtXent: each against the negatives alone",
                Box::new(move |cosine| {
                    let loss =
                        NtXent { temperature, distance: Distance::Cosine, ..Default::default() };
                    of_anchor(loss, &[cosine, 0.8])
                }),
            ),
        ],
    }
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
