//! Many classes: 100,000 prototypes for 512 rows, in the usual workspace.

use wgpu_metric_learning::{
    ArcFace, Batch, CosFace, Cpu, Distance, Evaluation, Loss, MultiMargin, NormalizedSoftmax,
    ProxyAnchor, Reduction, SoftTriple, reference,
};

const ROWS: usize = 512;
const PROTOTYPES: usize = 100_000;
const D: usize = 4;
/// Those that the reference is asked for.
const SOME: [usize; 3] = [0, 200, 511];

/// Numbers between -1 and 1.
fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Each has its label among all classes.
fn labels() -> Vec<u32> {
    (0..ROWS as u32).map(|row| row * 7919 % (PROTOTYPES as u32 / 2)).collect()
}

fn evaluate(loss: &Loss, rows: &[f32], labels: &[u32], prototypes: &[f32]) -> Evaluation {
    let batch = Batch::new(rows, [labels.len(), D], labels)
        .and_then(|batch| batch.with_prototypes(prototypes, prototypes.len() / D))
        .expect("valid inputs");
    Cpu::default().evaluate(loss, &batch).wait().expect("a result")
}

/// The rows with these numbers.
fn rows_of(table: &[f32], rows: &[usize]) -> Vec<f32> {
    rows.iter().flat_map(|&row| &table[row * D..][..D]).copied().collect()
}

/// A row's term and its gradient are its own: those of a sum are the same beside any other rows.
#[test]
fn every_row_is_as_it_is_alone() {
    let (reduction, distance) = (Reduction::Sum, Distance::Cosine);
    let losses: [Loss; 5] = [
        NormalizedSoftmax { distance, reduction, ..Default::default() }.into(),
        CosFace { distance, reduction, ..Default::default() }.into(),
        ArcFace { distance, reduction, ..Default::default() }.into(),
        SoftTriple { distance, reduction, centers_per_class: 2, ..Default::default() }.into(),
        MultiMargin { reduction, ..Default::default() }.into(),
    ];
    let (rows, prototypes, labels) = (numbers(ROWS * D, 1), numbers(PROTOTYPES * D, 2), labels());
    let some_rows = rows_of(&rows, &SOME);
    let some_labels = SOME.map(|row| labels[row]);
    let some = Batch::new(&some_rows, [SOME.len(), D], &some_labels)
        .and_then(|batch| batch.with_prototypes(&prototypes, PROTOTYPES))
        .expect("valid inputs");
    for loss in losses {
        let all = evaluate(&loss, &rows, &labels, &prototypes);
        assert_eq!(all.terms, ROWS as u64);
        let expected = reference::evaluate_with_bounds(&loss, &some).expect("a result");
        let mut alone = Cpu::default().evaluate(&loss, &some).wait().expect("a result");
        alone.gradient = rows_of(&all.gradient, &SOME);
        let of_all = all.per_anchor.expect("a loss for every row");
        alone.per_anchor = Some(SOME.map(|row| of_all[row]).to_vec());
        let comparison = expected.compare(&alone);
        assert!(comparison.agrees(), "{loss:?}\n{comparison}");
        assert_eq!(expected.notices(&alone, 0.01), Some(true), "{loss:?}");
    }
}

/// The terms of a class are its own: those of some classes are the same without the others, whose
/// rows are the negatives of one class that stands for all.
#[test]
fn every_class_is_as_it_is_alone() {
    const CLASSES: usize = 5;
    let loss: Loss = ProxyAnchor { reduction: Reduction::Sum, ..Default::default() }.into();
    let (rows, prototypes) = (numbers(ROWS * D, 3), numbers(PROTOTYPES * D, 4));
    let labels: Vec<u32> = (0..ROWS as u32).map(|row| row * row % 1009 * 97).collect();
    let all = evaluate(&loss, &rows, &labels, &prototypes);
    let classes: Vec<u32> = labels[..CLASSES].to_vec();
    let some_labels: Vec<u32> = labels
        .iter()
        .map(|label| classes.iter().position(|class| class == label).unwrap_or(CLASSES) as u32)
        .collect();
    let places: Vec<usize> = classes.iter().map(|&class| class as usize).chain([1]).collect();
    let some_prototypes = rows_of(&prototypes, &places);
    let some = Batch::new(&rows, [ROWS, D], &some_labels)
        .and_then(|batch| batch.with_prototypes(&some_prototypes, CLASSES + 1))
        .expect("valid inputs");
    let expected = reference::evaluate_with_bounds(&loss, &some).expect("a result");
    let of_all = all.gradient_references.expect("a gradient of the prototypes");
    let gradient = expected.evaluation.gradient_references.as_ref().expect("the same");
    let bounds = expected.bounds.gradient_references.as_ref().expect("their bounds");
    let found = rows_of(&of_all, &places);
    let mut sure = 0;
    for (at, found) in found.iter().enumerate().take(CLASSES * D) {
        let off = (f64::from(*found) - gradient[at]).abs();
        assert!(off <= bounds[at], "{at}: {off:e} of {:e}", bounds[at]);
        sure += usize::from(gradient[at].abs() > 100.0 * bounds[at]);
    }
    assert!(2 * sure > CLASSES * D, "{sure} numbers say something");
}
