//! The terms of the losses over pairs, as the library's own reference computes them.

use wgpu_metric_learning::reference;
use wgpu_metric_learning::{
    ArcFace, Batch, Circle, Clip, CoSent, Contrastive, CosFace, Distance, FastAp, Form,
    GeneralizedLiftedStructured, LiftedStructured, Loss, Margin, MultiMargin, MultiSimilarity, Nca,
    NormalizedSoftmax, NtXent, ProxyAnchor, Reduction, SigLip, SmoothAp, SoftTriple, SupCon,
    Triplet,
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
        ("losses/class_softmax.svg", class_softmax()),
        ("losses/soft_triple.svg", soft_triple()),
        ("losses/proxy_anchor.svg", proxy_anchor()),
        ("losses/nt_xent.svg", nt_xent()),
        ("losses/sup_con.svg", sup_con()),
        ("losses/sig_lip.svg", sig_lip()),
        ("losses/clip.svg", clip()),
        ("losses/co_sent.svg", co_sent()),
        ("losses/generalized_lifted_structured.svg", generalized_lifted_structured()),
        ("losses/nca.svg", nca()),
        ("losses/multi_similarity.svg", multi_similarity()),
        ("losses/circle.svg", circle()),
        ("losses/fast_ap.svg", fast_ap()),
        ("losses/smooth_ap.svg", smooth_ap()),
    ]
    .map(|(name, chart)| (name, chart.draw()))
    .into()
}

pub(super) fn loss_of(loss: impl Into<Loss>, batch: Batch<'_>) -> f64 {
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

fn class_softmax() -> Chart<'static> {
    const SCALE: f32 = 16.0;
    let term = |loss: Loss| -> Curve<'static> {
        Box::new(move |cosine| {
            let prototypes = [at_cosine(cosine, 1), at_cosine(0.0, 2)].concat();
            let batch = Batch::new(&[1.0, 0.0, 0.0, 0.0], [1, 4], &[0]);
            let batch = batch.and_then(|batch| batch.with_prototypes(&prototypes, 2));
            loss_of(&loss, batch.expect("valid prototypes"))
        })
    };
    Chart {
        title: "Two classes, the other one at cosine 0, scale 16",
        x_title: "cosine of the sample and its own prototype",
        x: [-1.0, 1.0],
        y: [0.0, 30.0],
        grid: [0.5, 5.0],
        curves: vec![
            (
                "NormalizedSoftmax",
                term(NormalizedSoftmax { scale: SCALE, ..Default::default() }.into()),
            ),
            ("CosFace, margin 0.35", term(CosFace { scale: SCALE, ..Default::default() }.into())),
            ("ArcFace, margin 0.5", term(ArcFace { scale: SCALE, ..Default::default() }.into())),
        ],
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

fn soft_triple() -> Chart<'static> {
    let term = |gamma| -> Curve<'static> {
        Box::new(move |cosine| {
            // The own class has a centre at this cosine and one at 0.5; another class has two at 0.
            let rows = [cosine, 0.5, 0.0, 0.0].map(|cosine| at_cosine(cosine, 1)).concat();
            let batch = Batch::new(&[1.0, 0.0, 0.0, 0.0], [1, 4], &[0]).expect("a valid sample");
            let batch = batch.with_prototypes(&rows, 4).expect("valid centres");
            let loss =
                SoftTriple { centers_per_class: 2, gamma, scale: 10.0, ..Default::default() };
            loss_of(loss, batch)
        })
    };
    Chart {
        title: "SoftTriple: a class of two centres, scale 10",
        x_title: "cosine of one own centre; that of the other is 0.5",
        x: [-1.0, 1.0],
        y: [0.0, 2.0],
        grid: [0.5, 0.5],
        curves: vec![("gamma 0.02", term(0.02)), ("gamma 0.1", term(0.1)), ("gamma 1", term(1.0))],
    }
}

fn proxy_anchor() -> Chart<'static> {
    let term = |label, prototypes: usize| -> Curve<'static> {
        Box::new(move |cosine| {
            // A sample at the first axis, where a second prototype is too.
            let rows = [at_cosine(cosine, 1), at_cosine(1.0, 1)].concat();
            let batch = Batch::new(&[1.0, 0.0, 0.0, 0.0], [1, 4], label).expect("a valid sample");
            let batch = batch.with_prototypes(&rows[..4 * prototypes], prototypes);
            let loss = ProxyAnchor { reduction: Reduction::Sum, ..Default::default() };
            loss_of(loss, batch.expect("valid prototypes"))
        })
    };
    Chart {
        title: "ProxyAnchor: one sample and a class, alpha 32",
        x_title: "cosine of the sample and the prototype",
        x: [-1.0, 1.0],
        y: [0.0, 40.0],
        grid: [0.5, 10.0],
        curves: vec![
            ("the class is its own: the positive term", term(&[0], 1)),
            ("another class: the negative term", term(&[1], 2)),
        ],
    }
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

