//! What a rank holds, and how much all of them hold together.

use std::ops::Range;

use super::communicator::{Communicator, agree, halves, whole};
use crate::data::batch::Batch;
use crate::data::checks::{check_labels, check_rows, check_weights};
use crate::data::mode::Mode;
use crate::data::shape::{Shape, countable};
use crate::error::{Error, ErrorKind, Result};

/// The rows of a batch that a rank holds: those behind the rows of the ranks before it. There may be
/// none. Nothing is checked before the ranks evaluate them, so that all learn what is wrong with one.
#[derive(Clone, Copy, Debug)]
pub struct Shard<'a> {
    pub(super) dimensions: usize,
    pub(super) queries: Rows<'a>,
    pub(super) references: Option<Rows<'a>>,
    pub(super) has_fixed_references: bool,
    pub(super) weights: Weights<'a>,
    reference_offset: Option<usize>,
    beta: &'a [f32],
    scale: Option<f32>,
    bias: Option<f32>,
}

/// The weights of anchors.
#[derive(Clone, Copy, Debug)]
pub(super) enum Weights<'a> {
    None,
    /// Of the rows that are held.
    Rows(&'a [f32]),
    /// Of every class, the same on every rank.
    Classes(&'a [f32]),
}

/// Rows with their labels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows<'a> {
    pub numbers: &'a [f32],
    pub labels: &'a [u32],
}

impl<'a> Shard<'a> {
    /// Rows of `dimensions` numbers, one after the other, and their labels.
    pub fn new(dimensions: usize, embeddings: &'a [f32], labels: &'a [u32]) -> Self {
        Self {
            dimensions,
            queries: Rows { numbers: embeddings, labels },
            references: None,
            has_fixed_references: false,
            weights: Weights::None,
            reference_offset: None,
            beta: &[],
            scale: None,
            bias: None,
        }
    }

    /// The shard with the references that this rank holds, which may be none, and their labels: the
    /// rows of all ranks meet the references of all ranks, in the place of each other.
    pub fn with_references(self, references: &'a [f32], labels: &'a [u32]) -> Self {
        Self { references: Some(Rows { numbers: references, labels }), ..self }
    }

    /// The shard with references that stay as they are, a part of a memory bank for instance: no
    /// gradient is computed for them, and none travels.
    pub fn with_fixed_references(self) -> Self {
        Self { has_fixed_references: true, ..self }
    }

    /// The shard with a weight for every one of its embeddings, as
    /// [`Batch::with_weights`] has them. All ranks have weights, or none.
    pub fn with_weights(self, weights: &'a [f32]) -> Self {
        Self { weights: Weights::Rows(weights), ..self }
    }

    /// The shard with a weight for every class, in the place of one for every row, as
    /// [`Batch::with_class_weights`] has them: the same on every rank.
    pub fn with_class_weights(self, weights: &'a [f32]) -> Self {
        Self { weights: Weights::Classes(weights), ..self }
    }

    /// The shard with references that contain the rows, as [`Batch::with_reference_offset`] has
    /// them: row i of all ranks is the same as reference i + `offset` of all ranks, which another
    /// one may hold. It is the same on every rank.
    pub fn with_reference_offset(self, offset: usize) -> Self {
        Self { reference_offset: Some(offset), ..self }
    }

    /// The shard with the boundaries of [`Margin`](crate::Margin): the same on every rank.
    pub fn with_beta(self, beta: &'a [f32]) -> Self {
        Self { beta, ..self }
    }

    /// The shard with the scale of the loss, the same on every rank.
    pub fn with_scale(self, scale: f32) -> Self {
        Self { scale: Some(scale), ..self }
    }

    /// The shard with the bias of the loss, the same on every rank.
    pub fn with_bias(self, bias: f32) -> Self {
        Self { bias: Some(bias), ..self }
    }

    /// What the rows of all ranks stand for.
    pub(super) fn mode(&self) -> Mode {
        if self.references.is_some() { Mode::Reference } else { Mode::Batch }
    }

