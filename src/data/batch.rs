//! What is given: inputs on the host, validated once, here.

mod numbers;

use std::borrow::Cow;

use crate::data::checks::{
    check_indices, check_labels, check_length, check_rows, check_same, check_signs,
};
use crate::data::input::{Input, InputSet, Numbers};
use crate::data::mode::Mode;
use crate::data::shape::Shape;
use crate::error::{Error, Result};
use crate::loss::{Description, Loss, Truth};

/// The inputs of one evaluation on the host. Every constructor validates: a `Batch` that exists has
/// the right lengths, no NaN or infinity anywhere and no index beyond its rows.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    shape: Shape,
    inputs: InputSet<Numbers<'a>>,
}

impl<'a> Batch<'a> {
    /// `n` x `d` embeddings, row by row, and their `n` labels. Every u32 is an ordinary label.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`], [`Error::TooLarge`], [`Error::Length`], [`Error::NotFinite`].
    pub fn new(embeddings: &'a [f32], [n, d]: [usize; 2], labels: &'a [u32]) -> Result<Self> {
        Self::rows(Shape::batch(n, d), embeddings)?.with_row_labels(labels)
    }

    /// `n` x `classes` scores, row by row, and the class of each row.
    ///
    /// # Errors
    ///
    /// Those of [`Batch::new`], and [`Error::LabelOutOfRange`].
    pub fn scores(scores: &'a [f32], [n, classes]: [usize; 2], labels: &'a [u32]) -> Result<Self> {
        let batch = Self::rows(Shape::scores(n, classes), scores)?.with_row_labels(labels)?;
        check_labels(labels, "class", classes)?;
        Ok(batch)
    }

    /// Row r of `embeddings` against row r of `references`, `pairs` x `d` each, and for every pair
    /// 1 where the two are the same and 0 where they are different.
    ///
    /// # Errors
    ///
    /// Those of [`Batch::new`], and [`Error::Target`] for another number in `same`.
    pub fn pair_rows(
        embeddings: &'a [f32],
        references: &'a [f32],
        [pairs, d]: [usize; 2],
        same: &'a [u32],
    ) -> Result<Self> {
        let batch = Self::aligned(Shape::pair_rows(pairs, d), embeddings, references)?;
        check_same(same, pairs)?;
        Ok(batch.with_indices(Input::Same, same))
    }

    /// Row r of `embeddings` against row r of `references`, `pairs` x `d` each, and for every pair
    /// a target: the larger, the more similar the two should be. Only the order of targets counts.
    ///
    /// # Errors
    ///
    /// Those of [`Batch::new`].
    pub fn scored_pair_rows(
        embeddings: &'a [f32],
        references: &'a [f32],
        [pairs, d]: [usize; 2],
        targets: &'a [f32],
    ) -> Result<Self> {
        Self::aligned(Shape::scored_pair_rows(pairs, d), embeddings, references)?
            .with_pair_targets(targets)
    }

    /// `n` x `d` embeddings, row by row, pairs of two of their rows, and for every pair 1 where the
    /// two are the same and 0 where they are different. A pair may be listed again and then
    /// counts again.
    ///
    /// # Errors
    ///
    /// Those of [`Batch::new`], [`Error::IndexOutOfRange`], [`Error::PairWithItself`] for a row
    /// paired with itself and [`Error::Target`] for another number in `same`.
    pub fn pair_indices(
        embeddings: &'a [f32],
        [n, d]: [usize; 2],
        pairs: &'a [[u32; 2]],
        same: &'a [u32],
    ) -> Result<Self> {
        let batch = Self::listed(Shape::pair_indices(n, d, pairs.len()), embeddings, pairs)?;
        check_same(same, pairs.len())?;
        Ok(batch.with_indices(Input::Same, same))
    }

