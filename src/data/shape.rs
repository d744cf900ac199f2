//! The sizes of an evaluation's inputs.

use crate::data::input::Input;
use crate::data::mode::Mode;
use crate::error::{Error, Result};

/// The sizes of an evaluation's inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    mode: Mode,
    queries: usize,
    references: usize,
    dimensions: usize,
    betas: usize,
    scaled: bool,
    biased: bool,
    listed: usize,
    fixed_references: bool,
    reference_offset: Option<usize>,
    turned: bool,
    one_sided: bool,
    first_row: usize,
    of_classes: bool,
    centers: usize,
    weights: Weights,
}

/// Where the weights of the terms come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Weights {
    /// There are none.
    None,
    /// Every row has one, or of a list every pair or triplet.
    Rows,
    /// Every one of so many classes has one.
    Classes(usize),
}

impl Shape {
    /// One set of `n` embeddings of `d` numbers, compared with itself.
    pub const fn batch(n: usize, d: usize) -> Self {
        Self::new(Mode::Batch, n, n, d)
    }

    /// `n` embeddings of `d` numbers against `m` references with labels of their own.
    pub const fn reference(n: usize, m: usize, d: usize) -> Self {
        Self::new(Mode::Reference, n, m, d)
    }

    /// `n` embeddings of `d` numbers against one prototype for each of `classes`.
    pub const fn prototypes(n: usize, classes: usize, d: usize) -> Self {
        Self::new(Mode::Prototypes, n, classes, d)
    }

    /// `n` samples with one score for each of `classes`.
    pub const fn scores(n: usize, classes: usize) -> Self {
        Self::new(Mode::Scores, n, classes, classes)
    }

    /// Two sets of `pairs` embeddings of `d` numbers, row against row.
    pub const fn pair_rows(pairs: usize, d: usize) -> Self {
        Self { listed: pairs, ..Self::new(Mode::PairRows, pairs, pairs, d) }
    }

    /// `pairs` listed pairs of `n` embeddings of `d` numbers.
    pub const fn pair_indices(n: usize, d: usize, pairs: usize) -> Self {
        Self { listed: pairs, ..Self::new(Mode::PairIndices, n, n, d) }
    }

    /// Two sets of `pairs` embeddings of `d` numbers, row against row, with a target for each.
    pub const fn scored_pair_rows(pairs: usize, d: usize) -> Self {
        Self { mode: Mode::ScoredPairRows, ..Self::pair_rows(pairs, d) }
    }

    /// `pairs` listed pairs of `n` embeddings of `d` numbers, with a target for each.
    pub const fn scored_pair_indices(n: usize, d: usize, pairs: usize) -> Self {
        Self { mode: Mode::ScoredPairIndices, ..Self::pair_indices(n, d, pairs) }
    }

    /// `triplets` listed triplets of `n` embeddings of `d` numbers.
    pub const fn triplets(n: usize, d: usize, triplets: usize) -> Self {
        Self { listed: triplets, ..Self::new(Mode::Triplets, n, n, d) }
    }

    /// `n` rows of `d` predictions, logits or weights.
    pub const fn pointwise(n: usize, d: usize) -> Self {
        Self::new(Mode::Pointwise, n, n, d)
    }

    const fn new(mode: Mode, queries: usize, references: usize, dimensions: usize) -> Self {
        Self {
            mode,
            queries,
            references,
            dimensions,
            betas: 0,
            scaled: false,
            biased: false,
            listed: 0,
            fixed_references: false,
            reference_offset: None,
            turned: false,
            one_sided: false,
            first_row: 0,
            of_classes: false,
            centers: 1,
            weights: Weights::None,
        }
    }

    /// The shape with `betas` entries of beta for [`Margin`](crate::Margin); 0 stands for its
    /// default.
    pub const fn with_betas(self, betas: usize) -> Self {
        Self { betas, ..self }
    }

