//! Inputs for every loss and mode, made from a few words.

use wgpu_metric_learning::{Batch, Input, Loss, Margin, Mode, Result, Truth};

/// How many rows share a label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Layout {
    /// This number of classes, one row after the other.
    Balanced(usize),
    /// Every row is a class of its own.
    Distinct,
    /// One class with nearly all rows; every eighth row is one of three others.
    Giant,
}

impl Layout {
    pub const ALL: [Self; 6] = [
        Self::Balanced(5),
        Self::Balanced(1),
        Self::Balanced(2),
        Self::Distinct,
        Self::Giant,
        Self::Balanced(17),
    ];

    fn class(self, row: usize) -> usize {
        match self {
            Self::Balanced(classes) => row % classes,
            Self::Distinct => row,
            Self::Giant if row % 8 == 7 => 1 + row / 8 % 3,
            Self::Giant => 0,
        }
    }

    fn classes(self, rows: usize) -> usize {
        match self {
            Self::Balanced(classes) => classes,
            Self::Distinct => rows,
            Self::Giant => 4,
        }
    }
}

/// What the coordinates are like. Ordinary ones lie within 1 / sqrt(D) of 0, so that distances are
/// about 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Values {
    Ordinary,
    /// Rows of which only a third are different.
    Duplicates,
    /// Pairs of rows that differ by this part.
    Near(f32),
    /// Pairs as in `Near`, far from the origin: at a hundred times their own size.
    NearFar(f32),
    /// Every third row is 0.
    ZeroRows,
    /// Everything times this.
    Scaled(f32),
    /// Row r times 1, 1e-8, 1e-16, 1e-24 in turn.
    Mixed,
}

impl Values {
    /// What is hard for f32, as every engine has to hold it.
    pub const HARD: [Self; 11] = [
        Self::Duplicates,
        Self::Near(1e-3),
        Self::Near(1e-4),
        Self::NearFar(1e-3),
        Self::NearFar(1e-4),
        Self::ZeroRows,
        Self::Scaled(1e-15),
        Self::Scaled(1e15),
        Self::Scaled(1e-25),
        Self::Scaled(1e25),
        Self::Scaled(1e-40),
    ];

    /// How large ordinary coordinates have become.
    pub fn magnitude(self) -> f32 {
        match self {
            Self::Scaled(factor) => factor,
            _ => 1.0,
        }
    }
}

/// The sizes and the kind of a sample.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    pub n: usize,
    /// Rows of the references.
    pub m: usize,
    pub d: usize,
    pub layout: Layout,
    pub values: Values,
    /// Whether labels that are no index are 0, u32::MAX, u32::MAX - 1, ...
    pub extreme_labels: bool,
}

/// Inputs of every mode.
pub struct Sample {
    n: usize,
    m: usize,
    d: usize,
    classes: usize,
    embeddings: Vec<f32>,
    references: Vec<f32>,
    prototypes: Vec<f32>,
    /// Three for every class.
    centers: Vec<f32>,
    scores: Vec<f32>,
    /// The class of each embedding, as an index.
    class: Vec<u32>,
    /// The labels of the embeddings and of the references, not as indices.
    labels: [Vec<u32>; 2],
    beta: Vec<f32>,
    scale: f32,
    bias: f32,
    /// The pairs of the embeddings; row 0 is in every third pair or triplet.
    pairs: Vec<[u32; 2]>,
    triplets: Vec<[u32; 3]>,
    same: Vec<u32>,
    /// The targets of pairs; many are equal, and 0 is so with -0.
    pair_targets: Vec<f32>,
    /// The targets of the pointwise losses; beside them a column for every row.
    targets: Vec<f32>,
    signs: Vec<f32>,
    columns: Vec<u32>,
    /// Of rows, or of what is listed; some are 0.
    weights: Vec<f32>,
    class_weights: Vec<f32>,
}

