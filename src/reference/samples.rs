//! Inputs and losses for the unit tests.

use crate::data::batch::Batch;
use crate::data::input::Input;
use crate::error::Result;
use crate::loss::{
    ArcFace, BinaryCrossEntropy, Circle, Clip, CoSent, Contrastive, CosFace, CrossEntropy,
    Difficulty, Distance, ElasticNet, FastAp, Form, GeneralizedLiftedStructured, Hinge, Huber, L1,
    L2, LiftedStructured, Loss, Margin, MeanSquaredError, Mining, MultiMargin, MultiSimilarity,
    Nca, NormalizedSoftmax, NtXent, ProxyAnchor, Reduction, Sampling, SigLip, SmoothAp, SoftTriple,
    SupCon, Thresholds, Triplet, Triplets, Truth, UniformEntropy,
};
use crate::measures::Retrieval;

/// Inputs of every mode.
pub(crate) struct Sample {
    n: usize,
    d: usize,
    embeddings: Vec<f32>,
    references: Vec<f32>,
    labels: Vec<u32>,
    reference_labels: Vec<u32>,
    pairs: Vec<[u32; 2]>,
    same: Vec<u32>,
    triplets: Vec<[u32; 3]>,
    /// Of pairs; many are equal, and 0 is so with -0.
    scores: Vec<f32>,
    /// Spread widely enough for both sides of a hinge.
    predictions: Vec<f32>,
    signs: Vec<f32>,
    /// Of rows, or of what is listed; some are 0.
    weights: Vec<f32>,
}

const CLASSES: u32 = 3;
/// High enough for finite differences.
const TEMPERATURE: f32 = 0.5;
const BETA: [f32; 3] = [0.6, 0.7, 0.65];
const SCALE: f32 = 3.0;
const CLASS_WEIGHTS: [f32; 3] = [0.25, 2.0, 0.0];
const BIAS: f32 = -0.5;

impl Sample {
    /// Rows with coordinates between -`magnitude` and `magnitude`.
    pub(crate) fn new(n: usize, d: usize, magnitude: f32) -> Self {
        let mut state = 1_u64;
        let mut coordinate = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 40) as f32 / (1 << 23) as f32 - 1.0) * magnitude
        };
        let mut rows = |count| (0..count * d).map(|_| coordinate()).collect::<Vec<f32>>();
        // Some rows are listed often, some never.
        let row =
            |place: usize, step: usize| (place * place % 7 + step * place + step) as u32 % n as u32;
        let different = |i: u32, j: u32| if i == j { (j + 1) % n as u32 } else { j };
        let embeddings = rows(n);
        Self {
            n,
            d,
            predictions: embeddings.iter().map(|x| 3.0 * x).collect(),
            embeddings,
            references: rows(n + 2),
            labels: (0..n as u32).map(|row| row % CLASSES).collect(),
            reference_labels: (0..n as u32 + 2).map(|row| row * 2 % CLASSES).collect(),
            pairs: (0..2 * n + 3)
                .map(|at| [row(at, 2), different(row(at, 2), row(at, 5))])
                .collect(),
            same: (0..2 * n as u32 + 3).map(|at| at / 2 % 2).collect(),
            // The last group begins behind the 1,024 pairs of a row of the list.
            scores: (0..2 * n + 3)
                .map(|at| if at % 25 == 7 { 2.0 } else { [0.5, -0.0, -1.5, 0.0, 0.5, 1.0][at % 6] })
                .collect(),
            signs: (0..n * d).map(|at| if at % 5 < 2 { -1.0 } else { 1.0 }).collect(),
            weights: (0..2 * n + 3).map(|row| (row * row % 5) as f32 / 2.0).collect(),
            triplets: (0..n + 5).map(|at| [row(at, 1), row(at, 3), row(at, 4)]).collect(),
        }
    }

    /// The batches that the loss has a mode for.
    pub(crate) fn batches(&self, loss: &Loss) -> Vec<Batch<'_>> {
        let rows = Batch::new(&self.embeddings, [self.n, self.d], &self.labels);
        let scores = Batch::scores(&self.embeddings, [self.n, self.d], &self.labels);
        let prototypes = CLASSES as usize * loss.centers_per_class();
        let shape = [self.n, self.d];
        let all: [Result<Batch>; 10] = [
            self.pointwise(loss.truth()),
            Batch::pair_rows(
                &self.embeddings,
                &self.references[..self.n * self.d],
                shape,
                &self.same[..self.n],
            ),
            Batch::pair_indices(&self.embeddings, shape, &self.pairs, &self.same),
            Batch::scored_pair_rows(
                &self.embeddings,
                &self.references[..self.n * self.d],
                shape,
                &self.scores[..self.n],
            ),
            Batch::scored_pair_indices(&self.embeddings, shape, &self.pairs, &self.scores),
            Batch::triplets(&self.embeddings, shape, &self.triplets),
            rows.clone(),
            rows.clone().and_then(|rows| {
                rows.with_references(&self.references, self.n + 2, &self.reference_labels)
            }),
            rows.and_then(|rows| {
                rows.with_prototypes(&self.references[..prototypes * self.d], prototypes)
            }),
            scores,
        ];
        let all = all.map(|batch| {
            batch.and_then(|batch| with_learned(loss, batch)).expect("a valid sample")
        });
        all.into_iter().filter(|batch| batch.check(loss).is_ok()).collect()
    }

    /// The same batches with weights, where they can have any: of rows, and of classes.
    pub(crate) fn weighted_batches(&self, loss: &Loss) -> Vec<Batch<'_>> {
        let batches = self.batches(loss).into_iter();
        let weights_of =
            |batch: &Batch| &self.weights[..batch.shape().with_weights().numbers(Input::Weights)];
        let weighted = batches.filter_map(|batch| batch.with_weights(weights_of(&batch)).ok());
        let both = weighted.flat_map(|batch| [Ok(batch), batch.with_class_weights(&CLASS_WEIGHTS)]);
        both.flatten().filter(|batch| batch.check(loss).is_ok()).collect()
    }

    /// The batches that retrieval can be measured on.
    pub(crate) fn retrieval_batches(&self) -> Vec<Batch<'_>> {
        let batches = self.batches(&Contrastive::default().into()).into_iter();
        batches.filter(|batch| Retrieval::default().check(batch.shape()).is_ok()).collect()
    }
}

