//! The bundled digits, and the objectives that are evaluated on them.

use std::fmt;

use wgpu_metric_learning::{
    ArcFace, Batch, BinaryCrossEntropy, Circle, Clip, CoSent, Contrastive, CosFace, CrossEntropy,
    Distance, ElasticNet, FastAp, Form, GeneralizedLiftedStructured, Hinge, Huber, L1, L2,
    LiftedStructured, Loss, Margin, MeanSquaredError, Mining, Mode, MultiMargin, MultiSimilarity,
    Nca, NormalizedSoftmax, NtXent, ProxyAnchor, Reduction, Sampling, SigLip, SmoothAp, SoftTriple,
    SupCon, Triplet, Truth, UniformEntropy,
};

use super::npy::{Array, Matrix};
use super::{Error, Result};

const IMAGES: &[u8] = include_bytes!("../data/digits.npy");
const LABELS: &[u8] = include_bytes!("../data/digits-labels.npy");
const CLASSES: usize = 10;

/// Centres of a class, for losses with so many: the default of `SoftTriple`.
const CENTERS: usize = 10;

/// Handwritten digits as embeddings: an image a row, a pixel a column; and what losses take beside
/// or in place of them.
pub(crate) struct Digits {
    images: Matrix<Vec<f32>>,
    labels: Vec<u32>,
    /// A row a class: prototypes.
    class_means: Vec<f32>,
    /// `CENTERS` rows a class, each the mean of as many of its images: prototypes too.
    centers: Vec<f32>,
    /// A target for every pixel, which goes from 0 to 1: what it is in the mean of the image's
    /// class, and whether it is bright there: +1 or -1.
    targets: Vec<f32>,
    signs: Vec<f32>,
    /// Negated mean squared distances to the classes' means: logits, or scores.
    logits: Vec<f32>,
    /// Every image with the next one, and for each image the next of its class with the next of
    /// another.
    pairs: Vec<[u32; 2]>,
    same: Vec<u32>,
    /// Whether a row of the first half and the same row of the second are of one class.
    aligned: Vec<u32>,
    /// How near the numerals of a pair are, and those of a row of each half: 0 down to -9.
    nearness: Vec<f32>,
    aligned_nearness: Vec<f32>,
    triplets: Vec<[u32; 3]>,
}

impl Digits {
    /// The columns of an image.
    pub(crate) const WIDTH: usize = 8;

    pub(crate) fn load() -> Result<Self> {
        let damaged = |problem| Error::option("the bundled digits", problem);
        let array = |bytes: &'static [u8]| Array::parse(bytes, Some(bytes.len() as u64));
        let images = array(IMAGES).and_then(Array::matrix).map_err(damaged)?.numbers;
        let labels = array(LABELS).and_then(Array::integers).map_err(damaged)?;
        let class_means = means(&images, &labels, 1);
        let centers = means(&images, &labels, CENTERS);
        let mean_of =
            |&label: &u32| &class_means[label as usize * images.columns..][..images.columns];
        let targets: Vec<_> = labels.iter().flat_map(mean_of).copied().collect();
        let pairs: Vec<_> = (1..labels.len() as u32).map(|row| [row - 1, row]).collect();
        let is_same = |&[i, j]: &[u32; 2]| u32::from(labels[i as usize] == labels[j as usize]);
        let nearness = |i: &u32, j: &u32| -(i.abs_diff(*j) as f32);
        let halves = || labels.iter().zip(&labels[labels.len() / 2..]).take(labels.len() / 2);
        Ok(Self {
            signs: targets.iter().map(|&pixel| if pixel > 0.5 { 1.0 } else { -1.0 }).collect(),
            logits: logits(&images, &class_means),
            same: pairs.iter().map(is_same).collect(),
            aligned: halves().map(|(i, j)| u32::from(i == j)).collect(),
            nearness: labels.windows(2).map(|pair| nearness(&pair[0], &pair[1])).collect(),
            aligned_nearness: halves().map(|(i, j)| nearness(i, j)).collect(),
            triplets: triplets(&labels),
            images,
            labels,
            centers,
            class_means,
            targets,
            pairs,
        })
    }

