//! The losses as a Burn user writes them: dense N x N tensors, and autodiff for the gradients.

use burn::nn::loss::{MultiMarginLossConfig, Reduction};
use burn::tensor::activation::softplus;
use burn::tensor::{Bool, Int, Tensor};

pub const NAMES: [&str; 8] =
    ["contrastive", "triplet_all", "triplet_hard", "lifted", "multi_margin", "margin", "ntxent", "supcon"];

pub fn evaluate(name: &str, x: Tensor<2>, prototypes: &Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    match name {
        "contrastive" => contrastive(x, labels),
        "triplet_all" => triplet_all(x, labels),
        "triplet_hard" => triplet_hard(x, labels),
        "lifted" => lifted(x, labels),
        "multi_margin" => multi_margin(x, prototypes.clone(), labels),
        "margin" => margin(x, labels),
        "ntxent" => ntxent(x, labels),
        "supcon" => supcon(x, labels),
        _ => unreachable!("{name}"),
    }
}

/// Euclidean distances between all rows of `x` and all rows of `y`, through the Gram matrix (one matmul).
/// The clamp keeps sqrt and its gradient finite where two rows coincide (the diagonal, above all).
fn pairwise_distances(x: Tensor<2>, y: Tensor<2>) -> Tensor<2> {
    let xx = x.clone().square().sum_dim(1); // [N, 1]
    let yy = y.clone().square().sum_dim(1).transpose(); // [1, M]
    let squared = xx + yy - x.matmul(y.transpose()) * 2.0;
    squared.clamp_min(1e-12).sqrt()
}

/// Cosines of all rows with one another.
fn cosines(x: Tensor<2>) -> Tensor<2> {
    let norm = x.clone().square().sum_dim(1).sqrt().clamp_min(1e-12);
    let unit = x / norm;
    unit.clone().matmul(unit.transpose())
}

/// (positive pairs, negative pairs), both N x N, the diagonal in neither.
fn pair_masks(labels: Tensor<1, Int>) -> (Tensor<2, Bool>, Tensor<2, Bool>) {
    let [n] = labels.dims();
    let same = labels.clone().unsqueeze_dim::<2>(1).equal(labels.clone().unsqueeze_dim::<2>(0));
    let off_diagonal = Tensor::<2, Bool>::diag_mask([n, n], 0, &labels.device());
    (same.clone().bool_and(off_diagonal), same.bool_not())
}

/// True entries, as a divisor: at least 1.
fn count<const D: usize>(mask: Tensor<D, Bool>) -> Tensor<1> {
    mask.float().sum().clamp_min(1.0)
}

fn mean_nonzero<const D: usize>(terms: Tensor<D>) -> Tensor<1> {
    let nonzero = count(terms.clone().greater_elem(0.0));
    terms.sum() / nonzero
}

/// log(sum over the masked columns of exp(a)) per row, shifted by the row's maximum.
fn masked_logsumexp(a: Tensor<2>, mask: Tensor<2, Bool>) -> Tensor<2> {
    let a = a.mask_fill(mask.bool_not(), -1e30);
    let max = a.clone().detach().max_dim(1);
    (a - max.clone()).exp().sum_dim(1).log() + max
}

/// Positives d, negatives max(0, 1 - d); the mean of the non-zero ones of each, added.
fn contrastive(x: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    let (positive, negative) = pair_masks(labels);
    let d = pairwise_distances(x.clone(), x);
    let positives = d.clone().mask_fill(positive.bool_not(), 0.0);
    let negatives = (-d + 1.0).clamp_min(0.0).mask_fill(negative.bool_not(), 0.0);
    mean_nonzero(positives) + mean_nonzero(negatives)
}

