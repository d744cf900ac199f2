//! Inputs of every mode, of every kind that is hard for f32, the same on every machine.

use wgpu_metric_learning::{Batch, Contrastive, Distance, Input, Mode, Result, Truth, reference};

/// What the coordinates are like: uniform, of deviation 1 around `offset`, before they are
/// multiplied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Values {
    pub name: &'static str,
    /// Every row stands twice in the world of embeddings and references, but for `noise` times
    /// another row.
    twins: bool,
    noise: f32,
    /// The mean of the coordinates.
    offset: f32,
    /// What the first of every three rows is multiplied by.
    third: f32,
    /// What all are multiplied by.
    scale: f32,
}

const ORDINARY: Values =
    Values { name: "ordinary", twins: false, noise: 0.0, offset: 0.0, third: 1.0, scale: 1.0 };
const TWINS: Values = Values { name: "duplicates", twins: true, ..ORDINARY };
const FAR: f32 = 100.0;

impl Values {
    pub(crate) const ALL: [Self; 12] = [
        ORDINARY,
        TWINS,
        Self { name: "near-duplicates 1e-3", noise: 1e-3, ..TWINS },
        Self { name: "near-duplicates 1e-4", noise: 1e-4, ..TWINS },
        Self { name: "mean 100", offset: FAR, ..ORDINARY },
        Self { name: "mean 100, near-duplicates 1e-3", offset: FAR, noise: 1e-3, ..TWINS },
        Self { name: "mean 100, near-duplicates 1e-4", offset: FAR, noise: 1e-4, ..TWINS },
        Self { name: "zero rows", third: 0.0, ..ORDINARY },
        Self { name: "subnormal", scale: 1e-40, ..ORDINARY },
        Self { name: "some rows subnormal", third: 1e-40, ..ORDINARY },
        Self { name: "magnitude 1e-15", scale: 1e-15, ..ORDINARY },
        Self { name: "magnitude 1e15", scale: 1e15, ..ORDINARY },
    ];

    /// The coordinates of `rows` rows of `d`.
    fn rows(&self, rows: usize, d: usize) -> Vec<f32> {
        let different = if self.twins { rows.div_ceil(2) } else { rows };
        let coordinate = |row: usize, column: usize| {
            let size = self.scale * if row.is_multiple_of(3) { self.third } else { 1.0 };
            let number =
                deviate(BASE, row % different, column) + self.noise * deviate(NOISE, row, column);
            (self.offset + number) * size
        };
        (0..rows * d).map(|at| coordinate(at / d, at % d)).collect()
    }

    /// The deviation of the coordinates.
    pub(crate) fn scale(&self) -> f32 {
        self.scale
    }
}

/// How many rows share a label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Classes {
    /// This number of classes of equal size.
    Balanced(usize),
    /// Every row is its own.
    Distinct,
    /// One class has 13 of 16 rows, three others have one each.
    Giant,
}

impl Classes {
    fn of(self, row: usize) -> usize {
        match self {
            Self::Balanced(classes) => row % classes,
            Self::Distinct => row,
            Self::Giant => (row % 16).saturating_sub(12),
        }
    }

    fn count(self, rows: usize) -> usize {
        match self {
            Self::Balanced(classes) => classes,
            Self::Distinct => rows,
            Self::Giant => 4,
        }
    }

    pub(crate) fn name(self) -> String {
        match self {
            Self::Balanced(1) => "one class".into(),
            Self::Balanced(classes) => format!("{classes} classes"),
            Self::Distinct => "all labels distinct".into(),
            Self::Giant => "one giant class".into(),
        }
    }
}

/// What the terms of anchors are multiplied by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Weights {
    None,
    OfRows,
    OfClasses,
}

impl Weights {
    /// One for every row or entry of a list, or one for every class; some are 0, but not the first, which may be alone.
    fn numbers(self, rows: usize, classes: usize) -> Vec<f32> {
        let count = match self {
            Self::None => 0,
            Self::OfRows => rows,
            Self::OfClasses => classes,
        };
        let thirds = |at| (bits(WEIGHTS, at, 0) % 9).max(u64::from(at == 0));
        (0..count).map(|at| thirds(at) as f32 / 3.0).collect()
    }
}

/// What inputs are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipe {
    pub mode: Mode,
    pub n: usize,
    /// References, in the mode that has them.
    pub m: usize,
    pub d: usize,
    pub classes: Classes,
    /// Prototypes of every class.
    pub centers: usize,
    pub values: Values,
    /// Labels are 0, `u32::MAX`, `u32::MAX` - 1, ... where they are no index.
    pub extreme_labels: bool,
    /// No gradient is asked for with respect to the references.
    pub fixed_references: bool,
    /// The queries are rows of the references, where there are as many.
    pub own_rows: bool,
    /// Of anchors, for losses that take them.
    pub weights: Weights,
}

