//! The count of non-zero terms where terms are too small for f32, and for f64: a softplus, a
//! log-sum-exp and an entropy are greater than 0 by their definition, a square where its root is.

use support::adapters::one_by_one;
use wgpu_metric_learning::{
    Batch, BinaryCrossEntropy, Circle, Clip, CoSent, CrossEntropy, Distance, ElasticNet,
    Evaluation, L2, Loss, MeanSquaredError, Mining, MultiSimilarity, Nca, NtXent, ProxyAnchor,
    Reduction, SigLip, SmoothAp, SupCon, Triplet, UniformEntropy, reference,
};

/// Squared distances of 100 to 10,000: most differences are beyond what exp has numbers for.
const ROWS: [f32; 4] = [0.0, 10.0, 100.0, 50.0];

const LABELS: [u32; 4] = [0, 0, 1, 1];

const TRIPLETS: [[u32; 3]; 4] = [[0, 1, 2], [1, 0, 3], [2, 3, 1], [3, 2, 1]];

const SQUARED: Distance = Distance::SquaredEuclidean;

const MEAN_NON_ZERO: Reduction = Reduction::MeanNonZero;

fn soft(mining: Mining) -> Loss {
    let distance = SQUARED;
    Triplet { distance, mining, soft: true, reduction: MEAN_NON_ZERO, ..Default::default() }.into()
}

/// Losses that are smooth, each with a batch on which f64 has terms of 0.
fn smooth() -> Vec<(Loss, Batch<'static>)> {
    const LOGITS: [f32; 4] = [2e3, 0.0, -3e3, 1e3];
    let rows = Batch::new(&ROWS, [4, 1], &LABELS).expect("a batch");
    let towers = rows.with_references(&ROWS, 4, &LABELS).expect("a batch");
    let classes_of_rows = rows.with_prototypes(&ROWS[..2], 2).expect("a batch");
    let listed = Batch::triplets(&ROWS, [4, 1], &TRIPLETS).expect("a batch");
    let logits = Batch::pointwise(&LOGITS, [2, 2]).expect("a batch");
    let classes = logits.with_labels(&[0, 1]).expect("a batch");
    let targets = logits.with_targets(&[1.0, 0.5, 0.0, 1.0]).expect("a batch");
    let pairs = &[[0, 1], [0, 3], [1, 2]];
    let scored = Batch::scored_pair_indices(&ROWS, [4, 1], pairs, &[3.0, 1.0, 1.0]);
    let scored = scored.expect("a batch");
    let (distance, temperature) = (SQUARED, 1.0);
    let reduction = MEAN_NON_ZERO;
    let triplets = Mining::ALL.into_iter().map(|mining| {
        let is_listed = Batch::check(&listed, &soft(mining)).is_ok();
        (soft(mining), if is_listed { listed } else { rows })
    });
    let others = [
        (NtXent { distance, temperature, reduction, ..Default::default() }.into(), rows),
        (SupCon { distance, temperature, reduction, ..Default::default() }.into(), rows),
        (Nca { distance, temperature, reduction, ..Default::default() }.into(), rows),
        (SmoothAp { distance, temperature, reduction, ..Default::default() }.into(), rows),
        (MultiSimilarity { distance, reduction, ..Default::default() }.into(), rows),
        (SigLip { distance, reduction, ..Default::default() }.into(), rows),
        (Clip { distance, reduction, ..Default::default() }.into(), towers),
        (ProxyAnchor { distance, reduction, ..Default::default() }.into(), classes_of_rows),
        (CoSent { distance, ..Default::default() }.into(), scored),
        (Circle { gamma: 1e4, reduction, ..Default::default() }.into(), rows),
        (CrossEntropy { reduction }.into(), classes),
        (UniformEntropy { reduction }.into(), logits),
        (BinaryCrossEntropy { reduction }.into(), targets),
    ];
    triplets.chain(others).collect()
}

/// What the reference and every adapter make of it, held against each other.
fn results(loss: &Loss, batch: &Batch) -> Vec<(String, Evaluation<f64>)> {
    let expected = reference::evaluate_with_bounds(loss, batch).expect("a result");
    let bounds = &expected.bounds;
    assert_eq!(bounds.nonzero_terms, 0, "the count of {loss:?} is not in doubt");
    let mut results = vec![("the reference".to_string(), expected.evaluation.clone())];
    for device in one_by_one() {
        let actual = device.context.evaluate(loss, batch).wait().expect("a result");
        let comparison = expected.compare(&actual);
        assert!(comparison.agrees(), "{} {loss:?}\n{comparison}", device.name);
        results.push((device.name.clone(), actual.map(f64::from)));
    }
    results
}

#[test]
fn a_mean_over_four_softplus_is_over_four() {
    let batch = Batch::new(&ROWS, [4, 1], &LABELS).expect("a batch");
    for (name, result) in results(&soft(Mining::Hard), &batch) {
        // The terms are softplus(-2400), softplus(-1500), softplus(-5600) and softplus(900).
        assert_eq!((result.loss, result.nonzero_terms), (225.0, 4), "{name}");
    }
}

#[test]
fn a_smooth_term_is_never_zero() {
    for (loss, batch) in smooth() {
        for (name, result) in results(&loss, &batch) {
            assert_eq!(result.nonzero_terms, result.terms, "{name} {loss:?}");
        }
    }
}

#[test]
fn a_term_of_a_single_summand_is_zero() {
    let alone = Batch::new(&ROWS[..2], [2, 1], &LABELS[..2]).expect("a batch");
    let one_class = Batch::pointwise(&ROWS, [4, 1]).expect("a batch");
    let one_label = one_class.with_labels(&[0; 4]).expect("a batch");
    let against = alone.with_references(&ROWS[..2], 2, &LABELS[..2]).expect("a batch");
    let cases: [(Loss, Batch); 6] = [
        (Clip::default().into(), against),
        (NtXent::default().into(), alone),
        (SupCon::default().into(), alone),
        (Nca::default().into(), alone),
        (CrossEntropy::default().into(), one_label),
        (UniformEntropy::default().into(), one_class),
    ];
    for (loss, batch) in cases {
        for (name, result) in results(&loss, &batch) {
            assert!(result.terms > 0, "{name} {loss:?}");
            assert_eq!((result.loss, result.nonzero_terms), (0.0, 0), "{name} {loss:?}");
        }
    }
}

#[test]
fn a_square_is_zero_only_where_its_root_is() {
    let small = [1e-37_f32, -1e-37, 0.0, 3e-38];
    let reduction = MEAN_NON_ZERO;
    let weights = Batch::pointwise(&small, [2, 2]).expect("a batch");
    // The difference is not normal.
    let targets = weights.with_targets(&[1.000_001e-37, -1e-37, 1.0, 3e-38]).expect("a batch");
    let elastic = ElasticNet { reduction, ..Default::default() };
    let cases: [(Loss, Batch, u64); 3] = [
        (L2 { reduction, strength: 0.01 }.into(), weights, 3),
        (ElasticNet { l1_strength: 0.0, ..elastic }.into(), weights, 3),
        (MeanSquaredError { reduction }.into(), targets, 2),
    ];
    for (loss, batch, nonzero) in cases {
        for (name, result) in results(&loss, &batch) {
            assert_eq!(result.nonzero_terms, nonzero, "{name} {loss:?}");
        }
    }
}