    /// The shape with a scale that is given beside the inputs, in the place of the loss's own.
    pub const fn with_scale(self) -> Self {
        Self { scaled: true, ..self }
    }

    /// The shape with a bias that is given beside the inputs, in the place of the loss's own.
    pub const fn with_bias(self) -> Self {
        Self { biased: true, ..self }
    }

    /// The shape with a weight for every row of the embeddings, or for every pair or triplet of a
    /// list: [`Batch::with_weights`].
    ///
    /// [`Batch::with_weights`]: crate::Batch::with_weights
    pub const fn with_weights(self) -> Self {
        Self { weights: Weights::Rows, ..self }
    }

    /// The shape with a weight for every one of so many classes, in the place of one for every row:
    /// [`Batch::with_class_weights`].
    ///
    /// [`Batch::with_class_weights`]: crate::Batch::with_class_weights
    pub const fn with_class_weights(self, classes: usize) -> Self {
        Self { weights: Weights::Classes(classes), ..self }
    }

    /// The shape with references that stay as they are, a memory bank for instance: no gradient is
    /// computed for them.
    pub const fn with_fixed_references(self) -> Self {
        Self { fixed_references: true, ..self }
    }

    /// The shape with references that contain the queries: query i is the same row as reference
    /// i + `offset`, which is left out of its pairs by its index. Both gradients are those of two
    /// separate inputs, and the gradient of a row that stands in both is the sum of the two.
    ///
    /// It is of reference mode alone, and every query has to have its reference.
    pub const fn with_reference_offset(self, offset: usize) -> Self {
        Self { reference_offset: Some(offset), ..self }
    }

    /// The shape of the same embeddings against another set.
    pub(crate) const fn against(self, mode: Mode, references: usize) -> Self {
        Self { mode, references, listed: 0, ..self }
    }

    /// The shape with so many prototypes for every class, as the loss has them.
    pub(crate) const fn with_centers(self, centers: u32) -> Self {
        Self { centers: centers as usize, ..self }
    }

    /// How many classes there are among the columns.
    pub(crate) const fn classes(&self) -> usize {
        self.references / self.centers
    }

    /// The class of a column.
    pub(crate) const fn class_of(&self, column: usize) -> u32 {
        (column / self.centers) as u32
    }

    /// The shape with references or prototypes in the place of queries, and queries in that of
    /// references.
    pub(crate) const fn turned(self) -> Self {
        let Self { queries, references, turned, .. } = self;
        let mode = Mode::Reference;
        Self { mode, queries: references, references: queries, turned: !turned, ..self }
    }

    /// The shape for the terms of rows alone, of a loss whose columns have terms of their own: those
    /// are left to an evaluation with the columns as rows. Counted are all.
    pub(crate) const fn one_sided(self) -> Self {
        Self { one_sided: true, ..self }
    }

    /// Whether terms of columns are left out: [`one_sided`](Self::one_sided).
    pub(crate) const fn is_one_sided(&self) -> bool {
        self.one_sided
    }

    /// The shape of rows that stand behind so many others of a larger batch, which other ranks
    /// evaluate.
    pub(crate) const fn with_first_row(self, first_row: usize) -> Self {
        Self { first_row, ..self }
    }

    /// What row 0 is in the larger batch: [`with_first_row`](Self::with_first_row).
    pub(crate) const fn first_row(&self) -> usize {
        self.first_row
    }

    /// The shape of rows of a batch against all of its rows, from the reference offset on, where
    /// these are of every class all or none: the two of a positive pair are both among them.
    pub(crate) const fn of_classes(self) -> Self {
        Self { of_classes: true, ..self }
    }

    /// Whether all is a batch, of which some classes are evaluated: [`of_classes`](Self::of_classes).
    pub(crate) const fn is_of_classes(&self) -> bool {
        self.of_classes
    }

    /// The shape with other numbers of queries, references and listed entries.
    #[cfg(feature = "gpu")]
    pub(crate) const fn resized(self, [queries, references, listed]: [usize; 3]) -> Self {
        Self { queries, references, listed, ..self }
    }