impl Recipe {
    /// Which reference the first query is, where the queries are rows of the references.
    pub(crate) fn reference_offset(&self) -> Option<usize> {
        let rows_left = self.m.checked_sub(self.n)?;
        (self.own_rows && self.mode == Mode::Reference).then_some(rows_left / 2)
    }

    /// Whether the labels leave no row with a positive and a negative, as most losses need for a
    /// term.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { mode, n, m, classes, .. } = *self;
        let own = self.reference_offset();
        let (others, itself) = match mode {
            Mode::Batch => (n, 1),
            Mode::Reference => (m, usize::from(own.is_some())),
            Mode::Prototypes | Mode::Scores => return classes.count(n) < 2,
            _ => return false,
        };
        let of_class = |class| (0..others).filter(|&row| classes.of(row) == class).count();
        let has_both = |row| (itself + 1..others).contains(&of_class(classes.of(row)));
        let first = own.unwrap_or(0);
        !(first..first + n).any(has_both)
    }
}

/// What one case is evaluated on.
pub(crate) struct Inputs {
    recipe: Recipe,
    /// Embeddings and, after them, references or prototypes.
    rows: Vec<f32>,
    references: usize,
    labels: Vec<u32>,
    reference_labels: Vec<u32>,
    pairs: Vec<[u32; 2]>,
    triplets: Vec<[u32; 3]>,
    same: Vec<u32>,
    /// How similar the rows of pairs should be, with many equals.
    scores: Vec<f32>,
    targets: Vec<f32>,
    truth: Truth,
    betas: Vec<f32>,
    weights: Vec<f32>,
}

impl Inputs {
    /// `labels_are_indices` of prototypes, scores, betas or weights of classes; `truth` is what a pointwise loss
    /// compares with.
    pub(crate) fn new(mut recipe: Recipe, labels_are_indices: bool, truth: Truth) -> Self {
        let Recipe { mode, classes, .. } = recipe;
        if matches!(mode, Mode::PairIndices | Mode::ScoredPairIndices) {
            // One row makes no pair.
            recipe.n = recipe.n.max(2);
        }
        if mode == Mode::Scores {
            recipe.d = classes.count(recipe.n);
        }
        if classes == Classes::Distinct {
            // As many centres in all as other losses have prototypes.
            recipe.n = recipe.n.div_ceil(recipe.centers).max(recipe.n.min(2));
        }
        let Recipe { n, m, d, .. } = recipe;
        let references = match mode {
            Mode::Reference => m,
            Mode::Prototypes => classes.count(n) * recipe.centers,
            Mode::PairRows | Mode::ScoredPairRows => n,
            _ => 0,
        };
        let first = recipe.reference_offset().unwrap_or(0);
        let label = |row| match (classes.of(row) as u32, truth) {
            (class, Truth::Labels) => class % d as u32,
            (class, _) if recipe.extreme_labels && !labels_are_indices => class.wrapping_neg(),
            (class, _) => class,
        };
        let pairs: Vec<_> =
            listed(n).map(|[i, j, _]| [i, if i == j { (j + 1) % n as u32 } else { j }]).collect();
        Self {
            recipe,
            rows: recipe.values.rows(n + references, d),
            references,
            labels: (first..first + n).map(label).collect(),
            reference_labels: (0..references).map(label).collect(),
            same: (0..pairs.len().max(n))
                .map(|at| u32::from(bits(SAME, at, 0).is_multiple_of(3)))
                .collect(),
            scores: (0..pairs.len().max(n))
                .map(|at| (bits(SCORES, at, 0) % 6) as f32 - 2.0)
                .collect(),
            pairs,
            triplets: listed(n).collect(),
            targets: targets(truth, &recipe),
            truth,
            betas: Vec::new(),
            weights: recipe.weights.numbers(2 * n + 5, classes.count(first + n)),
        }
    }

    /// The shape with betas of about this size, one or one for every class.
    pub(crate) fn with_betas(mut self, per_class: bool, size: f32) -> Self {
        let Recipe { n, classes, .. } = self.recipe;
        let rows = self.recipe.reference_offset().unwrap_or(0) + n;
        let count = if per_class { classes.count(rows) } else { 1 };
        self.betas = (0..count).map(|class| (0.8 + 0.1 * (class % 5) as f32) * size).collect();
        self
    }

    /// How large distances between the rows are, so that margins can be of that size.
    pub(crate) fn reach(&self, distance: Distance, normalize: bool) -> Result<f32> {
        const ROWS: usize = 16;
        let d = self.recipe.d;
        let pairs = (self.rows.len() / d - 1).min(ROWS);
        if pairs == 0 {
            return Ok(1.0);
        }
        let [first, second] = [0, d].map(|start| &self.rows[start..start + pairs * d]);
        let neighbours = Batch::pair_rows(first, second, [pairs, d], &[0; ROWS][..pairs])?;
        let loss = Contrastive { distance, normalize, ..Default::default() };
        let mean = reference::evaluate(loss, &neighbours)?.mean_negative_distance;
        Ok(mean.abs().clamp(1e-30, 1e30) as f32)
    }

