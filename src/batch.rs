//! What is given: shapes, and inputs on the host, validated once, here.

use crate::loss::{Loss, Margin};
use crate::{Error, Result};

/// What the inputs of an evaluation stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// Every row of one set with every other row: the pair (i, i) does not exist.
    Batch,
    /// Every query with every row of another set, which has labels of its own.
    Reference,
    /// Every row with one prototype per class: row c stands for class c.
    Prototypes,
    /// The rows are the scores of the classes.
    Scores,
}

impl Mode {
    /// The mode's name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Reference => "reference",
            Self::Prototypes => "prototypes",
            Self::Scores => "scores",
        }
    }
}

/// The sizes of an evaluation's inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    mode: Mode,
    queries: usize,
    references: usize,
    dimensions: usize,
    betas: usize,
}

impl Shape {
    /// One set of `n` embeddings of `d` numbers, compared with itself.
    pub const fn batch(n: usize, d: usize) -> Self {
        Self { mode: Mode::Batch, queries: n, references: n, dimensions: d, betas: 0 }
    }

    /// `n` embeddings of `d` numbers against `m` references with labels of their own.
    pub const fn reference(n: usize, m: usize, d: usize) -> Self {
        Self { mode: Mode::Reference, queries: n, references: m, dimensions: d, betas: 0 }
    }

    /// `n` embeddings of `d` numbers against one prototype for each of `classes`.
    pub const fn prototypes(n: usize, classes: usize, d: usize) -> Self {
        Self { mode: Mode::Prototypes, queries: n, references: classes, dimensions: d, betas: 0 }
    }

    /// `n` samples with one score for each of `classes`.
    pub const fn scores(n: usize, classes: usize) -> Self {
        Self { mode: Mode::Scores, queries: n, references: classes, dimensions: classes, betas: 0 }
    }

    /// The same with `betas` entries of beta for [`Margin`]; 0 stands for [`Margin::DEFAULT_BETA`].
    pub const fn with_betas(self, betas: usize) -> Self {
        Self { betas, ..self }
    }

    /// What the inputs stand for.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// N: rows of the embeddings.
    pub const fn queries(&self) -> usize {
        self.queries
    }

    /// M: columns of the distance matrix: the rows of the references, N in batch mode, the classes in scores mode.
    pub const fn references(&self) -> usize {
        self.references
    }

    /// D: numbers in a row of the embeddings, the classes in scores mode.
    pub const fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Entries of beta that are given.
    pub const fn betas(&self) -> usize {
        self.betas
    }

    /// Whether there is a second set of rows with a gradient of its own.
    pub const fn has_references(&self) -> bool {
        matches!(self.mode, Mode::Reference | Mode::Prototypes)
    }

    /// Checks that nothing is empty and everything can be counted.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`] and [`Error::TooLarge`].
    pub fn check(&self) -> Result<()> {
        let counts = match self.mode {
            Mode::Batch => [("the number of embeddings", self.queries); 2],
            Mode::Reference => {
                [("the number of embeddings", self.queries), ("the number of references", self.references)]
            }
            Mode::Prototypes => {
                [("the number of embeddings", self.queries), ("the number of prototypes", self.references)]
            }
            Mode::Scores => [("the number of samples", self.queries), ("the number of classes", self.references)],
        };
        for (what, count) in counts.into_iter().chain([("the dimension of the embeddings", self.dimensions)]) {
            if count == 0 {
                return Err(Error::Empty { what });
            }
        }
        countable("embeddings", self.queries, self.dimensions)?;
        countable("references", self.references, self.dimensions)?;
        countable("labels", self.queries.max(self.references), 1)
    }
}

/// Row indices are u32 on the GPU, and so is the linear index of a fault; bytes are addressed in usize on the host.
fn countable(what: &'static str, rows: usize, columns: usize) -> Result<()> {
    let values = rows.checked_mul(columns).filter(|&values| values < u32::MAX as usize / 4);
    values.map(|_| ()).ok_or(Error::TooLarge { what, rows, columns })
}

/// The inputs of one evaluation on the host. Every constructor validates: a `Batch` that exists has the right lengths and no NaN
/// or infinity anywhere.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    shape: Shape,
    embeddings: &'a [f32],
    labels: &'a [u32],
    references: &'a [f32],
    reference_labels: &'a [u32],
    beta: &'a [f32],
}

impl<'a> Batch<'a> {
    /// `n` x `d` embeddings, row by row, and their `n` labels. Every u32 is an ordinary label.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`], [`Error::TooLarge`], [`Error::Length`], [`Error::NotFinite`].
    pub fn new(embeddings: &'a [f32], [n, d]: [usize; 2], labels: &'a [u32]) -> Result<Self> {
        Self::rows(Shape::batch(n, d), embeddings, labels)
    }