    /// `n` x `d` embeddings, row by row, pairs of two of their rows, and for every pair a target:
    /// the larger, the more similar the two should be. Only the order of targets counts. A pair may
    /// be listed again and then counts again.
    ///
    /// # Errors
    ///
    /// Those of [`Batch::new`], [`Error::IndexOutOfRange`] and [`Error::PairWithItself`].
    pub fn scored_pair_indices(
        embeddings: &'a [f32],
        [n, d]: [usize; 2],
        pairs: &'a [[u32; 2]],
        targets: &'a [f32],
    ) -> Result<Self> {
        Self::listed(Shape::scored_pair_indices(n, d, pairs.len()), embeddings, pairs)?
            .with_pair_targets(targets)
    }

    /// `n` x `d` embeddings, row by row, and triplets of their rows: anchor, positive, negative. A
    /// triplet may be listed again and then counts again.
    ///
    /// # Errors
    ///
    /// Those of [`Batch::new`], and [`Error::IndexOutOfRange`].
    pub fn triplets(
        embeddings: &'a [f32],
        [n, d]: [usize; 2],
        triplets: &'a [[u32; 3]],
    ) -> Result<Self> {
        let batch = Self::rows(Shape::triplets(n, d, triplets.len()), embeddings)?;
        check_indices("triplets", triplets, n)?;
        Ok(batch.with_indices(Input::Triplets, bytemuck::cast_slice(triplets)))
    }

    /// `n` x `d` predictions, logits or weights, row by row, for the pointwise losses and the
    /// regularisers; those that compare them with something take it from
    /// [`with_targets`](Self::with_targets) or [`with_labels`](Self::with_labels).
    ///
    /// # Errors
    ///
    /// Those of [`Batch::new`].
    pub fn pointwise(values: &'a [f32], [n, d]: [usize; 2]) -> Result<Self> {
        Self::rows(Shape::pointwise(n, d), values)
    }

    /// The batch with a target for every one of the N x D predictions.
    ///
    /// # Errors
    ///
    /// [`Error::Length`], [`Error::NotFinite`], and [`Error::NotInMode`] for inputs that are not
    /// pointwise.
    pub fn with_targets(self, targets: &'a [f32]) -> Result<Self> {
        self.check_mode("targets", Mode::Pointwise)?;
        check_rows("targets", targets, self.shape.queries(), self.shape.dimensions())?;
        Ok(self.with_floats(Input::Targets, targets))
    }

    /// The batch with a class for every row of logits.
    ///
    /// # Errors
    ///
    /// [`Error::Length`], [`Error::LabelOutOfRange`], and [`Error::NotInMode`] for inputs that are
    /// not pointwise.
    pub fn with_labels(self, labels: &'a [u32]) -> Result<Self> {
        self.check_mode("labels of rows", Mode::Pointwise)?;
        let batch = self.with_row_labels(labels)?;
        check_labels(labels, "class", self.shape.dimensions())?;
        Ok(batch)
    }

    /// The batch with as many prototypes for every class as the loss has.
    pub(crate) fn of_loss(self, loss: &(impl Description + ?Sized)) -> Self {
        Self { shape: self.shape.with_centers(loss.centers_per_class()), ..self }
    }

    /// The batch with references, which have these labels, in the place of rows, and rows in that
    /// of references.
    pub(crate) fn turned<'b>(&'b self, labels: &'b [u32]) -> Batch<'b> {
        let inputs = InputSet::new()
            .with(Input::Embeddings, Numbers::F32(self.references()))
            .with(Input::References, Numbers::F32(self.embeddings()))
            .with(Input::Labels, Numbers::U32(labels))
            .with(Input::ReferenceLabels, Numbers::U32(self.labels()));
        Batch { shape: self.shape.turned(), inputs }
    }

    /// The batch without the terms of its columns: [`Shape::one_sided`].
    pub(crate) fn one_sided(self) -> Self {
        Self { shape: self.shape.one_sided(), ..self }
    }

    /// The batch as rows of a larger one: [`Shape::with_first_row`].
    pub(crate) fn with_first_row(self, first_row: usize) -> Self {
        Self { shape: self.shape.with_first_row(first_row), ..self }
    }

    /// The batch as the rows of some classes of a larger one: [`Shape::of_classes`].
    pub(crate) fn of_classes(self) -> Self {
        Self { shape: self.shape.of_classes(), ..self }
    }

