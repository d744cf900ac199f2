//! Random inputs, and the losses of them.

use proptest::prelude::*;
use support::changed::changed;
use support::losses::{losses, reach};
use wgpu_metric_learning::{
    Batch, Contrastive, Distance, Evaluation, Form, LiftedStructured, Loss, Margin, Mining, Mode,
    Reduction, Sampling, Triplet,
};

/// The distances that depend on the differences of coordinates alone.
pub(crate) const EUCLIDEAN_FAMILY: [Distance; 3] =
    [Distance::Euclidean, Distance::SquaredEuclidean, Distance::Manhattan];
/// Coordinates are multiples of 1 / GRID: sums of a few of them are exact in f32.
pub(crate) const GRID: f32 = 64.0;
pub(crate) const CLASSES: u32 = 4;

/// Inputs of a batch, and of references beside it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Which loss, and with it which distance.
    pub kind: usize,
    pub against_references: bool,
    pub rows: [usize; 2],
    pub d: usize,
    pub embeddings: Vec<f32>,
    pub references: Vec<f32>,
    pub labels: Vec<u32>,
    pub reference_labels: Vec<u32>,
    pub beta: Vec<f32>,
}

pub(crate) fn case(rows: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Case> {
    let kinds = matrix_losses(Distance::Euclidean, false, 1.0).len();
    let sizes = (0..kinds, any::<bool>(), rows, 2..12_usize, 1..10_usize);
    sizes.prop_flat_map(|(kind, against_references, n, m, d)| {
        let set = |rows: usize| {
            let coordinates = prop::collection::vec(-(GRID as i16)..=GRID as i16, rows * d);
            (coordinates, prop::collection::vec(0..CLASSES, rows))
        };
        (set(n), set(m)).prop_map(move |((embeddings, labels), (references, reference_labels))| {
            let on_grid = |numbers: Vec<i16>| {
                numbers.into_iter().map(|number| f32::from(number) / GRID).collect()
            };
            Case {
                kind,
                against_references,
                rows: [n, m],
                d,
                embeddings: on_grid(embeddings),
                references: on_grid(references),
                labels,
                reference_labels,
                beta: vec![1.0, 0.75, 0.5, 1.25],
            }
        })
    })
}

/// Losses over all pairs of labelled rows, with margins and temperatures of the size of `reach`, but
/// for those that others stand for, which differ in a constant or a part of their kernel, and those
/// that do not take every distance.
pub(crate) fn matrix_losses(distance: Distance, normalize: bool, reach: f32) -> Vec<Loss> {
    let is_taken = |loss: &Loss| match loss {
        Loss::Contrastive(_) => loss.reduction() == Reduction::MeanNonZero,
        Loss::Triplet(Triplet { mining, soft, .. }) => {
            matches!((mining, soft), (Mining::All, _) | (Mining::Hard, false))
        }
        // What is drawn depends on the place of a row, and on D.
        Loss::Margin(Margin { sampling, .. }) => *sampling == Sampling::All,
        Loss::NtXent(_) | Loss::Nca(_) => loss.reduction() == Reduction::Mean,
        Loss::SupCon(_) | Loss::GeneralizedLiftedStructured(_) | Loss::MultiSimilarity(_) => false,
        Loss::Circle(_) | Loss::FastAp(_) | Loss::SmoothAp(_) => false,
        _ => loss.modes().contains(&Mode::Batch),
    };
    losses(distance, normalize, reach).into_iter().filter(is_taken).collect()
}

impl Case {
    /// The loss of the case, by one of these distances.
    pub(crate) fn loss(&self, distances: &[Distance], normalize: bool) -> Loss {
        self.scaled_loss(distances, normalize, 1.0)
    }

    /// The loss of the case with every margin and temperature times `factor`.
    pub(crate) fn scaled_loss(&self, distances: &[Distance], normalize: bool, factor: f32) -> Loss {
        // The same for many properties, so that few pipelines are made.
        let distance = distances[self.kind % Distance::ALL.len() % distances.len()];
        let reach = reach(distance, normalize, self.d, 0.5 * (self.d as f32).sqrt());
        matrix_losses(distance, normalize, factor * reach).swap_remove(self.kind)
    }

    /// The loss of the case by any distance, some of them on unit rows.
    pub(crate) fn any_loss(&self) -> Loss {
        self.loss(&Distance::ALL, self.kind.is_multiple_of(3))
    }

    pub(crate) fn batch(&self, loss: &Loss) -> Batch<'_> {
        let [n, m] = self.rows;
        let batch = Batch::new(&self.embeddings, [n, self.d], &self.labels);
        let batch = batch.and_then(|batch| match self.is_against_references(loss) {
            true => batch.with_references(&self.references, m, &self.reference_labels),
            false => Ok(batch),
        });
        let betas = match loss {
            Loss::Margin(Margin { beta_per_class: true, .. }) => &self.beta[..],
            Loss::Margin(_) => &self.beta[..1],
            _ => return batch.expect("a valid case"),
        };
        batch.and_then(|batch| batch.with_beta(betas)).expect("a valid case")
    }

    fn is_against_references(&self, loss: &Loss) -> bool {
        self.against_references && loss.modes().contains(&Mode::Reference)
    }

    /// The case with every coordinate of both sets made into another one.
    pub(crate) fn map(&self, change: impl Fn(f32) -> f32) -> Self {
        let [embeddings, references] = [&self.embeddings, &self.references]
            .map(|set| set.iter().map(|&x| change(x)).collect());
        Self { embeddings, references, ..self.clone() }
    }
}