impl Sample {
    fn pointwise(&self, truth: Truth) -> Result<Batch<'_>> {
        let batch = Batch::pointwise(&self.predictions, [self.n, self.d])?;
        match truth {
            Truth::Nothing => Ok(batch),
            Truth::Targets => batch.with_targets(&self.references[..self.n * self.d]),
            Truth::Signs => batch.with_targets(&self.signs),
            Truth::Labels => batch.with_labels(&self.labels),
        }
    }
}

/// The batch with numbers of the loss's own, where it asks for them or, of some losses, may have
/// them.
fn with_learned<'a>(loss: &Loss, batch: Batch<'a>) -> Result<Batch<'a>> {
    match loss {
        Loss::Margin(Margin { beta_per_class: true, .. }) => batch.with_beta(&BETA),
        Loss::CosFace(_) | Loss::Clip(Clip { normalize: false, .. }) => batch.with_scale(&SCALE),
        Loss::SigLip(SigLip { normalize: false, .. }) => batch.with_scale(&SCALE)?.with_bias(&BIAS),
        _ => Ok(batch),
    }
}

/// Every loss with every distance, normalisation, reduction, mining and form.
pub(crate) fn losses() -> Vec<Loss> {
    let mut losses: Vec<_> = Reduction::ALL.into_iter().flat_map(pointwise).collect();
    for distance in Distance::ALL {
        for normalize in [false, true] {
            for reduction in Reduction::ALL {
                losses.extend(losses_with(distance, normalize, reduction));
            }
        }
    }
    for reduction in [Reduction::Sum, Reduction::Mean, Reduction::MeanNonZero] {
        losses.extend(drawn_losses(reduction));
    }
    losses
}

/// Every loss with every distance, mining and form; normalisation and reduction change from
/// distance to distance.
pub(crate) fn representatives() -> Vec<Loss> {
    let reductions = Reduction::ALL.into_iter().cycle();
    let settings = Distance::ALL
        .into_iter()
        .zip([false, true].into_iter().cycle())
        .zip(reductions.clone().zip(reductions.skip(2)));
    let with = |((distance, normalize), (one, other))| {
        [one, other]
            .into_iter()
            .flat_map(move |reduction| losses_with(distance, normalize, reduction))
    };
    let pointwise = [Reduction::Sum, Reduction::MeanNonZero].into_iter().flat_map(pointwise);
    settings.flat_map(with).chain(drawn_losses(Reduction::MeanNonZero)).chain(pointwise).collect()
}

/// Every loss that takes thresholds, with every mining; some of its terms are below, some above.
pub(crate) fn thresholded() -> Vec<Loss> {
    let reduction = Reduction::MeanWithin(Thresholds { low: Some(0.3), high: Some(1.1) });
    let settings = [(Distance::Cosine, false), (Distance::Euclidean, true)];
    let with = |(distance, normalize)| losses_with(distance, normalize, reduction);
    let all = settings.into_iter().flat_map(with).chain(drawn_losses(reduction));
    all.filter(Loss::takes_thresholds).collect()
}

