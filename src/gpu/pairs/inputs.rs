//! What the caller gives: inputs in buffers of the GPU.

use crate::data::input::{Input, InputSet};
use crate::data::mode::Mode;
use crate::error::{Error, Result};
use crate::gpu::dispatch::bound::RowLayout;

/// A number of a recording that the GPU reads from a buffer of the caller's: one u32, at most what
/// the plan was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Count {
    /// How many of the planned N rows there are, from 1 to N. In the mode of row-aligned pairs both
    /// sets have that many.
    Rows,
    /// How many of the planned M references there are, in reference mode.
    ReferenceRows,
    /// How many of the listed pairs or triplets there are, in the modes with a list of indices.
    Listed,
}

impl Count {
    /// Every count.
    pub const ALL: [Self; 3] = [Self::Rows, Self::ReferenceRows, Self::Listed];

    /// The name of the count in errors.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::ReferenceRows => "reference rows",
            Self::Listed => "listed",
        }
    }

    /// Whether inputs of this mode have this count.
    fn is_of(self, mode: Mode) -> bool {
        match self {
            Self::Rows => true,
            Self::ReferenceRows => mode == Mode::Reference,
            Self::Listed => mode == Mode::Triplets || mode.has_pair_indices(),
        }
    }
}

/// The inputs of an evaluation in buffers of the caller's, whole or in part: every range needs the
/// usage `STORAGE` and an offset that is a multiple of the device's
/// `min_storage_buffer_offset_alignment`.
#[derive(Clone, Debug)]
pub struct Inputs<'a> {
    ranges: InputSet<wgpu::BufferSlice<'a>>,
    layouts: InputSet<RowLayout>,
    counts: [Option<wgpu::BufferSlice<'a>>; Count::ALL.len()],
}

impl<'a> Inputs<'a> {
    /// Embeddings and labels, each in a whole buffer.
    pub fn new(embeddings: &'a wgpu::Buffer, labels: &'a wgpu::Buffer) -> Self {
        Self::unlabelled(embeddings).with(Input::Labels, labels.slice(..))
    }

    /// Embeddings without labels in a whole buffer: for the modes of listed or row-aligned pairs,
    /// of triplets, and pointwise.
    pub fn unlabelled(embeddings: &'a wgpu::Buffer) -> Self {
        let ranges = InputSet::new().with(Input::Embeddings, embeddings.slice(..));
        Self { ranges, layouts: InputSet::new(), counts: [None; Count::ALL.len()] }
    }

    /// Every buffer of the set, each whole.
    pub fn of(buffers: &'a InputSet<wgpu::Buffer>) -> Self {
        let ranges = buffers.map(|buffer| buffer.slice(..));
        Self { ranges, layouts: InputSet::new(), counts: [None; Count::ALL.len()] }
    }

    /// The inputs with this range for one of them, in the place of the one before.
    pub fn with(self, input: Input, range: wgpu::BufferSlice<'a>) -> Self {
        Self { ranges: self.ranges.with(input, range), ..self }
    }

    /// The inputs without one of them.
    pub fn without(self, input: Input) -> Self {
        Self { ranges: self.ranges.without(input), layouts: self.layouts.without(input), ..self }
    }

    /// The inputs with rows of the embeddings or references that lie in their range like this, in
    /// the place of one after the other. Pointwise losses take them one after the other only.
    ///
    /// ```
    /// use wgpu_metric_learning::{Context, Contrastive, Input, Inputs, Output, Outputs, RowLayout, Shape};
    ///
    /// # let context = Context::headless()?;
    /// # let buffer = |size| context.device().create_buffer(&wgpu::BufferDescriptor {
    /// #     label: None, size, usage: wgpu::BufferUsages::STORAGE, mapped_at_creation: false });
    /// // 100 particles of 8 numbers each: a position, of which 3 are embedded, and more.
    /// # let [particles, labels] = [buffer(100 * 8 * 4), buffer(100 * 4)];
    /// let plan = context.plan(Contrastive::default(), Shape::batch(100, 3))?;
    /// let positions = RowLayout::new(0, 8);
    /// let inputs = Inputs::new(&particles, &labels).with_rows(Input::Embeddings, positions);
    /// // Each recording moves them down the gradient.
    /// let step = Output::add_to(particles.slice(..)).scaled(-0.1).in_rows(positions);
    /// let binding = plan.bind_to(&inputs, &Outputs::gradient(step))?;
    /// # Ok::<(), wgpu_metric_learning::Error>(())
    /// ```
    #[must_use]
    pub fn with_rows(self, input: Input, rows: RowLayout) -> Self {
        Self { layouts: self.layouts.with(input, rows), ..self }
    }