    /// How many columns of all ranks come before the one that is the first row of all, where rows are
    /// among the columns.
    pub(super) fn own_offset(&self) -> Option<usize> {
        if self.mode() == Mode::Batch { Some(0) } else { self.reference_offset }
    }

    /// The rows that become columns.
    pub(super) fn columns(&self) -> Rows<'a> {
        self.references.unwrap_or(self.queries)
    }

    /// These rows, with what the shard has beside rows.
    pub(super) fn batch<'b>(
        &'b self,
        queries: Rows<'b>,
        references: Option<Rows<'b>>,
        weights: Weights<'b>,
    ) -> Result<Batch<'b>> {
        let shape = [queries.labels.len(), self.dimensions];
        let mut batch = Batch::new(queries.numbers, shape, queries.labels)?;
        if let Some(Rows { numbers, labels }) = references {
            batch = batch.with_references(numbers, labels.len(), labels)?;
        }
        batch = match weights {
            Weights::None => batch,
            Weights::Rows(weights) => batch.with_weights(weights)?,
            Weights::Classes(weights) => batch.with_class_weights(weights)?,
        };
        if !self.beta.is_empty() {
            batch = batch.with_beta(self.beta)?;
        }
        if let Some(scale) = &self.scale {
            batch = batch.with_scale(scale)?;
        }
        if let Some(bias) = &self.bias {
            batch = batch.with_bias(bias)?;
        }
        Ok(batch)
    }

    /// The shape of the rows of all ranks.
    pub(super) fn shape_of(&self, sizes: &Sizes) -> Shape {
        let [queries, columns] = sizes.all();
        let mut shape = match self.mode() {
            Mode::Batch => Shape::batch(queries, self.dimensions),
            _ => Shape::reference(queries, columns, self.dimensions),
        };
        shape = shape.with_betas(self.beta.len());
        shape = match self.weights {
            Weights::None => shape,
            Weights::Rows(_) => shape.with_weights(),
            Weights::Classes(weights) => shape.with_class_weights(weights.len()),
        };
        if let Some(offset) = self.reference_offset {
            shape = shape.with_reference_offset(offset);
        }
        if self.scale.is_some() {
            shape = shape.with_scale();
        }
        if self.bias.is_some() {
            shape = shape.with_bias();
        }
        shape
    }

    fn check(&self) -> Result<()> {
        let check = |what, rows: Rows| {
            check_rows(what, rows.numbers, rows.labels.len(), self.dimensions)?;
            // Their number travels as a word.
            countable(what, rows.labels.len(), self.dimensions)
        };
        if self.dimensions == 0 {
            return Err(Error::Empty { what: "the dimension of the embeddings" });
        }
        check("embeddings", self.queries)?;
        if let Some(references) = self.references {
            check("references", references)?;
        }
        let labels = self.queries.labels;
        match self.weights {
            Weights::None => Ok(()),
            Weights::Rows(weights) => check_weights("weights", weights, labels.len()),
            Weights::Classes(weights) => {
                check_weights("class weights", weights, weights.len())?;
                check_labels(labels, "class weight", weights.len())
            }
        }
    }

    /// A number for what has to be the same on every rank.
    fn fingerprint(&self, asked: &str) -> u64 {
        let (kind, class_weights): (u32, &[f32]) = match self.weights {
            Weights::None => (0, &[]),
            Weights::Rows(_) => (1, &[]),
            Weights::Classes(weights) => (2, weights),
        };
        let kinds = [
            kind,
            class_weights.len() as u32,
            self.references.is_some().into(),
            self.has_fixed_references.into(),
            self.reference_offset.is_some().into(),
            self.scale.is_some().into(),
            self.bias.is_some().into(),
        ];
        let numbers = class_weights.iter().chain(self.beta).chain(&self.scale).chain(&self.bias);
        let words = kinds.into_iter().chain(numbers.map(|number| number.to_bits()));
        let words = words.chain(halves(self.reference_offset.unwrap_or(0) as u64));
        // FNV-1a.
        asked
            .bytes()
            .chain(words.flat_map(u32::to_le_bytes))
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            })
    }
}

