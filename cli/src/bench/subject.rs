//! What is timed: losses in the settings that the benchmarks of other implementations have, on
//! random rows or those of files.

use std::path::Path;

use wgpu_metric_learning::{
    Batch, Contrastive, LiftedStructured, Loss, Margin, Mining, Mode, MultiMargin, NtXent,
    Reduction, SupCon, Triplet,
};

use crate::{Error, Result, npy, objective};

/// A loss under the name that its points are listed by.
pub struct Subject {
    pub name: String,
    pub loss: Loss,
}

impl Subject {
    /// All, one by its name, or any loss over the pairs of a batch.
    pub fn parse(text: &str) -> Result<Vec<Self>> {
        let mut known = all();
        if text == "all" {
            return Ok(known);
        }
        if let Some(at) = known.iter().position(|subject| subject.name == text) {
            return Ok(vec![known.swap_remove(at)]);
        }
        let objective = objective::parse(text)?;
        if objective.is_sum {
            return Err(Error::option("--objective", "a sum cannot be timed, only one loss"));
        }
        let loss = objective.losses[0].loss.clone();
        if !loss.modes().iter().any(|mode| matches!(mode, Mode::Batch | Mode::Prototypes)) {
            return Err(Error::option(
                "--objective",
                format!("{} has no pairs of a batch to time", loss.name()),
            ));
        }
        Ok(vec![Self { name: objective::describe(&loss), loss }])
    }
}

fn all() -> Vec<Subject> {
    let reduction = Reduction::MeanNonZero;
    let triplet = |mining| Triplet { margin: 0.2, mining, reduction, ..Default::default() };
    let all: [(&str, Loss); 8] = [
        ("contrastive", Contrastive { power: 1, reduction, ..Default::default() }.into()),
        ("triplet_all", triplet(Mining::All).into()),
        ("triplet_hard", triplet(Mining::Hard).into()),
        ("lifted", LiftedStructured::default().into()),
        ("multi_margin", MultiMargin { divide_by_classes: true, ..Default::default() }.into()),
        ("margin", Margin::default().into()),
        ("ntxent", NtXent::default().into()),
        ("supcon", SupCon::default().into()),
    ];
    all.map(|(name, loss)| Subject { name: name.into(), loss }).into()
}

/// Rows with their labels, and a prototype for every class.
pub struct Inputs {
    pub n: usize,
    pub d: usize,
    embeddings: Vec<f32>,
    labels: Vec<u32>,
    prototypes: Vec<f32>,
}

impl Inputs {
    /// Standard normal rows divided by their norms; labels are i modulo the number of classes.
    pub fn random(n: usize, d: usize, class_size: usize) -> Self {
        let classes = (n / class_size).max(1);
        let mut random = Random(1);
        let [embeddings, prototypes] = [n, classes].map(|rows| random.unit_rows(rows, d));
        let labels = (0..n).map(|row| (row % classes) as u32).collect();
        Self { n, d, embeddings, labels, prototypes }
    }

    pub fn read(embeddings: &Path, labels: &Path, prototypes: Option<&Path>) -> Result<Self> {
        let rows = npy::read_matrix(embeddings)?;
        let labels: Vec<u32> = npy::read_vector(labels)?;
        let prototypes = match prototypes {
            Some(path) => read_prototypes(path, rows.columns)?,
            None => {
                // As many as the largest label says.
                let classes = labels.iter().max().map_or(1, |&label| label as usize + 1);
                Random(2).unit_rows(classes.min(rows.rows.max(1)), rows.columns)
            }
        };
        Ok(Self { n: rows.rows, d: rows.columns, embeddings: rows.values, labels, prototypes })
    }

    /// As the loss takes them.
    pub fn batch(&self, loss: &Loss) -> Result<Batch<'_>> {
        let batch = Batch::new(&self.embeddings, [self.n, self.d], &self.labels)?;
        if loss.modes().contains(&Mode::Batch) {
            return Ok(batch);
        }
        Ok(batch
            .with_prototypes(&self.prototypes, self.prototypes.len() / self.d)?
            .with_fixed_references())
    }
}

fn read_prototypes(path: &Path, d: usize) -> Result<Vec<f32>> {
    let rows = npy::read_matrix(path)?;
    match rows.columns == d {
        true => Ok(rows.values),
        false => Err(Error::file(
            path,
            format!("expected {d} columns, as the embeddings have, found {}", rows.columns),
        )),
    }
}

/// A splitmix64 generator.
struct Random(u64);

impl Random {
    /// In (0, 1].
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
