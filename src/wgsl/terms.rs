//! How the kernel of a loss is run: what a loss says of its own shader.

use crate::wgsl::include::Shader;

/// The constant of kernels whose coefficients are of both ends of a pair: whether anchors have
/// weights.
pub(crate) const WEIGHTED: &str = "WEIGHTED";

/// How the terms kernel of a loss is run.
pub(crate) struct TermsKernel {
    /// The file of the kernel.
    pub shader: Shader,
    /// Roughly how many arithmetic operations a pair costs, beside those of the chunks of
    /// positives.
    pub operations_per_pair: u64,
    /// What must be known of all rows before the coefficients of one can be computed.
    pub statistics: Statistics,
    /// Whether c(i, j) = c(j, i) in batch mode, so that the gradient is twice its half by rows.
    pub symmetric: bool,
    /// Whether only two pairs of an anchor have coefficients, those that it chooses: the kernel
    /// writes its choice, in the place of a row of coefficients.
    pub chooses: bool,
    /// How its kernels go through their row.
    pub walk: Walk,
    /// The `override` constants of the shader.
    pub constants: Vec<(&'static str, f64)>,
    /// The members of its `Parameters` in their order: the bits of each.
    pub parameters: Vec<(&'static str, u32)>,
    /// Whether the terms of anchors have weights.
    pub weighed: bool,
}

impl Statistics {
    /// Whether something is found of every row.
    pub(crate) fn has_rows(self) -> bool {
        !matches!(self, Self::None | Self::Columns | Self::Order)
    }

    /// Whether the coefficient of a pair is of both its ends, and each has a weight of its own.
    pub(crate) fn has_both_ends(self) -> bool {
        matches!(self, Self::Rows | Self::Ends | Self::Sides)
    }

    /// Whether something is found of every column by itself.
    pub(crate) fn has_columns(self) -> bool {
        matches!(self, Self::Sides | Self::Columns)
    }
}

impl TermsKernel {
    /// A kernel that needs nothing but its row, and has neither constants nor parameters.
    pub(crate) fn new(shader: Shader) -> Self {
        Self {
            shader,
            operations_per_pair: 32,
            statistics: Statistics::None,
            symmetric: false,
            chooses: false,
            walk: Walk::reading(1),
            constants: Vec::new(),
            parameters: Vec::new(),
            weighed: false,
        }
    }

    /// The same for anchors that have weights: `shaders/terms/weights.wgsl`.
    pub(crate) fn weighed(mut self) -> Self {
        if self.statistics.has_both_ends() {
            self.constants.push((WEIGHTED, 1.0));
        }
        Self { weighed: true, ..self }
    }

    /// A kernel of `shaders/terms/levels.wgsl`.
    pub(crate) fn over_levels(shader: Shader) -> Self {
        Self { statistics: Statistics::Ends, walk: Walk::reading(2), ..Self::new(shader) }
    }

    /// A kernel of `shaders/terms/classes.wgsl`, which may have more parameters.
    pub(crate) fn over_classes(shader: Shader, scale: f32, centers: u32) -> Self {
        let plain = Self::new(shader);
        // Every centre looks for the nearest of its class, twice.
        let walk = Walk::reading(if centers == 1 { 3 } else { 4 + 2 * u64::from(centers) });
        Self {
            operations_per_pair: plain.operations_per_pair * u64::from(centers),
            walk,
            parameters: vec![("scale", scale.to_bits()), ("centers", centers)],
            ..plain
        }
    }

    /// A kernel over the logits -d / `temperature` of a row, with the `Parameters` of
    /// `shaders/terms/softmax.wgsl`.
    pub(crate) fn over_logits(shader: Shader, temperature: f32) -> Self {
        let inverse = 1.0 / temperature;
        Self {
            statistics: Statistics::Ends,
            walk: Walk::reading(3),
            parameters: vec![
                ("temperature", temperature.to_bits()),
                ("inverse_temperature", inverse.to_bits()),
            ],
            ..Self::new(shader)
        }
    }
}

/// How the kernels of a row go through its columns, of which each invocation has every 64th or
/// 256th: what decides how often its loops go round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    /// How often the kernel that does so most often goes through the row, at most.
    pub reads: u64,
    /// What it does for every chunk of the row's positives beside, where it takes them so.
    pub chunks: Option<Chunks>,
}

impl Walk {
    /// How many positives a dispatch takes, where the row is not too long for them.
    pub(crate) fn usual_portion(&self) -> Option<u64> {
        self.chunks.map(|chunks| chunks.most * chunks.size)
    }

    /// Roughly how many arithmetic operations the chunks of a dispatch take for a row of so many
    /// columns, where half of them, or as many as the dispatch takes, are positives: more would
    /// meet fewer negatives.
    pub(crate) fn operations(&self, columns: u64, portion: u64) -> u64 {
        // Of all invocations together.
        const OPERATIONS_PER_ROUND: u64 = 256 * 32;
        let Some(Chunks { size, rounds, operations, .. }) = self.chunks else { return 0 };
        let positives = (columns / 2).min(portion);
        positives.div_ceil(size) * operations * columns
            + positives * rounds * OPERATIONS_PER_ROUND / size
    }

    /// A walk that reads the row so many times, and has no chunks.
    pub(crate) const fn reading(reads: u64) -> Self {
        Self { reads, chunks: None }
    }
}

/// Chunks of a row's positives. Rows of more than a dispatch takes are worked on in as many
/// dispatches as needed; how many it takes is the `PORTION` of the shader.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunks {
    /// Positives of a chunk.
    pub size: u64,
    /// Chunks of a dispatch, where the row is not too long for that.
    pub most: u64,
    /// How often a chunk goes through the row, at most.
    pub reads: u64,
    /// Rounds of loops of 256 invocations for a chunk however long the row is, at most.
    pub rounds: u64,
    /// Roughly how many arithmetic operations a chunk costs for each column, beside those rounds.
    pub operations: u64,
}

/// Rounds that `shaders/shared/sorting.wgsl` and `places.wgsl` take for a chunk, about 300, and
/// some to spare.
pub(crate) const SORTING_ROUNDS: u64 = 400;

/// `CHUNK` of `shaders/shared/sorting.wgsl`.
pub(crate) const SORTED_CHUNK: u64 = 1024;

/// What a loss needs before its coefficients, if anything: the entry point `statistics` of its
/// shader finds it out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Statistics {
    /// The row itself is enough.
    None,
    /// The loss needs something of every row, in a pass before the coefficients.
    Rows,
    /// The loss needs something of the row, and in one batch of the row at the other end of the
    /// pair. The coefficient of a pair is then c(i, j) + c(j, i), and no pass comes before: a
    /// stripe takes the pairs of its rows with each other and with earlier rows, for both ends, and
    /// leaves those with later rows to their stripes.
    Ends,
    /// The loss needs something of the row and of the column: of every column it is found in sweeps
    /// of their own before, over the matrix with the columns as rows, by the entry point
    /// `column_statistics`. For losses against references alone.
    Sides,
    /// The terms are those of columns, found in such sweeps over them alone; positive and negative
    /// terms have means of their own.
    Columns,
    /// Something of all listed pairs in the order of their targets: the entry points `scan`, `carry`
    /// and `share` find it out, one after the other. For lists of scored pairs alone.
    Order,
    /// The counts of the whole batch, in a pass before: the mean of the positives and of the
    /// negatives are taken apart.
    Totals,
}
