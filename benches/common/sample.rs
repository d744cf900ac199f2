//! Inputs for every loss in every mode, the same on every machine.

use wgpu_metric_learning::{Batch, Loss, Mode, Result, Truth};

/// Inputs of every mode, with coordinates within 1 / sqrt(D) of 0, so that distances are about 1.
pub(crate) struct Sample {
    n: usize,
    d: usize,
    classes: usize,
    pub embeddings: Vec<f32>,
    pub references: Vec<f32>,
    prototypes: Vec<f32>,
    /// Ten for every class.
    centers: Vec<f32>,
    scores: Vec<f32>,
    /// Of the embeddings and of the references.
    labels: Vec<u32>,
    /// Of the embeddings; row 0 is in every third pair or triplet.
    pairs: Vec<[u32; 2]>,
    triplets: Vec<[u32; 3]>,
    same: Vec<u32>,
    pair_targets: Vec<f32>,
    /// For the pointwise losses: targets, and a column for every row.
    targets: Vec<f32>,
    signs: Vec<f32>,
    columns: Vec<u32>,
}

impl Sample {
    /// As many embeddings as references, one class after the other.
    pub(crate) fn new(n: usize, d: usize, classes: usize) -> Self {
        let rows = Random(1).numbers((2 * n + classes) * d, size(d));
        let listed = 2 * n + 5;
        let row = |at: usize, step: usize| {
            if at.is_multiple_of(3) { 0 } else { (at * step + step) as u32 % n as u32 }
        };
        let pair = |at: usize| {
            let [i, j] = [row(at, 1), row(at + 1, 7)];
            [i, if i == j { (j + 1) % n as u32 } else { j }]
        };
        Self {
            n,
            d,
            classes,
            embeddings: rows[..n * d].to_vec(),
            references: rows[n * d..2 * n * d].to_vec(),
            prototypes: rows[2 * n * d..].to_vec(),
            centers: Random(2).numbers(10 * classes * d, size(d)),
            scores: Random(1).numbers(n * classes, size(classes)),
            labels: (0..n).map(|row| (row % classes) as u32).collect(),
            pairs: (0..listed).map(pair).collect(),
            triplets: (0..listed).map(|at| [row(at, 5), row(at + 1, 3), row(at + 2, 11)]).collect(),
            targets: rows[..n * d].iter().rev().copied().collect(),
            signs: (0..n * d).map(|at| if at * at % 7 < 3 { -1.0 } else { 1.0 }).collect(),
            columns: (0..n).map(|row| (row * row % d) as u32).collect(),
            same: (0..listed as u32).map(|at| u32::from(at % 5 < 2)).collect(),
            pair_targets: Random(3).numbers(listed, 1.0),
        }
    }

    /// A batch for every mode that the loss has, in the order of its modes.
    pub(crate) fn batches(&self, loss: &Loss) -> Result<Vec<Batch<'_>>> {
        loss.modes().iter().map(|&mode| self.batch_in(mode, loss)).collect()
    }

    fn batch_in(&self, mode: Mode, loss: &Loss) -> Result<Batch<'_>> {
        let Self { embeddings, n, d, same, .. } = self;
        let shape = [*n, *d];
        let rows = || Batch::new(embeddings, shape, &self.labels);
        match mode {
            Mode::Batch => rows(),
            Mode::Reference => rows()?.with_references(&self.references, *n, &self.labels),
            Mode::Prototypes if loss.centers_per_class() > 1 => {
                let count = self.classes * loss.centers_per_class();
                rows()?.with_prototypes(&self.centers[..count * d], count)
            }
            Mode::Prototypes => rows()?.with_prototypes(&self.prototypes, self.classes),
            Mode::Scores => Batch::scores(&self.scores, [*n, self.classes], &self.labels),
            Mode::PairRows => Batch::pair_rows(embeddings, &self.references, shape, &same[..*n]),
            Mode::PairIndices => Batch::pair_indices(embeddings, shape, &self.pairs, same),
            Mode::ScoredPairRows => {
                Batch::scored_pair_rows(embeddings, &self.references, shape, &self.targets[..*n])
            }
            Mode::ScoredPairIndices => {
                Batch::scored_pair_indices(embeddings, shape, &self.pairs, &self.pair_targets)
            }
            Mode::Triplets => Batch::triplets(embeddings, shape, &self.triplets),
            Mode::Pointwise => {
                let values = Batch::pointwise(embeddings, shape)?;
                match loss.truth() {
                    Truth::Targets => values.with_targets(&self.targets),
                    Truth::Signs => values.with_targets(&self.signs),
                    Truth::Labels => values.with_labels(&self.columns),
                    _ => Ok(values),
                }
            }
            other => panic!("no sample in {} mode", other.name()),
        }
    }
}

/// How far from 0 coordinates of rows with so many may lie.
fn size(columns: usize) -> f32 {
    1.0 / (columns as f32).sqrt()
}

/// A generator of numbers, the same on every machine.
pub(crate) struct Random(pub u64);

impl Random {
    /// Numbers between -`size` and `size`.
    pub(crate) fn numbers(&mut self, count: usize, size: f32) -> Vec<f32> {
        (0..count).map(|_| self.number() * size).collect()
    }

    fn number(&mut self) -> f32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}