/// The softmax losses over classes.
fn losses_over_classes(
    distance: Distance,
    normalize: bool,
    reduction: Reduction,
    centers_per_class: u32,
) -> Vec<Loss> {
    let scale = 4.0;
    let softmax = NormalizedSoftmax { distance, normalize, reduction, scale, centers_per_class };
    let margin = 0.25;
    let face = CosFace { distance, normalize, reduction, margin, scale, centers_per_class };
    let gamma = 0.5;
    let soft =
        SoftTriple { distance, normalize, reduction, centers_per_class, gamma, margin, scale };
    let mut losses: Vec<Loss> = vec![softmax.into(), face.into(), soft.into()];
    if distance == Distance::Cosine {
        let margin = 0.5;
        losses.push(
            ArcFace { distance, normalize, reduction, margin, scale, centers_per_class }.into(),
        );
    }
    losses
}

/// The losses that draw their terms, for which distances are Euclidean and normalized.
fn drawn_losses(reduction: Reduction) -> Vec<Loss> {
    let margin = |beta_per_class| {
        let sampling = Sampling::DistanceWeighted;
        Margin {
            normalize: true,
            reduction,
            beta_per_class,
            sampling,
            seed: 7,
            ..Default::default()
        }
        .into()
    };
    [false, true].map(margin).to_vec()
}

/// Wide enough that easy negatives make terms as well.
fn margin_for(mining: Mining) -> f32 {
    match mining.triplets() {
        Triplets::OnePerAnchor { negative: Difficulty::Easy, .. } => 16.0,
        _ => Triplet::default().margin,
    }
}

/// The pointwise losses; none where they do not have the reduction.
fn pointwise(reduction: Reduction) -> Vec<Loss> {
    let losses: Vec<Loss> = vec![
        MeanSquaredError { reduction }.into(),
        Huber { reduction, delta: 0.5 }.into(),
        Hinge { reduction }.into(),
        BinaryCrossEntropy { reduction }.into(),
        CrossEntropy { reduction }.into(),
        UniformEntropy { reduction }.into(),
        L1 { reduction, strength: 0.3 }.into(),
        L2 { reduction, strength: 0.7 }.into(),
        ElasticNet { reduction, l1_strength: 0.2, l2_strength: 0.3 }.into(),
    ];
    losses.into_iter().filter(|loss| loss.reductions().any(|one| one == reduction)).collect()
}

fn losses_with(distance: Distance, normalize: bool, reduction: Reduction) -> Vec<Loss> {
    let mut losses: Vec<Loss> = Vec::new();
    for power in [1, 2] {
        losses.push(
            Contrastive {
                distance,
                normalize,
                reduction,
                power,
                positive_margin: 0.25,
                ..Default::default()
            }
            .into(),
        );
    }
    if reduction == Reduction::HadsellMean {
        return losses;
    }
    for mining in Mining::ALL {
        for soft in [false, true] {
            let margin = margin_for(mining);
            losses.push(Triplet { distance, normalize, reduction, mining, margin, soft }.into());
        }
    }
    for form in Form::ALL {
        losses.push(
            LiftedStructured { distance, normalize, reduction, form, ..Default::default() }.into(),
        );
    }
    for power in [1, 2] {
        let divide_by_classes = power == 2;
        losses.push(
            MultiMargin {
                distance,
                normalize,
                reduction,
                power,
                divide_by_classes,
                ..Default::default()
            }
            .into(),
        );
    }
    for beta_per_class in [false, true] {
        losses.push(
            Margin { distance, normalize, reduction, beta_per_class, ..Default::default() }.into(),
        );
    }
    losses.push(NtXent { distance, normalize, reduction, temperature: TEMPERATURE }.into());
    losses
        .push(GeneralizedLiftedStructured { distance, normalize, reduction, margin: 0.25 }.into());
    losses.push(Nca { distance, normalize, reduction, temperature: TEMPERATURE }.into());
    for epsilon in [None, Some(0.2)] {
        let (alpha, beta, base) = (2.0, 3.0, 0.75);
        losses.push(
            MultiSimilarity { distance, normalize, reduction, alpha, beta, base, epsilon }.into(),
        );
    }
    if distance == Distance::Cosine {
        losses.push(Circle { distance, normalize, reduction, margin: 0.25, gamma: 4.0 }.into());
    }
    let ends = normalize && matches!(distance, Distance::Euclidean | Distance::SquaredEuclidean);
    if distance == Distance::Cosine || ends {
        losses.push(FastAp { distance, normalize, reduction, bins: 7 }.into());
    }
    losses.push(SmoothAp { distance, normalize, reduction, temperature: TEMPERATURE }.into());
    losses.push(SupCon { distance, normalize, reduction, temperature: TEMPERATURE }.into());
    for centers_per_class in [1, 2] {
        losses.extend(losses_over_classes(distance, normalize, reduction, centers_per_class));
    }
    losses.push(ProxyAnchor { distance, normalize, reduction, alpha: 4.0, margin: 0.25 }.into());
    losses.push(SigLip { distance, normalize, reduction, scale: 4.0, bias: -1.0 }.into());
    losses.push(Clip { distance, normalize, reduction, scale: 4.0 }.into());
    if reduction != Reduction::MeanNonZero {
        losses.push(CoSent { distance, normalize, reduction, scale: 4.0 }.into());
    }
    losses
}