impl Sample {
    pub fn new(recipe: Recipe) -> Self {
        let Recipe { n, m, d, layout, values, extreme_labels } = recipe;
        let classes = layout.classes(n);
        // One world for all sets, so that a row may have its duplicate in another one.
        let world = rows(n + m + classes, d, values);
        let class: Vec<_> = (0..n.max(m)).map(|row| layout.class(row) as u32).collect();
        let name = |&class: &u32| if extreme_labels { class.wrapping_neg() } else { class };
        let magnitude = values.magnitude();
        let beta = |class| (1.0 + (class % 7) as f32 / 10.0) * magnitude;
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
            m,
            d,
            classes,
            embeddings: world[..n * d].to_vec(),
            references: world[n * d..(n + m) * d].to_vec(),
            prototypes: world[(n + m) * d..].to_vec(),
            centers: rows(3 * classes, d, values),
            scores: rows(n, classes, values),
            labels: [n, m].map(|count| class[..count].iter().map(name).collect()),
            class: class[..n].to_vec(),
            beta: (0..classes).map(beta).collect(),
            scale: (2.5 / magnitude).min(1e30),
            bias: -1.5,
            // One row makes no pair.
            pairs: if n > 1 { (0..listed).map(pair).collect() } else { Vec::new() },
            triplets: (0..listed).map(|at| [row(at, 5), row(at + 1, 3), row(at + 2, 11)]).collect(),
            targets: world[..n * d].iter().rev().copied().collect(),
            signs: (0..n * d).map(|at| if at * at % 7 < 3 { -1.0 } else { 1.0 }).collect(),
            weights: (0..listed).map(|row| (row * row % 7) as f32 / 3.0).collect(),
            class_weights: (0..classes).map(|class| (class * 3 % 5) as f32 * 0.7).collect(),
            columns: (0..n).map(|row| (row * row % d) as u32).collect(),
            same: (0..listed as u32).map(|at| u32::from(at % 5 < 2)).collect(),
            pair_targets: (0..listed)
                .map(|at| [-0.0, 3.5, 1e-40, -2.0, 0.0, 1e30, 3.5][at * at % 11 % 7])
                .collect(),
        }
    }

    /// A batch for every mode that the loss has, in the order of its modes; none of listed pairs
    /// where the sample has no pairs, and where the loss has a scale one more in the last mode, with
    /// the scale and the bias given that it has.
    pub fn batches(&self, loss: &Loss) -> Vec<Batch<'_>> {
        let modes = loss.modes().iter();
        let is_of_pairs = |mode| matches!(mode, Mode::PairIndices | Mode::ScoredPairIndices);
        let modes = modes.filter(|&&mode| !is_of_pairs(mode) || !self.pairs.is_empty());
        let with_scale = || {
            let last = *loss.modes().last().expect("every loss has a mode");
            let batch = self.batch_in(last, loss)?.with_scale(&self.scale)?;
            if loss.has_bias() { batch.with_bias(&self.bias) } else { Ok(batch) }
        };
        let with_scale = loss.has_scale().then(with_scale);
        let batches = modes.map(|&mode| self.batch_in(mode, loss)).chain(with_scale);
        let batches: Result<Vec<_>> = batches.collect();
        batches.unwrap_or_else(|error| panic!("{loss:?}: {error}"))
    }

    /// The same batches with a weight for every row, pair or triplet, where they can have any, and
    /// one more with those of classes, where the last of them has labels that are classes.
    pub fn weighted_batches(&self, loss: &Loss) -> Vec<Batch<'_>> {
        if !loss.takes_weights() {
            return Vec::new();
        }
        let batches = self.batches(loss).into_iter();
        let mut batches: Vec<_> =
            batches.filter_map(|batch| batch.with_weights(self.weights_of(&batch)).ok()).collect();
        let last = batches.iter().rev().find(|batch| batch.shape().listed() == 0).copied();
        batches.extend(last.and_then(|last| last.with_class_weights(&self.class_weights).ok()));
        batches
    }

    /// As many weights as the batch takes.
    fn weights_of(&self, batch: &Batch) -> &[f32] {
        &self.weights[..batch.shape().with_weights().numbers(Input::Weights)]
    }

    fn batch_in(&self, mode: Mode, loss: &Loss) -> Result<Batch<'_>> {
        let per_class = matches!(loss, Loss::Margin(Margin { beta_per_class: true, .. }));
        let labels = if per_class { &self.class } else { &self.labels[0] };
        let batch = match mode {
            Mode::Batch => self.rows(labels),
            Mode::Reference => self.with_references(labels),
            Mode::Prototypes => self.prototypes(loss.centers_per_class()),
            Mode::Scores => self.scores(),
            Mode::PairRows => self.pair_rows(),
            Mode::PairIndices => {
                Batch::pair_indices(&self.embeddings, [self.n, self.d], &self.pairs, &self.same)
            }
            Mode::ScoredPairRows => {
                let [embeddings, references, pairs] = self.aligned();
                let shape = [pairs.len(), self.d];
                Batch::scored_pair_rows(embeddings, references, shape, pairs)
            }
            Mode::ScoredPairIndices => {
                let shape = [self.n, self.d];
                Batch::scored_pair_indices(&self.embeddings, shape, &self.pairs, &self.pair_targets)
            }
            Mode::Triplets => self.triplets(),
            Mode::Pointwise => self.pointwise(loss.truth()),
            other => panic!("no sample in {} mode", other.name()),
        };
        if per_class { batch?.with_beta(&self.beta) } else { batch }
    }

    pub fn embeddings(&self) -> &[f32] {
        &self.embeddings
    }

    pub fn references(&self) -> &[f32] {
        &self.references
    }

    fn rows<'a>(&'a self, labels: &'a [u32]) -> Result<Batch<'a>> {
        Batch::new(&self.embeddings, [self.n, self.d], labels)
    }

    fn with_references<'a>(&'a self, labels: &'a [u32]) -> Result<Batch<'a>> {
        self.rows(labels)?.with_references(&self.references, self.m, &self.labels[1])
    }

    fn pointwise(&self, truth: Truth) -> Result<Batch<'_>> {
        let batch = Batch::pointwise(&self.embeddings, [self.n, self.d])?;
        match truth {
            Truth::Targets => batch.with_targets(&self.targets),
            Truth::Signs => batch.with_targets(&self.signs),
            Truth::Labels => batch.with_labels(&self.columns),
            _ => Ok(batch),
        }
    }

    fn pair_rows(&self) -> Result<Batch<'_>> {
        let [embeddings, references, pairs] = self.aligned();
        let count = pairs.len();
        Batch::pair_rows(embeddings, references, [count, self.d], &self.same[..count])
    }

    /// As many rows of both sets as can be pairs, and the targets of these.
    fn aligned(&self) -> [&[f32]; 3] {
        let pairs = self.n.min(self.m);
        let [embeddings, references] =
            [&self.embeddings, &self.references].map(|rows| &rows[..pairs * self.d]);
        [embeddings, references, &self.pair_targets[..pairs]]
    }

    fn triplets(&self) -> Result<Batch<'_>> {
        Batch::triplets(&self.embeddings, [self.n, self.d], &self.triplets)
    }

    fn prototypes(&self, centers_per_class: usize) -> Result<Batch<'_>> {
        let count = self.classes * centers_per_class;
        let prototypes = match centers_per_class {
            1 => &self.prototypes[..],
            _ => &self.centers[..count * self.d],
        };
        self.rows(&self.class)?.with_prototypes(prototypes, count)
    }

    fn scores(&self) -> Result<Batch<'_>> {
        Batch::scores(&self.scores, [self.n, self.classes], &self.class)
    }
}

