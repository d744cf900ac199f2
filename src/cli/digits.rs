//! The bundled digits, and the objectives that are evaluated on them.

use std::fmt;

use wgpu_metric_learning::{
    Batch, Contrastive, Distance, Form, LiftedStructured, Loss, Margin, Mining, Mode, MultiMargin, NtXent, Reduction,
    Sampling, SupCon, Triplet,
};

use super::npy::{self, Matrix};
use super::{Error, Result};

const IMAGES: &[u8] = include_bytes!("../../data/digits.npy");
const LABELS: &[u8] = include_bytes!("../../data/digits-labels.npy");
const CLASSES: usize = 10;

/// Handwritten digits as embeddings: an image a row, a pixel a column.
pub struct Digits {
    images: Matrix<f32>,
    labels: Vec<u32>,
    class_means: Vec<f32>,
}

impl Digits {
    pub fn load() -> Result<Self> {
        let damaged = |problem| Error::option("the bundled digits", problem);
        let images = npy::parse_matrix(IMAGES).map_err(damaged)?;
        let labels = npy::parse_vector(LABELS).map_err(damaged)?;
        let class_means = class_means(&images, &labels);
        Ok(Self { images, labels, class_means })
    }

    /// The digits compared with each other.
    pub fn rows(&self) -> Result<Batch<'_>> {
        Ok(Batch::new(&self.images.values, [self.images.rows, self.images.columns], &self.labels)?)
    }

    /// The digits as the loss takes them: against the classes' means where it takes prototypes, with one beta for each
    /// class where it asks for them.
    pub fn batch(&self, loss: &Loss) -> Result<Batch<'_>> {
        let batch = self.rows()?;
        Ok(match loss {
            Loss::Margin(Margin { beta_per_class: true, .. }) => batch.with_beta(&[Margin::DEFAULT_BETA; CLASSES])?,
            _ if loss.modes().contains(&Mode::Prototypes) => batch.with_prototypes(&self.class_means, CLASSES)?,
            _ => batch,
        })
    }
}

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} handwritten digits of {} pixels in {CLASSES} classes", self.images.rows, self.images.columns)
    }
}

fn class_means(images: &Matrix<f32>, labels: &[u32]) -> Vec<f32> {
    let mut sums = vec![0.0; CLASSES * images.columns];
    let mut counts = [0.0; CLASSES];
    for (image, &label) in images.values.chunks_exact(images.columns).zip(labels) {
        let label = label as usize;
        counts[label] += 1.0;
        let sum = &mut sums[label * images.columns..][..images.columns];
        sum.iter_mut().zip(image).for_each(|(sum, pixel)| *sum += pixel);
    }
    sums.iter().enumerate().map(|(at, sum)| sum / counts[at / images.columns]).collect()
}

/// The core losses in their forms, with minings and distances of every kind.
pub fn objectives() -> Vec<Loss> {
    use Distance::{Cosine, InnerProduct, Manhattan, SquaredEuclidean};
    let normalize = true;
    vec![
        Contrastive { normalize, ..Default::default() }.into(),
        Contrastive { distance: Cosine, reduction: Reduction::MeanNonZero, power: 1, ..Default::default() }.into(),
        Contrastive { distance: Manhattan, negative_margin: 16.0, power: 1, ..Default::default() }.into(),
        Triplet { normalize, ..Default::default() }.into(),
        Triplet { distance: SquaredEuclidean, reduction: Reduction::MeanNonZero, ..Default::default() }.into(),
        Triplet { normalize, soft: true, ..Default::default() }.into(),
        Triplet { normalize, mining: Mining::Hard, ..Default::default() }.into(),
        Triplet { distance: Manhattan, mining: Mining::Hard, soft: true, ..Default::default() }.into(),
        Triplet { normalize, mining: Mining::SemiHard, ..Default::default() }.into(),
        Triplet { distance: Cosine, mining: Mining::SemiHard, ..Default::default() }.into(),
        Triplet { normalize, mining: Mining::EasyPositiveHardNegative, ..Default::default() }.into(),
        Triplet { mining: Mining::EasyPositiveSemiHardNegative, soft: true, ..Default::default() }.into(),
        LiftedStructured { normalize, ..Default::default() }.into(),
        LiftedStructured { form: Form::Exact, ..Default::default() }.into(),
        Margin { normalize, ..Default::default() }.into(),
        Margin { distance: SquaredEuclidean, normalize, beta_per_class: true, ..Default::default() }.into(),
        Margin { normalize, sampling: Sampling::DistanceWeighted, seed: 7, ..Default::default() }.into(),
        MultiMargin::default().into(),
        MultiMargin { distance: InnerProduct, power: 2, ..Default::default() }.into(),
        NtXent::default().into(),
        NtXent { distance: SquaredEuclidean, normalize, temperature: 0.5, ..Default::default() }.into(),
        SupCon::default().into(),
        SupCon { distance: Manhattan, temperature: 10.0, ..Default::default() }.into(),
    ]
}