    /// The digits compared with each other.
    pub(crate) fn rows(&self) -> Result<Batch<'_>> {
        Ok(Batch::new(&self.images.values, self.shape(), &self.labels)?)
    }

    /// The digits as the loss takes them in this mode: with one beta for each class where it asks
    /// for them. Halves of them stand where two sets are compared.
    pub(crate) fn batch(&self, loss: &Loss, mode: Mode) -> Result<Batch<'_>> {
        let [rows, columns] = self.shape();
        let half = rows / 2;
        let (images, others) = self.images.values[..2 * half * columns].split_at(half * columns);
        let (labels, other_labels) = self.labels[..2 * half].split_at(half);
        let batch = match mode {
            Mode::Reference => Batch::new(images, [half, columns], labels)?.with_references(
                others,
                half,
                other_labels,
            )?,
            Mode::Prototypes if loss.centers_per_class() == CENTERS => {
                self.rows()?.with_prototypes(&self.centers, CENTERS * CLASSES)?
            }
            Mode::Prototypes => self.rows()?.with_prototypes(&self.class_means, CLASSES)?,
            Mode::Scores => Batch::scores(&self.logits, [rows, CLASSES], &self.labels)?,
            Mode::PairRows => Batch::pair_rows(images, others, [half, columns], &self.aligned)?,
            Mode::PairIndices => {
                Batch::pair_indices(&self.images.values, [rows, columns], &self.pairs, &self.same)?
            }
            Mode::ScoredPairRows => {
                let targets = &self.aligned_nearness;
                Batch::scored_pair_rows(images, others, [half, columns], targets)?
            }
            Mode::ScoredPairIndices => {
                let (images, pairs) = (&self.images.values, &self.pairs);
                Batch::scored_pair_indices(images, [rows, columns], pairs, &self.nearness)?
            }
            Mode::Triplets => {
                Batch::triplets(&self.images.values, [rows, columns], &self.triplets)?
            }
            Mode::Pointwise => self.pointwise(loss.truth())?,
            _ => self.rows()?,
        };
        Ok(match loss {
            Loss::Margin(Margin { beta_per_class: true, .. }) => {
                batch.with_beta(&[Margin::DEFAULT_BETA; CLASSES])?
            }
            _ => batch,
        })
    }

    fn pointwise(&self, truth: Truth) -> Result<Batch<'_>> {
        let pixels = Batch::pointwise(&self.images.values, self.shape())?;
        Ok(match truth {
            Truth::Targets => pixels.with_targets(&self.targets)?,
            Truth::Signs => pixels.with_targets(&self.signs)?,
            Truth::Labels => Batch::pointwise(&self.logits, [self.images.rows, CLASSES])?
                .with_labels(&self.labels)?,
            _ => pixels,
        })
    }

    fn shape(&self) -> [usize; 2] {
        [self.images.rows, self.images.columns]
    }
}

/// The mode of the digits where none is asked for: each other, or what the loss has in its place.
pub(crate) fn usual_mode(loss: &Loss) -> Mode {
    let modes = loss.modes();
    if modes.contains(&Mode::Prototypes) { Mode::Prototypes } else { modes[0] }
}

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} handwritten digits of {} pixels in {CLASSES} classes",
            self.images.rows, self.images.columns
        )
    }
}

/// So many means a class, its images taking turns.
fn means(images: &Matrix<Vec<f32>>, labels: &[u32], of_class: usize) -> Vec<f32> {
    let mut sums = vec![0.0; CLASSES * of_class * images.columns];
    let mut counts = vec![0.0; CLASSES * of_class];
    let mut seen = [0; CLASSES];
    for (image, &label) in images.values.chunks_exact(images.columns).zip(labels) {
        let label = label as usize;
        let mean = label * of_class + seen[label] % of_class;
        seen[label] += 1;
        counts[mean] += 1.0;
        let sum = &mut sums[mean * images.columns..][..images.columns];
        sum.iter_mut().zip(image).for_each(|(sum, pixel)| *sum += pixel);
    }
    sums.iter().enumerate().map(|(at, sum)| sum / counts[at / images.columns]).collect()
}

fn logits(images: &Matrix<Vec<f32>>, class_means: &[f32]) -> Vec<f32> {
    let columns = images.columns;
    let logit = |image: &[f32], mean: &[f32]| {
        let square: f32 = image.iter().zip(mean).map(|(x, y)| (x - y) * (x - y)).sum();
        -square / columns as f32
    };
    let means = || class_means.chunks_exact(columns);
    images
        .values
        .chunks_exact(columns)
        .flat_map(|image| means().map(move |mean| logit(image, mean)))
        .collect()
}

/// Each row with the next of its class and the next of another, going round.
fn triplets(labels: &[u32]) -> Vec<[u32; 3]> {
    let next = |row: usize, is_same: bool| {
        let mut others = (1..labels.len()).map(|step| (row + step) % labels.len());
        others.find(|&other| (labels[other] == labels[row]) == is_same).unwrap_or(row) as u32
    };
    (0..labels.len()).map(|row| [row as u32, next(row, true), next(row, false)]).collect()
}