fn rows(count: usize, d: usize, values: Values) -> Vec<f32> {
    let size = 1.0 / (d as f32).sqrt();
    let ordinary = Random(1).numbers(count * d, size);
    let noise = Random(2).numbers(count * d, size);
    let repeated = |index: usize, different: usize| ordinary[index / d % different * d + index % d];
    let number = |index: usize| match values {
        Values::Ordinary => ordinary[index],
        Values::Duplicates => repeated(index, count.div_ceil(3)),
        Values::Near(part) => repeated(index, count.div_ceil(2)) + part * noise[index],
        Values::NearFar(part) => {
            100.0 * size + repeated(index, count.div_ceil(2)) + part * noise[index]
        }
        Values::ZeroRows => ordinary[index] * f32::from(u8::from(!(index / d).is_multiple_of(3))),
        Values::Scaled(factor) => ordinary[index] * factor,
        Values::Mixed => ordinary[index] * [1.0, 1e-8, 1e-16, 1e-24][index / d % 4],
    };
    (0..count * d).map(number).collect()
}

/// A generator of numbers, the same on every machine.
pub struct Random(pub u64);

impl Random {
    /// Numbers between -`size` and `size`.
    pub fn numbers(&mut self, count: usize, size: f32) -> Vec<f32> {
        (0..count).map(|_| self.number() * size).collect()
    }

    fn number(&mut self) -> f32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}
