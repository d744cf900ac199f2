//! What is timed: losses in the settings that the benchmarks of other implementations have, on
//! random rows or those of files.

use std::path::Path;

use wgpu_metric_learning::{Batch, Loss, Mode, Shape};

use crate::{Error, Result, descriptions, files, objective};

/// A loss under the name that its points are listed by.
pub(crate) struct Subject {
    pub name: String,
    pub loss: Loss,
}

impl Subject {
    /// The subjects that `text` names: all that are benchmarked, or losses over pairs, as
    /// `evaluate` takes them, with commas between names.
    pub(crate) fn parse(text: &str) -> Result<Vec<Self>> {
        if text == "all" {
            let all = objective::benchmarked().into_iter();
            return Ok(all.map(|(name, loss)| Self { name: name.into(), loss }).collect());
        }
        match text.trim().starts_with(['{', '[', '@']) {
            true => Ok(vec![Self::one(text)?]),
            false => text.split(',').map(Self::one).collect(),
        }
    }

    fn one(text: &str) -> Result<Self> {
        let problem = |problem| Error::option("--objective", problem);
        let objective = objective::parse(text)?;
        if objective.is_sum {
            return Err(problem("a sum cannot be timed, only one loss".to_owned()));
        }
        let weighted = &objective.losses[0];
        let loss = weighted.loss.clone();
        let Some(mode) = mode_of(&loss) else {
            return Err(problem(format!("{} has no pairs of a batch to time", loss.name())));
        };
        weighted.check(mode)?;
        let name = match text.trim().strip_prefix(objective::BENCHMARKED) {
            Some(name) => objective::find_benchmarked(name).map_err(problem)?.0.into(),
            None => descriptions::describe(&loss),
        };
        Ok(Self { name, loss })
    }

    /// What of its inputs the loss takes: whether it compares rows with prototypes.
    pub(crate) fn takes_prototypes(&self) -> bool {
        mode_of(&self.loss) == Some(Mode::Prototypes)
    }
}

/// The mode that a loss is timed in, if it has pairs; two towers are the same rows, and scored pairs
/// are those of a row with the next one.
fn mode_of(loss: &Loss) -> Option<Mode> {
    let timed = [Mode::Batch, Mode::Prototypes, Mode::Reference, Mode::ScoredPairRows];
    timed.into_iter().find(|mode| loss.modes().contains(mode))
}

/// Rows with their labels, and a prototype for every class.
pub(crate) struct Inputs {
    pub n: usize,
    pub d: usize,
    embeddings: Vec<f32>,
    labels: Vec<u32>,
    /// Every row's next one, and how similar they should be: a mark from 0 to 5.
    next: Vec<f32>,
    marks: Vec<f32>,
    prototypes: Vec<f32>,
    /// How many classes random prototypes are of: a loss takes as many as it has centres.
    classes: Option<usize>,
}

/// Random prototypes of every class.
const CENTERS: usize = 10;

/// The shape of a loss on `n` random rows of `d` numbers.
pub(crate) fn shape(loss: &Loss, n: usize, d: usize, class_size: usize) -> Shape {
    match mode_of(loss) {
        Some(Mode::Prototypes) => {
            let prototypes = classes(n, class_size) * loss.centers_per_class();
            Shape::prototypes(n, prototypes, d).with_fixed_references()
        }
        Some(Mode::Reference) => Shape::reference(n, n, d),
        Some(Mode::ScoredPairRows) => Shape::scored_pair_rows(n, d).with_fixed_references(),
        _ => Shape::batch(n, d),
    }
}

/// How many classes there are among random rows.
fn classes(n: usize, class_size: usize) -> usize {
    (n / class_size).max(1)
}

impl Inputs {
    /// Standard normal rows divided by their norms; labels are i modulo the number of classes.
    pub(crate) fn random(n: usize, d: usize, class_size: usize) -> Self {
        let classes = classes(n, class_size);
        let mut random = Random(1);
        let [embeddings, prototypes] = [n, CENTERS * classes].map(|rows| random.unit_rows(rows, d));
        let labels = (0..n).map(|row| (row % classes) as u32).collect();
        Self::of([n, d], embeddings, labels, prototypes, Some(classes))
    }

    fn of(
        [n, d]: [usize; 2],
        embeddings: Vec<f32>,
        labels: Vec<u32>,
        prototypes: Vec<f32>,
        classes: Option<usize>,
    ) -> Self {
        let mut next = embeddings.clone();
        next.rotate_left(d.min(embeddings.len()));
        let marks = labels.iter().map(|label| (label % 6) as f32).collect();
        Self { n, d, embeddings, labels, next, marks, prototypes, classes }
    }

    pub(crate) fn read(
        embeddings: &Path,
        labels: &Path,
        prototypes: Option<&Path>,
    ) -> Result<Self> {
        let rows = files::read_matrix(embeddings)?;
        let labels = files::read_labels(labels)?.labels;
        let (prototypes, classes) = match prototypes {
            Some(path) => (read_prototypes(path, rows.columns)?, None),
            None => {
                // As many as the largest label says.
                let classes = labels.iter().max().map_or(1, |&label| label as usize + 1);
                let classes = classes.min(rows.rows.max(1));
                (Random(2).unit_rows(CENTERS * classes, rows.columns), Some(classes))
            }
        };
        let (n, d) = (rows.rows, rows.columns);
        Ok(Self::of([n, d], rows.values.into(), labels, prototypes, classes))
    }

    /// The batch of these inputs, as the loss takes it.
    pub(crate) fn batch(&self, loss: &Loss) -> Result<Batch<'_>> {
        let batch = Batch::new(&self.embeddings, [self.n, self.d], &self.labels)?;
        match mode_of(loss) {
            Some(Mode::Prototypes) => {
                let all = self.prototypes.len() / self.d;
                let own = self.classes.map(|classes| classes * loss.centers_per_class());
                let count = own.unwrap_or(all).min(all);
                let prototypes = &self.prototypes[..count * self.d];
                Ok(batch.with_prototypes(prototypes, count)?.with_fixed_references())
            }
            Some(Mode::Reference) => {
                Ok(batch.with_references(&self.embeddings, self.n, &self.labels)?)
            }
            Some(Mode::ScoredPairRows) => {
                let shape = [self.n, self.d];
                let pairs =
                    Batch::scored_pair_rows(&self.embeddings, &self.next, shape, &self.marks)?;
                Ok(pairs.with_fixed_references())
            }
            _ => Ok(batch),
        }
    }
}

fn read_prototypes(path: &Path, d: usize) -> Result<Vec<f32>> {
    let rows = files::read_matrix(path)?;
    match rows.columns == d {
        true => Ok(rows.values.into()),
        false => Err(Error::file(
            path,
            format!("expected {d} columns, as the embeddings have, found {}", rows.columns),
        )),
    }
}

/// A splitmix64 generator.
struct Random(u64);

impl Random {
    /// The next random number, in (0, 1].
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Box and Muller's transform.
    fn normal(&mut self) -> f32 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        (radius * (std::f64::consts::TAU * self.uniform()).cos()) as f32
    }

    fn unit_rows(&mut self, rows: usize, d: usize) -> Vec<f32> {
        let mut values: Vec<f32> = (0..rows * d).map(|_| self.normal()).collect();
        for row in values.chunks_mut(d) {
            let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
            row.iter_mut().for_each(|x| *x /= norm);
        }
        values
    }
}