/// A case beside itself with all coordinates, margins and temperatures times a power of two, which
/// changes exponents alone: every bit of the scaled result is known.
pub(crate) struct Scaling {
    pub losses: [Loss; 2],
    pub scaled: Case,
    /// What coordinates, distances and the loss are multiplied by.
    size: f32,
    reach: f32,
    factor: f32,
}

impl Scaling {
    /// `None` for a loss that does not grow with a power of its distances.
    pub(crate) fn of(case: &Case, exponent: i32) -> Option<Self> {
        let loss = case.loss(&EUCLIDEAN_FAMILY, false);
        let degree = degree(&loss)?;
        let size = 2_f32.powi(exponent);
        let reach =
            if loss.distance() == Some(Distance::SquaredEuclidean) { size * size } else { size };
        let scaled_loss = case.scaled_loss(&EUCLIDEAN_FAMILY, false, reach);
        let beta = case.beta.iter().map(|beta| beta * reach).collect();
        let scaled = Case { beta, ..case.map(|x| x * size) };
        Some(Self { losses: [loss, scaled_loss], scaled, size, reach, factor: reach.powi(degree) })
    }

    /// The scaled result, from that of the case.
    pub(crate) fn expected(&self, one: &Evaluation) -> Evaluation {
        changed(scaled_by(one, self.factor, self.size), |expected| {
            expected.mean_positive_distance = one.mean_positive_distance * self.reach;
            expected.mean_negative_distance = one.mean_negative_distance * self.reach;
            expected.gradient_beta.clone_from(&one.gradient_beta);
        })
    }
}

/// The power of the distances with which the loss grows when the margins grow with them; `None`
/// where it is no power.
fn degree(loss: &Loss) -> Option<i32> {
    match loss {
        Loss::Contrastive(Contrastive { power, .. }) => Some(*power as i32),
        Loss::Triplet(Triplet { soft: false, .. }) | Loss::Margin(_) => Some(1),
        Loss::LiftedStructured(LiftedStructured { form: Form::Exact, .. }) => Some(2),
        Loss::NtXent(_) | Loss::SupCon(_) | Loss::Nca(_) | Loss::SmoothAp(_) => Some(0),
        _ => None,
    }
}

/// The result where the loss is `factor` times as large and the coordinates `size` times.
pub(crate) fn scaled_by(evaluation: &Evaluation, factor: f32, size: f32) -> Evaluation {
    let slopes = evaluation.clone().map(|number| number * (factor / size));
    changed(slopes, |scaled| {
        scaled.loss = evaluation.loss * factor;
        let losses = evaluation.per_anchor.as_ref();
        scaled.per_anchor = losses.map(|losses| losses.iter().map(|loss| loss * factor).collect());
    })
}