/// The losses in their forms and modes, with minings and distances of every kind.
pub(crate) fn objectives() -> Vec<(Loss, Mode)> {
    let usual = losses().into_iter().map(|loss| {
        let mode = usual_mode(&loss);
        (loss, mode)
    });
    let hadsell =
        Contrastive { reduction: Reduction::HadsellMean, normalize: true, ..Default::default() };
    let others: Vec<(Loss, Mode)> = vec![
        (hadsell.clone().into(), Mode::PairRows),
        (hadsell.into(), Mode::PairIndices),
        (Margin { normalize: true, ..Default::default() }.into(), Mode::PairIndices),
        (Contrastive { normalize: true, ..Default::default() }.into(), Mode::Reference),
        (Triplet { normalize: true, ..Default::default() }.into(), Mode::Reference),
        (Margin { normalize: true, ..Default::default() }.into(), Mode::Reference),
        (NtXent::default().into(), Mode::Reference),
        (SupCon::default().into(), Mode::Reference),
        (SmoothAp::default().into(), Mode::Reference),
        (FastAp::default().into(), Mode::Reference),
        (Circle::default().into(), Mode::Reference),
        (MultiSimilarity::default().into(), Mode::Reference),
        (Nca::default().into(), Mode::Reference),
        (GeneralizedLiftedStructured::default().into(), Mode::Reference),
        (MultiMargin::default().into(), Mode::Scores),
        (CoSent::default().into(), Mode::ScoredPairIndices),
    ];
    usual.chain(others).collect()
}

fn losses() -> Vec<Loss> {
    use Distance::{Cosine, InnerProduct, Manhattan, SquaredEuclidean};
    let normalize = true;
    vec![
        Contrastive { normalize, ..Default::default() }.into(),
        Contrastive {
            distance: Cosine,
            reduction: Reduction::MeanNonZero,
            power: 1,
            ..Default::default()
        }
        .into(),
        Contrastive { distance: Manhattan, negative_margin: 16.0, power: 1, ..Default::default() }
            .into(),
        Triplet { normalize, ..Default::default() }.into(),
        Triplet {
            distance: SquaredEuclidean,
            reduction: Reduction::MeanNonZero,
            ..Default::default()
        }
        .into(),
        Triplet { normalize, soft: true, ..Default::default() }.into(),
        Triplet { normalize, mining: Mining::Hard, ..Default::default() }.into(),
        Triplet { distance: Manhattan, mining: Mining::Hard, soft: true, ..Default::default() }
            .into(),
        Triplet { normalize, mining: Mining::SemiHard, ..Default::default() }.into(),
        Triplet { distance: Cosine, mining: Mining::SemiHard, ..Default::default() }.into(),
        Triplet { normalize, mining: Mining::EasyPositiveHardNegative, ..Default::default() }
            .into(),
        Triplet { mining: Mining::EasyPositiveSemiHardNegative, soft: true, ..Default::default() }
            .into(),
        LiftedStructured { normalize, ..Default::default() }.into(),
        LiftedStructured { form: Form::Exact, ..Default::default() }.into(),
        Margin { normalize, ..Default::default() }.into(),
        Margin {
            distance: SquaredEuclidean,
            normalize,
            beta_per_class: true,
            ..Default::default()
        }
        .into(),
        Margin { normalize, sampling: Sampling::DistanceWeighted, seed: 7, ..Default::default() }
            .into(),
        MultiMargin::default().into(),
        MultiMargin { distance: InnerProduct, power: 2, ..Default::default() }.into(),
        NormalizedSoftmax::default().into(),
        NormalizedSoftmax { scale: 5.0, ..Default::default() }.into(),
        CosFace::default().into(),
        CosFace { margin: 0.1, ..Default::default() }.into(),
        ArcFace::default().into(),
        ArcFace { margin: 0.2, ..Default::default() }.into(),
        SoftTriple::default().into(),
        SoftTriple { centers_per_class: 1, scale: 5.0, ..Default::default() }.into(),
        ArcFace { centers_per_class: CENTERS as u32, ..Default::default() }.into(),
        ProxyAnchor::default().into(),
        ProxyAnchor { reduction: Reduction::Sum, alpha: 8.0, ..Default::default() }.into(),
        CoSent::default().into(),
        Clip::default().into(),
        Clip { distance: SquaredEuclidean, normalize, scale: 4.0, ..Default::default() }.into(),
        SigLip::default().into(),
        SigLip {
            distance: SquaredEuclidean,
            normalize,
            scale: 4.0,
            bias: 2.0,
            ..Default::default()
        }
        .into(),
        NtXent::default().into(),
        NtXent { distance: SquaredEuclidean, normalize, temperature: 0.5, ..Default::default() }
            .into(),
        GeneralizedLiftedStructured { normalize, ..Default::default() }.into(),
        Nca { normalize, ..Default::default() }.into(),
        MultiSimilarity::default().into(),
        MultiSimilarity { epsilon: Some(0.1), ..Default::default() }.into(),
        Circle::default().into(),
        FastAp::default().into(),
        SmoothAp::default().into(),
        SupCon::default().into(),
        SupCon { distance: Manhattan, temperature: 10.0, ..Default::default() }.into(),
        Triplet { normalize, mining: Mining::Explicit, ..Default::default() }.into(),
        MeanSquaredError::default().into(),
        Huber::default().into(),
        Hinge::default().into(),
        BinaryCrossEntropy::default().into(),
        CrossEntropy::default().into(),
        UniformEntropy::default().into(),
        L1::default().into(),
        L2::default().into(),
        ElasticNet::default().into(),
    ]
}