    /// What the inputs stand for.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// N: rows of the embeddings.
    pub const fn queries(&self) -> usize {
        self.queries
    }

    /// M: columns of the distance matrix: the rows of the references, N where there are none, the
    /// classes in scores mode.
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

    /// Whether a scale is given: [`with_scale`](Self::with_scale).
    pub const fn has_scale(&self) -> bool {
        self.scaled
    }

    /// Whether a bias is given: [`with_bias`](Self::with_bias).
    pub const fn has_bias(&self) -> bool {
        self.biased
    }

    /// Whether terms have weights: [`with_weights`](Self::with_weights) or
    /// [`with_class_weights`](Self::with_class_weights).
    pub const fn has_weights(&self) -> bool {
        !matches!(self.weights, Weights::None)
    }

    /// How many classes have a weight: [`with_class_weights`](Self::with_class_weights); 0 where
    /// there are none.
    pub const fn class_weights(&self) -> usize {
        if let Weights::Classes(classes) = self.weights { classes } else { 0 }
    }

    /// Whether inputs of this shape have this one, whatever the loss.
    pub(crate) fn takes(&self, input: Input) -> bool {
        match input {
            Input::Embeddings => true,
            Input::Labels => self.is_labelled(),
            Input::References => self.has_references(),
            Input::ReferenceLabels => self.mode == Mode::Reference,
            Input::Pairs => self.mode.has_pair_indices(),
            Input::Same => matches!(self.mode, Mode::PairIndices | Mode::PairRows),
            Input::Triplets => self.mode == Mode::Triplets,
            Input::Targets => self.mode.is_scored(),
            Input::Weights => matches!(self.weights, Weights::Rows),
            Input::ClassWeights => matches!(self.weights, Weights::Classes(_)),
            Input::Beta | Input::Scale | Input::Bias => false,
        }
    }

    /// How many numbers of 4 bytes an input of this shape has, where a loss takes it.
    pub const fn numbers(&self, input: Input) -> usize {
        match input {
            Input::Embeddings => self.queries * self.dimensions,
            Input::Targets if self.listed > 0 => self.listed,
            Input::Targets => self.queries * self.dimensions,
            Input::Labels => self.queries,
            Input::References => self.references * self.dimensions,
            Input::ReferenceLabels => self.references,
            Input::Beta => self.betas,
            Input::Scale => self.scaled as usize,
            Input::Bias => self.biased as usize,
            Input::Pairs => 2 * self.listed,
            Input::Same => self.listed,
            Input::Triplets => 3 * self.listed,
            Input::Weights => match self.weights {
                Weights::Rows if self.listed > 0 => self.listed,
                Weights::Rows => self.queries,
                Weights::None | Weights::Classes(_) => 0,
            },
            Input::ClassWeights => self.class_weights(),
        }
    }

    /// How many pairs a list has: of a triplet the positive and the negative.
    #[cfg(feature = "gpu")]
    pub(crate) fn pairs(&self) -> u64 {
        self.listed as u64 * if self.mode == Mode::Triplets { 2 } else { 1 }
    }

    /// Pairs or triplets that are listed; 0 in the modes without a list.
    pub const fn listed(&self) -> usize {
        self.listed
    }

    /// Whether there is a second set of rows.
    pub const fn has_references(&self) -> bool {
        matches!(
            self.mode,
            Mode::Reference | Mode::Prototypes | Mode::PairRows | Mode::ScoredPairRows
        )
    }

    /// Whether the second set of rows gets a gradient.
    pub const fn has_reference_gradient(&self) -> bool {
        self.has_references() && !self.fixed_references
    }

    /// How many references come before the one that is the first query:
    /// [`with_reference_offset`](Self::with_reference_offset).
    pub const fn reference_offset(&self) -> Option<usize> {
        self.reference_offset
    }