    /// The inputs with a count that the GPU reads from the first u32 of this range, so that it may
    /// be the result of an earlier dispatch. Only as many rows of every other range are then read.
    ///
    /// The result is that of a plan for that many rows; gradients on the GPU are 0 in the rows
    /// behind, and what is read back ends with the last row that there is. It is the same to the
    /// bit where the workspace holds the whole matrix of both plans or of neither, up to 100,000
    /// columns. [`Error::Empty`] for 0 rows and [`Error::BeyondPlan`] for too many come with
    /// read-back.
    pub fn with_count(mut self, count: Count, range: wgpu::BufferSlice<'a>) -> Self {
        self.counts[count as usize] = Some(range);
        self
    }

    /// The range of an input, if it is given.
    pub fn get(&self, input: Input) -> Option<&wgpu::BufferSlice<'a>> {
        self.ranges.get(input)
    }

    /// The range of a count, if it is given.
    pub fn count(&self, count: Count) -> Option<&wgpu::BufferSlice<'a>> {
        self.counts[count as usize].as_ref()
    }

    /// Where the rows of an input lie in its range; `None`: one after the other.
    pub fn rows(&self, input: Input) -> Option<RowLayout> {
        self.layouts.get(input).copied()
    }

    /// Every range that no output may overlap, with its name: all but those that a recording
    /// prepares before it writes any output.
    pub(crate) fn apart_from_outputs(
        &self,
    ) -> impl Iterator<Item = (&'static str, wgpu::BufferSlice<'a>)> {
        use Input::{Beta, Bias, ClassWeights, Embeddings, References, Scale, Weights};
        let prepared = [Embeddings, References, Beta, Scale, Bias, Weights, ClassWeights];
        let prepared = prepared.map(Input::name);
        self.all().filter(move |(what, _)| !prepared.contains(what))
    }

    /// Every range that is given, with its name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, wgpu::BufferSlice<'a>)> {
        let ranges = self.ranges.iter().map(|(input, range)| (input.name(), *range));
        let counts = Count::ALL.into_iter();
        ranges.chain(counts.filter_map(|count| Some((count.name(), *self.count(count)?))))
    }

    /// Refuses layouts of rows for what has none.
    fn check_layouts(&self, modes: &[Mode]) -> Result<()> {
        let has_rows = |input| matches!(input, Input::Embeddings | Input::References);
        let is_pointwise = modes.contains(&Mode::Pointwise);
        for (input, _) in self.layouts.iter() {
            let problem = match has_rows(input) {
                true if is_pointwise => "a pointwise loss takes its rows one after the other",
                true => continue,
                false => "only embeddings and references have rows of a layout",
            };
            return Err(Error::Buffer { what: input.name(), problem: problem.into() });
        }
        Ok(())
    }

    /// Refuses inputs that nothing takes, and counts that the mode does not have.
    pub(crate) fn check_taken(
        &self,
        modes: &[Mode],
        is_taken: impl Fn(Input) -> bool,
    ) -> Result<()> {
        self.check_layouts(modes)?;
        let input = self.ranges.iter().find(|&(input, _)| !is_taken(input));
        let is_of_none = |count: &Count| {
            self.count(*count).is_some() && !modes.iter().any(|&mode| count.is_of(mode))
        };
        let count = || Count::ALL.into_iter().find(is_of_none).map(Count::name);
        match input.map(|(input, _)| input.name()).or_else(count) {
            Some(what) => Err(Error::NotTaken { what }),
            None => Ok(()),
        }
    }
}