    /// `n` x `classes` scores, row by row, and the class of each row.
    ///
    /// # Errors
    ///
    /// Those of [`Batch::new`], and [`Error::LabelOutOfRange`].
    pub fn scores(scores: &'a [f32], [n, classes]: [usize; 2], labels: &'a [u32]) -> Result<Self> {
        let batch = Self::rows(Shape::scores(n, classes), scores, labels)?;
        check_labels(labels, "class", classes)?;
        Ok(batch)
    }

    fn rows(shape: Shape, embeddings: &'a [f32], labels: &'a [u32]) -> Result<Self> {
        shape.check()?;
        check_rows("embeddings", embeddings, shape.queries, shape.dimensions)?;
        check_length("labels", labels.len(), shape.queries)?;
        Ok(Self { shape, embeddings, labels, references: &[], reference_labels: &[], beta: &[] })
    }

    /// Against `m` references, `m` x D row by row, and their `m` labels, in place of the batch itself.
    ///
    /// # Errors
    ///
    /// Those of [`Batch::new`].
    pub fn with_references(self, references: &'a [f32], m: usize, labels: &'a [u32]) -> Result<Self> {
        let shape = Shape::reference(self.shape.queries, m, self.shape.dimensions).with_betas(self.shape.betas);
        shape.check()?;
        check_rows("references", references, m, shape.dimensions)?;
        check_length("reference labels", labels.len(), m)?;
        Ok(Self { shape, references, reference_labels: labels, ..self })
    }

    /// Against one prototype for each of `classes`, `classes` x D row by row, in place of the batch itself.
    ///
    /// # Errors
    ///
    /// Those of [`Batch::new`], and [`Error::LabelOutOfRange`] for a label without a prototype.
    pub fn with_prototypes(self, prototypes: &'a [f32], classes: usize) -> Result<Self> {
        let shape = Shape::prototypes(self.shape.queries, classes, self.shape.dimensions).with_betas(self.shape.betas);
        shape.check()?;
        check_rows("references", prototypes, classes, shape.dimensions)?;
        check_labels(self.labels, "prototype", classes)?;
        Ok(Self { shape, references: prototypes, reference_labels: &[], ..self })
    }

    /// With the boundaries of [`Margin`]: one number, or one per class.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`] and [`Error::NotFinite`].
    pub fn with_beta(self, beta: &'a [f32]) -> Result<Self> {
        if beta.is_empty() {
            return Err(Error::Empty { what: "the number of betas" });
        }
        check_rows("beta", beta, beta.len(), 1)?;
        Ok(Self { shape: self.shape.with_betas(beta.len()), beta, ..self })
    }

    /// The sizes.
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The embeddings, N x D; in scores mode the scores.
    pub const fn embeddings(&self) -> &'a [f32] {
        self.embeddings
    }

    /// The N labels.
    pub const fn labels(&self) -> &'a [u32] {
        self.labels
    }

    /// The references or prototypes, M x D; empty in the other modes.
    pub const fn references(&self) -> &'a [f32] {
        self.references
    }

    /// The M labels of the references; empty in the other modes.
    pub const fn reference_labels(&self) -> &'a [u32] {
        self.reference_labels
    }

    /// The betas given; may be empty.
    pub const fn beta(&self) -> &'a [f32] {
        self.beta
    }

    /// The betas that [`Margin`] takes: those given, or its default.
    pub(crate) fn beta_or_default(&self) -> &'a [f32] {
        if self.beta.is_empty() { &[Margin::DEFAULT_BETA] } else { self.beta }
    }

    /// Checks that the loss can be computed on this batch.
    ///
    /// # Errors
    ///
    /// Those of [`Loss::check`], and [`Error::LabelOutOfRange`] for a label without a beta.
    pub fn check(&self, loss: &Loss) -> Result<()> {
        loss.check(&self.shape)?;
        match loss.description().beta() {
            Some(beta) if beta.per_class => check_labels(self.labels, "beta", self.beta.len()),
            _ => Ok(()),
        }
    }
}

fn check_rows(what: &'static str, values: &[f32], rows: usize, columns: usize) -> Result<()> {
    check_length(what, values.len(), rows * columns)?;
    match values.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(Error::NotFinite { what, row: at / columns, column: at % columns }),
        None => Ok(()),
    }
}

fn check_length(what: &'static str, actual: usize, expected: usize) -> Result<()> {
    if actual == expected { Ok(()) } else { Err(Error::Length { what, expected, actual }) }
}

fn check_labels(labels: &[u32], what: &'static str, limit: usize) -> Result<()> {
    match labels.iter().position(|&label| label as usize >= limit) {
        Some(row) => Err(Error::LabelOutOfRange { what, row, label: Some(labels[row]), limit }),
        None => Ok(()),
    }
}