    /// How many columns after its own number, or before it, a row finds itself, where it is among
    /// them.
    fn own_offset(&self) -> Option<isize> {
        let offset = if self.mode == Mode::Batch { Some(0) } else { self.reference_offset };
        // It is at most the number of references.
        offset.map(|offset| if self.turned { -(offset as isize) } else { offset as isize })
    }

    /// The column in which a row finds itself, where it is among them.
    pub(crate) fn own_column(&self, row: usize) -> Option<usize> {
        let column = row.checked_add_signed(self.own_offset()?)?;
        (column < self.references).then_some(column)
    }

    /// What is added to the number of a row, going round at 2^32, to find it among the columns.
    #[cfg(feature = "gpu")]
    pub(crate) fn own_step(&self) -> Option<u32> {
        self.own_offset().map(|offset| offset as u32)
    }

    /// Whether rows have labels in every loss of the mode.
    pub(crate) const fn is_labelled(&self) -> bool {
        self.mode.has_anchors()
    }

    /// Checks that nothing is empty and everything can be counted.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`] and [`Error::TooLarge`].
    pub fn check(&self) -> Result<()> {
        let embeddings = ("the number of embeddings", self.queries);
        let counts = match self.mode {
            Mode::Batch => [embeddings; 2],
            Mode::Reference => [embeddings, ("the number of references", self.references)],
            Mode::Prototypes => [embeddings, ("the number of prototypes", self.references)],
            Mode::Scores => [
                ("the number of samples", self.queries),
                ("the number of classes", self.references),
            ],
            Mode::PairRows | Mode::PairIndices | Mode::ScoredPairRows | Mode::ScoredPairIndices => {
                [("the number of pairs", self.listed), embeddings]
            }
            Mode::Triplets => [("the number of triplets", self.listed), embeddings],
            Mode::Pointwise => [("the number of rows", self.queries); 2],
        };
        for (what, count) in
            counts.into_iter().chain([("the dimension of the embeddings", self.dimensions)])
        {
            if count == 0 {
                return Err(Error::Empty { what });
            }
        }
        if let Some(offset) = self.reference_offset {
            self.check_reference_offset(offset)?;
        }
        self.check_weights()?;
        countable("embeddings", self.queries, self.dimensions)?;
        countable("references", self.references, self.dimensions)?;
        countable("the list", self.listed, 3)?;
        countable("beta", self.betas, 1)?;
        countable("labels", self.queries.max(self.references), 1)
    }

    /// Weights of classes are those of rows with labels.
    fn check_weights(&self) -> Result<()> {
        let (what, are_in_mode) = match self.weights {
            Weights::None => return Ok(()),
            Weights::Rows => ("weights", self.mode.has_weights()),
            Weights::Classes(_) => ("class weights", self.is_labelled()),
        };
        if !are_in_mode {
            return Err(Error::NotInMode { what, mode: self.mode.name() });
        }
        if self.weights == Weights::Classes(0) {
            return Err(Error::Empty { what: "the number of class weights" });
        }
        countable("class weights", self.class_weights(), 1)
    }

    fn check_reference_offset(&self, offset: usize) -> Result<()> {
        if self.mode != Mode::Reference {
            let what = "reference offset";
            return Err(Error::NotInMode { what, mode: self.mode.name() });
        }
        if offset.checked_add(self.queries).is_none_or(|end| end > self.references) {
            return Err(Error::Parameter {
                of: "reference mode",
                parameter: "reference_offset",
                value: offset.to_string(),
                allowed: "from 0 to the number of references less that of queries",
            });
        }
        Ok(())
    }
}

/// Row indices are u32 on the GPU, and so is the linear index of a fault; bytes are addressed in
/// usize on the host.
pub(crate) fn countable(what: &'static str, rows: usize, columns: usize) -> Result<()> {
    let values = rows.checked_mul(columns).filter(|&values| values < u32::MAX as usize / 4);
    values.map(|_| ()).ok_or(Error::TooLarge { what, rows, columns })
}
