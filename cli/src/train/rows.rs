//! The rows that are trained on, and those that are held out.

use std::collections::HashMap;
use std::path::Path;

use wgpu_metric_learning::Batch;

use super::Data;
use crate::digits::Digits;
use crate::{Error, Result, files};

/// Rows of one width, and their labels.
pub(super) struct Rows {
    pub columns: usize,
    pub values: Vec<f32>,
    pub labels: Vec<u32>,
    /// What the terms of each are multiplied by, where files say so.
    pub weights: Option<Vec<f32>>,
    /// What the labels stand for; nothing where they are the numbers of the file.
    pub classes: Vec<String>,
    /// Where each is in its file.
    pub numbers: Vec<usize>,
}

impl Rows {
    pub(super) fn batch<'a>(&'a self, values: &'a [f32], columns: usize) -> Result<Batch<'a>> {
        Ok(Batch::new(values, [self.labels.len(), columns], &self.labels)?)
    }

    /// A checksum of them, by which others are told from them.
    pub(super) fn checksum(&self) -> u32 {
        let mut sum = crc32fast::Hasher::new();
        sum.update(bytemuck::cast_slice(&self.values));
        sum.update(bytemuck::cast_slice(&self.labels));
        sum.update(bytemuck::cast_slice(self.weights.as_deref().unwrap_or_default()));
        sum.finalize()
    }

    /// Takes those rows out for which `is_taken` says so.
    fn split(self, is_taken: &[bool]) -> [Self; 2] {
        let columns = self.columns;
        [false, true].map(|side| {
            let rows = (0..self.labels.len()).filter(|&row| is_taken[row] == side);
            let values = rows.clone().flat_map(|row| &self.values[row * columns..][..columns]);
            let values = values.copied().collect();
            let labels = rows.clone().map(|row| self.labels[row]).collect();
            let of_rows = |weights: &Vec<f32>| rows.clone().map(|row| weights[row]).collect();
            let weights = self.weights.as_ref().map(of_rows);
            let numbers = rows.clone().map(|row| self.numbers[row]).collect();
            Self { columns, values, labels, weights, classes: self.classes.clone(), numbers }
        })
    }
}

/// The rows to train on and those to measure.
pub(super) fn rows(data: &Data) -> Result<[Rows; 2]> {
    let (Some(embeddings), Some(labels)) = (&data.embeddings, &data.labels) else {
        let digits = Digits::load()?;
        let batch = digits.rows()?;
        let rows = Rows {
            columns: batch.shape().dimensions(),
            values: batch.embeddings().to_vec(),
            labels: batch.labels().to_vec(),
            weights: None,
            classes: Vec::new(),
            numbers: (0..batch.labels().len()).collect(),
        };
        let is_measured: Vec<_> = (0..rows.labels.len()).map(|row| row >= DIGITS_TRAINED).collect();
        return Ok(rows.split(&is_measured));
    };
    let matrix = files::read_matrix(embeddings)?;
    let named = files::read_labels(labels)?;
    if named.labels.len() != matrix.rows {
        let (found, rows) = (named.labels.len(), matrix.rows);
        return Err(Error::file(labels, format!("has {found} labels for {rows} embeddings")));
    }
    let is_measured = spread(&named.labels, data.validation);
    let rows = Rows {
        columns: matrix.columns,
        values: matrix.values.into(),
        weights: weights(data, &named.labels)?,
        labels: named.labels,
        classes: named.classes,
        numbers: (0..matrix.rows).collect(),
    };
    Ok(rows.split(&is_measured))
}

/// The weight of every row that has one of these labels, where files say so.
fn weights(data: &Data, labels: &[u32]) -> Result<Option<Vec<f32>>> {
    if let Some(path) = &data.weights {
        let weights = read_weights(path)?;
        if weights.len() != labels.len() {
            let (found, rows) = (weights.len(), labels.len());
            return Err(Error::file(path, format!("has {found} weights for {rows} embeddings")));
        }
        return Ok(Some(weights));
    }
    let Some(path) = &data.class_weights else { return Ok(None) };
    let weights = read_weights(path)?;
    let of_label = |&label: &u32| {
        let missing = || format!("has {} weights, and none for the label {label}", weights.len());
        weights.get(label as usize).copied().ok_or_else(|| Error::file(path, missing()))
    };
    labels.iter().map(of_label).collect::<Result<_>>().map(Some)
}

fn read_weights(path: &Path) -> Result<Vec<f32>> {
    let weights = files::read_numbers(path)?;
    match weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
        None => Ok(weights),
        Some(at) => {
            let problem = format!("weight {at} is {}, allowed is a finite one from 0", weights[at]);
            Err(Error::file(path, problem))
        }
    }
}

const DIGITS_TRAINED: usize = 1000;

/// Which rows are taken so that of each class it is this share, spread evenly.
fn spread(labels: &[u32], share: f64) -> Vec<bool> {
    let mut seen: HashMap<u32, f64> = HashMap::new();
    let taken = |label: &u32| {
        let before = seen.entry(*label).or_default();
        *before += 1.0;
        (*before * share).floor() > ((*before - 1.0) * share).floor()
    };
    labels.iter().map(taken).collect()
}

/// How many classes have two rows or more.
pub(super) fn classes(labels: &[u32]) -> usize {
    let mut rows: HashMap<u32, usize> = HashMap::new();
    labels.iter().for_each(|&label| *rows.entry(label).or_default() += 1);
    rows.values().filter(|&&rows| rows > 1).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_each_class_is_spread() {
        let labels: Vec<u32> = (0..30).map(|row| u32::from(row % 3 == 0)).collect();
        let taken = spread(&labels, 0.3);
        let of = |class| (0..30).filter(|&row| taken[row] && labels[row] == class).count();
        assert_eq!([of(0), of(1)], [6, 3]);
        // Not all of them at one end.
        assert!((0..10).any(|row| taken[row]) && (20..30).any(|row| taken[row]));
    }
}