    pub(crate) fn batch(&self) -> Result<Batch<'_>> {
        let Recipe { mode, n, d, .. } = self.recipe;
        let shape = [n, d];
        let (embeddings, references) = self.rows.split_at(n * d);
        let batch = match mode {
            Mode::Reference => self.with_references(embeddings, references)?,
            Mode::Prototypes => Batch::new(embeddings, shape, &self.labels)?
                .with_prototypes(references, self.references)?,
            Mode::Scores => Batch::scores(embeddings, shape, &self.labels)?,
            Mode::PairRows => Batch::pair_rows(embeddings, references, shape, &self.same[..n])?,
            Mode::PairIndices => {
                Batch::pair_indices(embeddings, shape, &self.pairs, &self.same[..self.pairs.len()])?
            }
            Mode::ScoredPairRows => {
                Batch::scored_pair_rows(embeddings, references, shape, &self.scores[..n])?
            }
            Mode::ScoredPairIndices => {
                let scores = &self.scores[..self.pairs.len()];
                Batch::scored_pair_indices(embeddings, shape, &self.pairs, scores)?
            }
            Mode::Triplets => Batch::triplets(embeddings, shape, &self.triplets)?,
            Mode::Pointwise => self.with_truth(Batch::pointwise(embeddings, shape)?)?,
            _ => Batch::new(embeddings, shape, &self.labels)?,
        };
        let batch = match self.recipe.weights {
            Weights::None => batch,
            Weights::OfRows => {
                let count = batch.shape().with_weights().numbers(Input::Weights);
                batch.with_weights(&self.weights[..count])?
            }
            Weights::OfClasses => batch.with_class_weights(&self.weights)?,
        };
        if self.betas.is_empty() { Ok(batch) } else { batch.with_beta(&self.betas) }
    }

    fn with_references<'a>(
        &'a self,
        embeddings: &'a [f32],
        references: &'a [f32],
    ) -> Result<Batch<'a>> {
        let Recipe { n, d, fixed_references, .. } = self.recipe;
        let against = |queries| {
            Batch::new(queries, [n, d], &self.labels)?.with_references(
                references,
                self.references,
                &self.reference_labels,
            )
        };
        let batch = match self.recipe.reference_offset() {
            Some(first) => {
                against(&references[first * d..][..n * d])?.with_reference_offset(first)?
            }
            None => against(embeddings)?,
        };
        Ok(if fixed_references { batch.with_fixed_references() } else { batch })
    }

    fn with_truth<'a>(&'a self, batch: Batch<'a>) -> Result<Batch<'a>> {
        match self.truth {
            Truth::Labels => batch.with_labels(&self.labels),
            Truth::Targets | Truth::Signs => batch.with_targets(&self.targets),
            _ => Ok(batch),
        }
    }
}

fn targets(truth: Truth, &Recipe { n, d, values, .. }: &Recipe) -> Vec<f32> {
    let places = (0..n * d).map(|at| deviate(TARGETS, at / d, at % d));
    match truth {
        Truth::Targets => places.map(|number| (values.offset + number) * values.scale).collect(),
        Truth::Signs => places.map(|number| 1_f32.copysign(number)).collect(),
        _ => Vec::new(),
    }
}

/// Triplets of rows, more than there are rows; row 0 is in more than half of them.
fn listed(n: usize) -> impl Iterator<Item = [u32; 3]> {
    let row = move |at: usize, place: usize| match bits(LISTED, at, place) {
        hub if hub.is_multiple_of(4) => 0,
        other => ((other >> 32) % n as u64) as u32,
    };
    (0..2 * n + 5).map(move |at| [0, 1, 2].map(|place| row(at, place)))
}

// What random numbers are for.
const BASE: u64 = 1;
const NOISE: u64 = 2;
const TARGETS: u64 = 3;
const SAME: u64 = 4;
const LISTED: u64 = 5;
const SCORES: u64 = 7;
const WEIGHTS: u64 = 8;

/// Uniform, with mean 0 and deviation 1.
fn deviate(purpose: u64, row: usize, column: usize) -> f32 {
    const HALF_WIDTH: f32 = 1.732_050_8;
    let fraction = (bits(purpose, row, column) >> 40) as f32 / (1 << 23) as f32;
    (fraction - 1.0) * HALF_WIDTH
}

/// Random bits without a state.
pub(crate) fn bits(purpose: u64, row: usize, column: usize) -> u64 {
    mixed(mixed(mixed(purpose) ^ row as u64) ^ column as u64)
}

/// splitmix64 of Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA
/// 2014.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