fn sig_lip() -> Chart<'static> {
    let term = |bias, label| -> Curve<'static> {
        Box::new(move |cosine| {
            let row = at_cosine(cosine, 1);
            let batch = Batch::new(&[1.0, 0.0, 0.0, 0.0], [1, 4], &[7]).expect("a valid anchor");
            let batch = batch.with_references(&row, 1, std::slice::from_ref(label));
            loss_of(SigLip { bias, ..Default::default() }, batch.expect("a valid reference"))
        })
    };
    Chart {
        title: "SigLip: the term of one pair, scale 10",
        x_title: "cosine of the pair",
        x: [-1.0, 1.0],
        y: [0.0, 20.0],
        grid: [0.5, 5.0],
        curves: vec![
            ("positive pair, bias -10", term(-10.0, &7)),
            ("negative pair, bias -10", term(-10.0, &8)),
            ("negative pair, bias 0", term(0.0, &8)),
        ],
    }
}

fn clip() -> Chart<'static> {
    let term = |scale| -> Curve<'static> {
        Box::new(move |cosine| {
            // Two images, at cosine 0.3 of each other, and their texts, of which one is its image.
            let images = [at_cosine(1.0, 1), at_cosine(0.3, 2)].concat();
            let texts = [at_cosine(cosine, 1), at_cosine(0.3, 2)].concat();
            let batch = Batch::new(&images, [2, 4], &[7, 8]).expect("valid images");
            let batch = batch.with_references(&texts, 2, &[7, 8]).expect("valid texts");
            loss_of(Clip { scale, ..Default::default() }, batch)
        })
    };
    Chart {
        title: "Clip: two pairs, the mean of their four terms",
        x_title: "cosine of one pair; that of the other is 1",
        x: [-1.0, 1.0],
        y: [0.0, 6.0],
        grid: [0.5, 1.0],
        curves: vec![
            ("scale 5", term(5.0)),
            ("scale 1 / 0.07", term(1.0 / 0.07)),
            ("scale 30", term(30.0)),
        ],
    }
}

fn co_sent() -> Chart<'static> {
    let term = |scale| -> Curve<'static> {
        Box::new(move |cosine| {
            // The more similar pair, and one that should be less similar.
            let rows = [at_cosine(1.0, 1), at_cosine(1.0, 1)].concat();
            let others = [at_cosine(cosine, 1), at_cosine(0.3, 2)].concat();
            let batch = Batch::scored_pair_rows(&rows, &others, [2, 4], &[5.0, 1.0]);
            loss_of(CoSent { scale, ..Default::default() }, batch.expect("valid pairs"))
        })
    };
    Chart {
        title: "CoSent: two pairs",
        x_title: "cosine of the pair with the higher target; that of the other is 0.3",
        x: [-1.0, 1.0],
        y: [0.0, 6.0],
        grid: [0.5, 1.0],
        curves: vec![("scale 5", term(5.0)), ("scale 20", term(20.0)), ("scale 50", term(50.0))],
    }
}

/// The loss of an anchor on a line, at 0, against rows at these distances.
fn on_a_line(loss: impl Into<Loss>, positives: &[f64], negatives: &[f64]) -> f64 {
    let rows: Vec<f32> = positives.iter().chain(negatives).map(|&x| x as f32).collect();
    let labels: Vec<u32> = (0..rows.len()).map(|row| (row >= positives.len()).into()).collect();
    let batch = Batch::new(&[0.0], [1, 1], &[0]).expect("a valid anchor");
    let batch = batch.with_references(&rows, rows.len(), &labels).expect("valid references");
    loss_of(loss, batch)
}