    /// Two sets of rows that are pairs row by row.
    fn aligned(shape: Shape, embeddings: &'a [f32], references: &'a [f32]) -> Result<Self> {
        let batch = Self::rows(shape, embeddings)?;
        check_rows("references", references, shape.references(), shape.dimensions())?;
        Ok(batch.with_floats(Input::References, references))
    }

    /// Rows of which these are pairs.
    fn listed(shape: Shape, embeddings: &'a [f32], pairs: &'a [[u32; 2]]) -> Result<Self> {
        let batch = Self::rows(shape, embeddings)?;
        check_indices("pairs", pairs, shape.queries())?;
        if let Some(row) = pairs.iter().position(|[i, j]| i == j) {
            return Err(Error::PairWithItself { row });
        }
        Ok(batch.with_indices(Input::Pairs, bytemuck::cast_slice(pairs)))
    }

    /// A target for every pair.
    fn with_pair_targets(self, targets: &'a [f32]) -> Result<Self> {
        check_rows("targets", targets, self.shape.listed(), 1)?;
        Ok(self.with_floats(Input::Targets, targets))
    }

    fn rows(shape: Shape, embeddings: &'a [f32]) -> Result<Self> {
        shape.check()?;
        check_rows("embeddings", embeddings, shape.queries(), shape.dimensions())?;
        let inputs = InputSet::new().with(Input::Embeddings, Numbers::F32(embeddings));
        Ok(Self { shape, inputs })
    }

    fn with_floats(self, input: Input, numbers: &'a [f32]) -> Self {
        Self { inputs: self.inputs.with(input, Numbers::F32(numbers)), ..self }
    }

    fn with_indices(self, input: Input, numbers: &'a [u32]) -> Self {
        Self { inputs: self.inputs.with(input, Numbers::U32(numbers)), ..self }
    }

    fn check_mode(&self, what: &'static str, mode: Mode) -> Result<()> {
        if self.shape.mode() == mode {
            return Ok(());
        }
        Err(Error::NotInMode { what, mode: self.shape.mode().name() })
    }

    fn with_row_labels(self, labels: &'a [u32]) -> Result<Self> {
        check_length("labels", labels.len(), self.shape.queries())?;
        Ok(self.with_indices(Input::Labels, labels))
    }

    /// The batch against `m` references, `m` x D row by row, and their `m` labels, in place of the
    /// batch itself.
    ///
    /// # Errors
    ///
    /// Those of [`Batch::new`], and [`Error::NotInMode`] for anything but a batch.
    pub fn with_references(
        self,
        references: &'a [f32],
        m: usize,
        labels: &'a [u32],
    ) -> Result<Self> {
        self.check_mode("references", Mode::Batch)?;
        let shape = self.shape.against(Mode::Reference, m);
        shape.check()?;
        check_rows("references", references, m, shape.dimensions())?;
        check_length("reference labels", labels.len(), m)?;
        let batch = Self { shape, ..self }.with_floats(Input::References, references);
        Ok(batch.with_indices(Input::ReferenceLabels, labels))
    }

    /// The batch against one prototype for each of `classes`, `classes` x D row by row, in place of
    /// the batch itself. For a loss with several `centers_per_class` it is so many times as many
    /// rows, those of a class one behind the other.
    ///
    /// # Errors
    ///
    /// Those of [`Batch::new`], [`Error::LabelOutOfRange`] for a label without a prototype, and
    /// [`Error::NotInMode`] for anything but a batch.
    pub fn with_prototypes(self, prototypes: &'a [f32], classes: usize) -> Result<Self> {
        self.check_mode("prototypes", Mode::Batch)?;
        let shape = self.shape.against(Mode::Prototypes, classes);
        shape.check()?;
        check_rows("references", prototypes, classes, shape.dimensions())?;
        check_labels(self.labels(), "prototype", classes)?;
        Ok(Self { shape, ..self }.with_floats(Input::References, prototypes))
    }

    /// The batch with references that stay as they are, a memory bank for instance: no gradient is
    /// computed for them.
    pub fn with_fixed_references(self) -> Self {
        Self { shape: self.shape.with_fixed_references(), ..self }
    }