/// Every (anchor, positive, negative), margin 0.2; the mean of the non-zero terms. N x N x N.
fn triplet_all(x: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    let (positive, negative) = pair_masks(labels);
    let d = pairwise_distances(x.clone(), x);
    let exists = positive.unsqueeze_dim::<3>(2).bool_and(negative.unsqueeze_dim::<3>(1));
    let terms = d.clone().unsqueeze_dim::<3>(2) - d.unsqueeze_dim::<3>(1) + 0.2;
    mean_nonzero(terms.clamp_min(0.0).mask_fill(exists.bool_not(), 0.0))
}

/// Farthest positive and nearest negative per anchor, margin 0.2; the mean of the non-zero terms.
fn triplet_hard(x: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    const FAR: f32 = 1e30;
    let (positive, negative) = pair_masks(labels);
    let d = pairwise_distances(x.clone(), x);
    let farthest = d.clone().mask_fill(positive.bool_not(), -FAR).max_dim(1);
    let nearest = d.mask_fill(negative.bool_not(), FAR).min_dim(1);
    // An anchor without a positive or without a negative is far below 0.
    mean_nonzero((farthest - nearest + 0.2).clamp_min(0.0))
}

/// Lifted structured, smooth form, margin 1: 1/(2P) sum over the unordered positive pairs of max(0, J)^2.
/// The N x N matrix holds every pair twice, and so does the count.
fn lifted(x: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    let (positive, negative) = pair_masks(labels);
    let d = pairwise_distances(x.clone(), x);
    let row = masked_logsumexp(-d.clone() + 1.0, negative); // [N, 1]
    let (i, j) = (row.clone(), row.transpose());
    let both = softplus(j - i.clone(), 1.0) + i; // log(e^i + e^j), [N, N]
    let terms = (both + d).clamp_min(0.0).square();
    terms.mask_fill(positive.clone().bool_not(), 0.0).sum() / (count(positive) * 2.0)
}

/// Scores are the negated distances to one prototype per class, margin 1; Burn's own loss divides by the number of classes.
fn multi_margin(x: Tensor<2>, prototypes: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    let scores = -pairwise_distances(x, prototypes);
    MultiMarginLossConfig::new().init().forward(scores, labels, Reduction::Mean)
}

/// Wu et al. 2017: alpha 0.2, beta 1.2, all pairs, the mean of the non-zero terms.
fn margin(x: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    const ALPHA: f32 = 0.2;
    const BETA: f32 = 1.2;
    let (positive, negative) = pair_masks(labels);
    let d = pairwise_distances(x.clone(), x);
    let positives = (d.clone() - (BETA - ALPHA)).clamp_min(0.0).mask_fill(positive.bool_not(), 0.0);
    let negatives = (-d + (BETA + ALPHA)).clamp_min(0.0).mask_fill(negative.bool_not(), 0.0);
    mean_nonzero(positives + negatives)
}

/// SimCLR: cosine logits over temperature 0.1, the mean over the ordered positive pairs.
fn ntxent(x: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    let (positive, negative) = pair_masks(labels);
    let logits = cosines(x) / 0.1;
    let negatives = masked_logsumexp(logits.clone(), negative); // [N, 1]
    let terms = softplus(negatives - logits, 1.0); // -log(e^l / (e^l + e^negatives))
    terms.mask_fill(positive.clone().bool_not(), 0.0).sum() / count(positive)
}

/// Khosla et al. 2020: cosine logits over temperature 0.1, the mean over the anchors with positives.
fn supcon(x: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    let (positive, negative) = pair_masks(labels);
    let logits = cosines(x) / 0.1;
    let positives = positive.clone().float().sum_dim(1); // [N, 1]
    let sum = logits.clone().mask_fill(positive.clone().bool_not(), 0.0).sum_dim(1);
    let mean = sum / positives.clone().clamp_min(1.0);
    let terms = masked_logsumexp(logits, positive.bool_or(negative)) - mean;
    let is_anchor = positives.greater_elem(0.0);
    terms.mask_fill(is_anchor.clone().bool_not(), 0.0).sum() / count(is_anchor)
}