fn generalized_lifted_structured() -> Chart<'static> {
    let term = |positives: &'static [f64], negatives: &'static [f64]| -> Curve<'static> {
        Box::new(move |distance| {
            let positives = [&[distance], positives].concat();
            on_a_line(GeneralizedLiftedStructured::default(), &positives, negatives)
        })
    };
    Chart {
        title: "GeneralizedLiftedStructured: one anchor, margin 1",
        x_title: "distance of a positive",
        x: [0.0, 3.0],
        y: [0.0, 3.0],
        grid: [0.5, 0.5],
        curves: vec![
            ("a negative at 2", term(&[], &[2.0])),
            ("negatives at 2 and 2.2", term(&[], &[2.0, 2.2])),
            ("another positive at 1, a negative at 2", term(&[1.0], &[2.0])),
        ],
    }
}

fn nca() -> Chart<'static> {
    let nca = |positives: &'static [f64]| -> Curve<'static> {
        Box::new(move |distance| {
            on_a_line(Nca::default(), &[&[distance], positives].concat(), &[1.0, 1.2])
        })
    };
    let distance = Distance::SquaredEuclidean;
    Chart {
        title: "Nca and NtXent: negatives at 1 and 1.2, temperature 1",
        x_title: "distance of a positive",
        x: [0.0, 2.0],
        y: [0.0, 4.0],
        grid: [0.5, 1.0],
        curves: vec![
            ("Nca, the only positive", nca(&[])),
            ("Nca, another positive at 0.5", nca(&[0.5])),
            (
                "NtXent, another positive at 0.5",
                Box::new(move |x| {
                    let loss = NtXent { distance, temperature: 1.0, ..Default::default() };
                    on_a_line(loss, &[x, 0.5], &[1.0, 1.2])
                }),
            ),
        ],
    }
}

fn multi_similarity() -> Chart<'static> {
    let term = |positives: &'static [f64], is_positive: bool| -> Curve<'static> {
        Box::new(move |distance| {
            let loss = MultiSimilarity { distance: Distance::Euclidean, ..Default::default() };
            match is_positive {
                true => on_a_line(loss, &[distance], &[]),
                false => on_a_line(loss, positives, &[distance]),
            }
        })
    };
    Chart {
        title: "MultiSimilarity: an anchor of one pair",
        x_title: "distance of the pair; base 0.5",
        x: [0.0, 1.0],
        y: [0.0, 0.8],
        grid: [0.25, 0.2],
        curves: vec![
            ("positive, alpha 2", term(&[], true)),
            ("negative, beta 50", term(&[], false)),
        ],
    }
}

fn circle() -> Chart<'static> {
    let term = |negative: f64| -> Curve<'static> {
        Box::new(move |cosine| {
            let rows = [at_cosine(cosine, 1), at_cosine(negative, 2)].concat();
            let batch = Batch::new(&[1.0, 0.0, 0.0, 0.0], [1, 4], &[7]).expect("a valid anchor");
            let batch = batch.with_references(&rows, 2, &[7, 8]).expect("valid references");
            loss_of(Circle { gamma: 10.0, ..Default::default() }, batch)
        })
    };
    Chart {
        title: "Circle: a positive and a negative, margin 0.4, gamma 10",
        x_title: "cosine of anchor and positive",
        x: [-1.0, 1.0],
        y: [0.0, 50.0],
        grid: [0.5, 10.0],
        curves: vec![
            ("the negative at cosine 0.7", term(0.7)),
            ("the negative at cosine 0", term(0.0)),
        ],
    }
}

fn fast_ap() -> Chart<'static> {
    let term = |bins| -> Curve<'static> {
        Box::new(move |cosine| of_anchor(FastAp { bins, ..Default::default() }, &[cosine]))
    };
    Chart {
        title: "FastAp: two negatives at cosine 0.3",
        x_title: "cosine of anchor and positive",
        x: [-1.0, 1.0],
        y: [0.0, 0.8],
        grid: [0.5, 0.2],
        curves: vec![("10 bins", term(10)), ("40 bins", term(40))],
    }
}

fn smooth_ap() -> Chart<'static> {
    let term = |temperature| -> Curve<'static> {
        Box::new(move |cosine| {
            of_anchor(SmoothAp { temperature, ..Default::default() }, &[cosine, 0.6])
        })
    };
    Chart {
        title: "SmoothAp: a positive at 0.6, two negatives at 0.3",
        x_title: "cosine of anchor and another positive",
        x: [-0.5, 1.0],
        y: [0.0, 0.4],
        grid: [0.25, 0.1],
        curves: vec![
            ("temperature 0.01", term(0.01)),
            ("temperature 0.05", term(0.05)),
            ("temperature 0.2", term(0.2)),
        ],
    }
}