    /// The batch with references that contain the queries, from reference `offset` on: query i is
    /// the same row as reference i + `offset`, and is left out of its pairs by that index.
    ///
    /// # Errors
    ///
    /// [`Error::NotInMode`] for anything but reference mode, [`Error::Parameter`] where a query
    /// would have no reference.
    pub fn with_reference_offset(self, offset: usize) -> Result<Self> {
        let shape = self.shape.with_reference_offset(offset);
        shape.check()?;
        Ok(Self { shape, ..self })
    }

    /// The sizes.
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The bytes of every input that is given, as buffers of the GPU hold them.
    pub fn bytes(&self) -> InputSet<&'a [u8]> {
        self.inputs.map(Numbers::bytes)
    }

    /// Every input that is given.
    pub(crate) const fn inputs(&self) -> &InputSet<Numbers<'a>> {
        &self.inputs
    }

    fn floats(&self, input: Input) -> &'a [f32] {
        self.inputs.get(input).map_or(&[], Numbers::floats)
    }

    fn indices(&self, input: Input) -> &'a [u32] {
        self.inputs.get(input).map_or(&[], Numbers::indices)
    }

    /// The embeddings, N x D; in scores mode the scores, in pointwise mode the predictions, logits
    /// or weights.
    pub fn embeddings(&self) -> &'a [f32] {
        self.floats(Input::Embeddings)
    }

    /// The N labels; empty where rows have none.
    pub fn labels(&self) -> &'a [u32] {
        self.indices(Input::Labels)
    }

    /// The references, prototypes or second rows of pairs, M x D; empty in the other modes.
    pub fn references(&self) -> &'a [f32] {
        self.floats(Input::References)
    }

    /// The M labels of the references; empty in the other modes.
    pub fn reference_labels(&self) -> &'a [u32] {
        self.indices(Input::ReferenceLabels)
    }

    /// The labels of all columns of the matrix: where these are prototypes, each its own.
    pub(crate) fn column_labels(&self) -> Cow<'a, [u32]> {
        match self.shape.mode() {
            Mode::Batch => self.labels().into(),
            Mode::Reference => self.reference_labels().into(),
            _ => (0..self.shape.references()).map(|column| self.shape.class_of(column)).collect(),
        }
    }

    /// The listed pairs; empty in the other modes.
    pub fn listed_pairs(&self) -> &'a [[u32; 2]] {
        bytemuck::cast_slice(self.indices(Input::Pairs))
    }

    /// For every listed or row-aligned pair 1 where the two are the same and 0 where they are
    /// different.
    pub fn same(&self) -> &'a [u32] {
        self.indices(Input::Same)
    }

    /// The listed triplets; empty in the other modes.
    pub fn listed_triplets(&self) -> &'a [[u32; 3]] {
        bytemuck::cast_slice(self.indices(Input::Triplets))
    }

    /// The targets given, of predictions or of pairs; may be empty.
    pub fn targets(&self) -> &'a [f32] {
        self.floats(Input::Targets)
    }

    /// Checks that the loss can be computed on this batch.
    ///
    /// # Errors
    ///
    /// Those of [`Loss::check`]; [`Error::LabelOutOfRange`] for a label without a beta; for targets
    /// or labels of a pointwise loss [`Error::Missing`] where it needs them,
    /// [`Error::Unsupported`] where it does not take them, and [`Error::Target`].
    pub fn check(&self, loss: &Loss) -> Result<()> {
        loss.check(&self.shape)?;
        loss.check_truth(
            self.shape.mode(),
            self.inputs.has(Input::Targets),
            self.inputs.has(Input::Labels),
        )?;
        if loss.truth() == Truth::Signs {
            check_signs(self.targets(), self.shape.dimensions())?;
        }
        if self.shape.mode() == Mode::Prototypes {
            let classes = self.of_loss(loss.description()).shape.classes();
            check_labels(self.labels(), "prototype", classes)?;
        }
        if loss.description().learned().iter().any(|learned| learned.per_class) {
            check_labels(self.labels(), "beta", self.beta().len())?;
        }
        Ok(())
    }
}