/// How many rows every rank holds.
pub(super) struct Sizes {
    rank: usize,
    queries: Vec<usize>,
    columns: Vec<usize>,
}

impl Sizes {
    /// Those of all ranks, whose shards are in order and who ask for the same.
    pub(super) fn agree(
        communicator: &impl Communicator,
        shard: &Shard,
        asked: &str,
    ) -> Result<Self> {
        let [low, high] = halves(shard.fingerprint(asked));
        let sizes = [
            shard.queries.labels.len() as u32,
            shard.columns().labels.len() as u32,
            shard.dimensions as u32,
            low,
            high,
        ];
        let all = agree(communicator, shard.check().map(|()| sizes.to_vec()), sizes.len())?;
        for (rank, sizes) in all.iter().enumerate() {
            let message = match () {
                () if sizes[2] != all[0][2] => format!(
                    "its embeddings have {} dimensions, those of rank 0 {}",
                    sizes[2], all[0][2]
                ),
                () if whole(&sizes[3..]) != whole(&all[0][3..]) => {
                    "what it asks for, the kinds of its inputs, or its class weights, beta, scale, bias or reference offset are not those of rank 0".into()
                }
                () => continue,
            };
            return Err(Error::OfRank { rank, kind: ErrorKind::Input, message });
        }
        let of = |place: usize| all.iter().map(|sizes| sizes[place] as usize).collect();
        Ok(Self { rank: communicator.rank(), queries: of(0), columns: of(1) })
    }

    /// Of the queries of all ranks those of this one.
    pub(super) fn own_queries(&self) -> Range<usize> {
        own(&self.queries, self.rank)
    }

    /// Of the columns of all ranks those of this one.
    pub(super) fn own_columns(&self) -> Range<usize> {
        own(&self.columns, self.rank)
    }

    /// How many queries all ranks have, and how many columns.
    pub(super) fn all(&self) -> [usize; 2] {
        [&self.queries, &self.columns].map(|counts| counts.iter().sum())
    }

    /// Words that every rank has in its queries, so many a row.
    pub(super) fn words_of_queries(&self, a_row: usize) -> Vec<usize> {
        self.queries.iter().map(|count| count * a_row).collect()
    }

    /// Words that every rank has in its columns, so many a row.
    pub(super) fn words_of_columns(&self, a_row: usize) -> Vec<usize> {
        self.columns.iter().map(|count| count * a_row).collect()
    }
}

fn own(counts: &[usize], rank: usize) -> Range<usize> {
    let start = counts[..rank].iter().sum();
    start..start + counts[rank]
}

/// The rows of all ranks, as they travelled.
pub(super) struct Gathered {
    numbers: Vec<u32>,
    labels: Vec<u32>,
}

impl Gathered {
    /// Those of all ranks, which have so many; nothing travels from one that is alone.
    pub(super) fn of(
        communicator: &impl Communicator,
        own: Rows,
        counts: &[usize],
        dimensions: usize,
    ) -> Result<Self> {
        let words: Vec<_> = counts.iter().map(|count| count * dimensions).collect();
        Ok(Self {
            numbers: communicator.all_gather(bytemuck::cast_slice(own.numbers), &words)?,
            labels: communicator.all_gather(own.labels, counts)?,
        })
    }

    /// The same rows in another order, which says what stands at each place.
    pub(super) fn in_order(&self, order: &[usize], dimensions: usize) -> Self {
        let numbers = order.iter().flat_map(|row| &self.numbers[row * dimensions..][..dimensions]);
        Self {
            numbers: numbers.copied().collect(),
            labels: order.iter().map(|&row| self.labels[row]).collect(),
        }
    }

    pub(super) fn rows(&self) -> Rows<'_> {
        Rows { numbers: bytemuck::cast_slice(&self.numbers), labels: &self.labels }
    }
}
