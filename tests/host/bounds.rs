//! The bounds against a plain f32 evaluation: it keeps them, and one pair left out breaks them.

use wgpu_metric_learning::{Batch, Contrastive, Distance, Evaluation, Reduction, reference};

const N: usize = 300;
const D: usize = 33;
const CLASSES: u32 = 7;

#[test]
fn a_plain_f32_evaluation_is_within_the_bounds() {
    for loss in losses() {
        let comparison = compare(&loss, None);
        assert!(comparison.agrees(), "{loss:?}\n{comparison}");
        // Bounds a hundred times as wide would be met by anything.
        assert!(comparison.worst().share > 0.01, "{loss:?}\n{comparison}");
    }
}

#[test]
fn one_pair_left_out_is_not() {
    for loss in losses() {
        let comparison = compare(&loss, Some((5, 12)));
        assert!(!comparison.agrees(), "{loss:?}\n{comparison}");
        assert_eq!(
            (comparison.worst().quantity, comparison.worst().row),
            ("gradient", 5),
            "{loss:?}\n{comparison}"
        );
    }
}

fn losses() -> Vec<Contrastive> {
    let mut losses = Vec::new();
    for distance in Distance::ALL {
        for normalize in [false, true] {
            for power in [1, 2] {
                let reduction = Reduction::Mean;
                // Small enough that the pair left out, of equal labels, is a term with every
                // distance.
                let positive_margin = -2.0;
                losses.push(Contrastive {
                    distance,
                    normalize,
                    reduction,
                    positive_margin,
                    power,
                    ..Default::default()
                });
            }
        }
    }
    losses
}

fn compare(loss: &Contrastive, left_out: Option<(usize, usize)>) -> reference::Comparison {
    let mut state = 7_u64;
    let mut coordinate = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1 << 24) as f32 - 0.5) * 0.6
    };
    let embeddings: Vec<_> = (0..N * D).map(|_| coordinate()).collect();
    let labels: Vec<_> = (0..N as u32).map(|row| row % CLASSES).collect();
    let batch = Batch::new(&embeddings, [N, D], &labels).expect("a valid batch");
    let expectation = reference::evaluate_with_bounds(loss, &batch).expect("a valid loss");
    expectation.compare(&evaluate(loss, &embeddings, &labels, left_out))
}

/// The loss in f32, as plainly as can be; the gradient of the row `left_out.0` lacks the column
/// `left_out.1`.
fn evaluate(
    loss: &Contrastive,
    embeddings: &[f32],
    labels: &[u32],
    left_out: Option<(usize, usize)>,
) -> Evaluation<f32> {
    let unit = loss.normalize || loss.distance == Distance::Cosine;
    let norms: Vec<_> =
        embeddings.chunks(D).map(|row| if unit { dot(row, row).sqrt() } else { 1.0 }).collect();
    let rows: Vec<Vec<_>> = embeddings
        .chunks(D)
        .zip(&norms)
        .map(|(row, norm)| row.iter().map(|x| x / norm).collect())
        .collect();
    let pair_count = (N * (N - 1)) as f32;

    let mut result = Evaluation::default();
    result.per_anchor = Some(Vec::new());
    result.terms = pair_count as u64;
    let mut distances = [Vec::new(), Vec::new()];
    for i in 0..N {
        let mut gradient = [0.0_f32; D];
        let mut anchor = 0.0;
        for j in (0..N).filter(|&j| j != i) {
            let (positive, d) =
                (labels[i] == labels[j], distance(loss.distance, &rows[i], &rows[j]));
            distances[usize::from(!positive)].push(d);
            let hinge = if positive { d - loss.positive_margin } else { loss.negative_margin - d };
            if hinge <= 0.0 {
                continue;
            }
            let (term, slope) =
                if loss.power == 2 { (hinge * hinge, 2.0 * hinge) } else { (hinge, 1.0) };
            anchor += term;
            let count = if positive {
                &mut result.nonzero_positive_terms
            } else {
                &mut result.nonzero_negative_terms
            };
            *count += 1;
            if left_out != Some((i, j)) {
                // Twice: (i, j) and (j, i).
                let slope = if positive { 2.0 * slope } else { -2.0 * slope };
                add_gradient(loss.distance, slope, d, [&rows[i], &rows[j]], &mut gradient);
            }
        }
        if unit {
            let along = dot(&gradient, &rows[i]);
            gradient.iter_mut().zip(&rows[i]).for_each(|(g, u)| *g = (*g - along * u) / norms[i]);
        }
        result.gradient.extend(gradient.map(|g| g / pair_count));
        result.loss += anchor / pair_count;
        result.per_anchor.as_mut().expect("set above").push(anchor);
    }
    result.nonzero_terms = result.nonzero_positive_terms + result.nonzero_negative_terms;
    [result.positive_pairs, result.negative_pairs] =
        [0, 1].map(|kind| distances[kind].len() as u64);
    // Long sums go in f64 here: only their rounding in a tree is within the bounds.
    let means = distances
        .map(|all| (all.iter().map(|&d| f64::from(d)).sum::<f64>() / all.len() as f64) as f32);
    [result.mean_positive_distance, result.mean_negative_distance] = means;
    result
}

fn dot(x: &[f32], y: &[f32]) -> f32 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

fn distance(distance: Distance, x: &[f32], y: &[f32]) -> f32 {
    let square = || x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum::<f32>();
    match distance {
        Distance::Euclidean => square().sqrt(),
        Distance::SquaredEuclidean => square(),
        Distance::Manhattan => x.iter().zip(y).map(|(x, y)| (x - y).abs()).sum(),
        Distance::Cosine => 0.5 * square(),
        Distance::InnerProduct => -dot(x, y),
        other => panic!("{other:?} has no plain form here"),
    }
}

fn add_gradient(
    distance: Distance,
    slope: f32,
    d: f32,
    [x, y]: [&[f32]; 2],
    gradient: &mut [f32; D],
) {
    for ((g, x), y) in gradient.iter_mut().zip(x).zip(y) {
        *g += match distance {
            Distance::Euclidean => slope / d * (x - y),
            Distance::SquaredEuclidean => 2.0 * slope * (x - y),
            Distance::Manhattan => slope * f32::from(i8::from(x > y) - i8::from(x < y)),
            Distance::Cosine => slope * (x - y),
            Distance::InnerProduct => -slope * y,
            other => panic!("{other:?} has no plain form here"),
        };
    }
}
