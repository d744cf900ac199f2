//! The one error type of the crate.

use std::time::Duration;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong, with what, where and the limit that was passed. What to do about
/// it is asked of its [`kind`](Self::kind).
///
/// No input makes the library panic, lose the device or return zeros in silence: it returns one of
/// these.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A number of rows, columns or classes is 0.
    #[error("{what} is 0: at least 1 is needed")]
    Empty {
        /// The count that is 0.
        what: &'static str,
    },

    /// A slice has another length than its shape says.
    #[error("{what} has {actual} values, its shape asks for {expected}")]
    Length {
        /// The input.
        what: &'static str,
        /// Number of values the shape asks for.
        expected: usize,
        /// Number of values given.
        actual: usize,
    },

    /// A shape has 2^30 values or more, which indices of 32 bits do not count in bytes.
    #[error(
        "{what}: {rows} x {columns} values are too many: there may be 2^30 - 1 (1,073,741,823)"
    )]
    TooLarge {
        /// The input.
        what: &'static str,
        /// Rows asked for.
        rows: usize,
        /// Columns asked for.
        columns: usize,
    },

    /// A name stands for nothing.
    #[error("{name:?} is no {what}: there are {}", joined(.known.iter()))]
    Name {
        /// What it was to name.
        what: &'static str,
        /// The name.
        name: String,
        /// The names that there are.
        known: &'static [&'static str],
    },

    /// An input holds NaN or an infinity.
    #[error("{what} is not finite at row {row}, column {column}")]
    NotFinite {
        /// The input.
        what: &'static str,
        /// The first row with such a value.
        row: usize,
        /// The first such column of that row.
        column: usize,
    },

    /// A label is used as an index and has no entry there.
    #[error("the label{} of row {row} has no {what}: there are {limit}", .label.map(|label| format!(" {label}")).unwrap_or_default())]
    LabelOutOfRange {
        /// What the label chooses: a class score, a prototype, a beta.
        what: &'static str,
        /// The first row with such a label.
        row: usize,
        /// The label; `None` where only the GPU has seen it.
        label: Option<u32>,
        /// How many entries there are.
        limit: usize,
    },

    /// A listed index has no row.
    #[error("{what}: entry {row} has an index at place {column} that is no row: there are {limit}")]
    IndexOutOfRange {
        /// The list.
        what: &'static str,
        /// The first entry with such an index.
        row: usize,
        /// The place of the first such index in it.
        column: usize,
        /// How many rows there are.
        limit: usize,
    },

    /// A row is paired with itself.
    #[error("pairs: entry {row} pairs a row with itself")]
    PairWithItself {
        /// The first such entry.
        row: usize,
    },

    /// A target is none of the values that the loss compares with.
    #[error("{what} at row {row}, column {column} is not {allowed}")]
    Target {
        /// The input.
        what: &'static str,
        /// The first row with such a target.
        row: usize,
        /// The first such column of that row.
        column: usize,
        /// The values that are allowed.
        allowed: &'static str,
    },

    /// An input was given that inputs of this mode do not have.
    #[error("{what} cannot be given to inputs in {mode} mode")]
    NotInMode {
        /// The input.
        what: &'static str,
        /// The mode's name.
        mode: &'static str,
    },

    /// An input was given that the plan was not made for.
    #[error("{what} was given, and the plan takes none")]
    NotTaken {
        /// The input.
        what: &'static str,
    },

    /// An objective has no such loss.
    #[error("there is no loss {loss} in an objective of {limit}")]
    NoLoss {
        /// The place that was asked for, from 0.
        loss: usize,
        /// How many losses there are.
        limit: usize,
    },

    /// Two losses of an objective are over the same set of rows and are given different ones.
    #[error("two losses over the same set have different {what}")]
    Set {
        /// The input that differs.
        what: &'static str,
    },

    /// A parameter of a loss, or of what else has parameters, is outside its range.
    #[error("{of}: {parameter} is {value}, allowed is {allowed}")]
    Parameter {
        /// Name of the loss, measure or optimiser.
        of: &'static str,
        /// Name of the parameter.
        parameter: &'static str,
        /// The value given.
        value: String,
        /// The range or the list of values that is allowed.
        allowed: &'static str,
    },

    /// A loss or a measure was asked for in a way it is not defined for.
    #[error("{of} cannot take {what}: {reason}")]
    Unsupported {
        /// Name of the loss or measure.
        of: &'static str,
        /// What was asked for.
        what: String,
        /// Why not, or what can be asked for instead.
        reason: String,
    },

    /// An input that the loss needs was not given, or not the one the plan was made for.
    #[error("{what} is missing: {reason}")]
    Missing {
        /// The input.
        what: &'static str,
        /// Why it is needed.
        reason: &'static str,
    },

    /// The workspace budget does not hold one row of distances and, where there are any,
    /// coefficients.
    #[error(
        "the workspace budget is {budget} bytes, one row of {columns} columns needs {needed} bytes"
    )]
    Workspace {
        /// Bytes that one row needs.
        needed: u64,
        /// Bytes that were allowed.
        budget: u64,
        /// Columns of the row.
        columns: usize,
    },

    /// The device allows less than the plan needs.
    #[error("{what} needs {needed}, the device's {name} is {limit}")]
    DeviceLimit {
        /// What needs it.
        what: &'static str,
        /// How much it needs.
        needed: u64,
        /// The WebGPU name of the limit.
        name: &'static str,
        /// The limit.
        limit: u64,
    },

    /// The inputs are longer than the loops of a kernel may be: some drivers would stop them in
    /// silence.
    #[error("{count} {what} are more than the {limit} that the loops of {kernel} can take")]
    TooLong {
        /// The kernel.
        kernel: &'static str,
        /// What there are too many of.
        what: &'static str,
        /// How many there are.
        count: u64,
        /// How many there may be.
        limit: u64,
    },

    /// The device lacks a feature that a forced tier or timings need.
    #[error("{what} needs the device feature {feature}")]
    MissingFeature {
        /// What was asked for.
        what: String,
        /// The feature the device was created without.
        feature: String,
    },

    /// A recording was given more rows or listed entries than the plan was made for.
    #[error("{count} {what} were given, the plan was made for {limit}")]
    BeyondPlan {
        /// What there are too many of.
        what: &'static str,
        /// How many the caller's buffer says there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },

    /// A buffer of the caller cannot be used.
    #[error("buffer {what}: {problem}")]
    Buffer {
        /// Which input the buffer stands for.
        what: &'static str,
        /// What is wrong: its size, usage or alignment, with the numbers.
        problem: String,
    },

    /// No adapter fits.
    #[error("no GPU adapter found ({searched})")]
    NoAdapter {
        /// Where it was looked for.
        searched: String,
    },

    /// The device could not be created.
    #[error("the device could not be created: {message}")]
    DeviceCreation {
        /// What the driver said.
        message: String,
    },

    /// The GPU has no memory left.
    #[error("out of GPU memory while {during}: {message}")]
    OutOfMemory {
        /// What was being done.
        during: &'static str,
        /// What wgpu said.
        message: String,
    },

    /// wgpu refused an operation.
    #[error("wgpu refused while {during}: {message}")]
    Gpu {
        /// What was being done.
        during: &'static str,
        /// What wgpu said.
        message: String,
    },

    /// The device was lost, or its buffers can no longer be read.
    #[error("the device was lost while {during}")]
    DeviceLost {
        /// What was being done.
        during: &'static str,
    },

    /// The GPU did not answer in time.
    #[error("no answer from the GPU after {after:?}")]
    Timeout {
        /// How long was waited.
        after: Duration,
    },

    /// Something is wrong with what a rank holds or computes, which every rank learns.
    #[error("rank {rank}: {message}")]
    OfRank {
        /// The rank.
        rank: usize,
        /// The kind of its error.
        kind: ErrorKind,
        /// What its error says; rows are counted from the first of the rank.
        message: String,
    },

    /// Ranks did not answer each other.
    #[error("the ranks are not together any more: {problem}")]
    Ranks {
        /// Which one is gone, or how long was waited.
        problem: String,
    },

    /// The watcher of an evaluation broke it off.
    #[error("the evaluation was cancelled")]
    Cancelled,

    /// The outputs were read back but no recording of the plan has run on the GPU.
    #[error("nothing was computed: no recording of this plan has finished on the GPU")]
    NotComputed,

    /// An optimiser left parameters as they were: their gradients were NaN or infinite, or the step
    /// would have made them so.
    #[error(
        "{left_out} single steps were left out in {steps} steps, first at parameter {first}: the gradient or the result was not finite"
    )]
    StepsLeftOut {
        /// How many steps of single parameters were left out, since the beginning or the last
        /// reset; 2^31 and more may stand for any number beyond.
        left_out: u32,
        /// The first parameter among them.
        first: usize,
        /// How many steps there were.
        steps: u32,
    },

    /// A result does not fit into an f32, or does, and what is summed up for it does not: the terms
    /// of one anchor, or the summands of one number of a gradient. Of the loss of all rows, and of
    /// pointwise values, only the mean has to fit.
    #[error("{what} is beyond the range of f32 (3.4e38)")]
    Overflow {
        /// The result.
        what: &'static str,
    },
}

/// Whose turn it is after an [`Error`]: in the way of [`std::io::ErrorKind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// What was given is wrong, by its sizes or by its contents. Other inputs, parameters or
    /// buffers are needed.
    Input,
    /// What was asked for is not defined, or the device has no feature for it.
    Unsupported,
    /// It is more than the device, the workspace, a plan or an f32 holds. Less of it would do, or
    /// a larger one of these.
    Limit,
    /// There is no device, or it has failed. Another one may do, or the same one later.
    Device,
    /// Nothing is wrong with what was asked, but there is no result, or not all of it: the run was
    /// broken off, has not been, or left steps out.
    Runtime,
}

impl Error {
    /// Which kind of error this is, for callers who treat all of a kind alike.
    ///
    /// ```
    /// use wgpu_metric_learning::{Batch, Context, ErrorKind, Triplet};
    ///
    /// # let batch = Batch::new(&[0.0, 0.5, 1.0], [3, 1], &[0, 0, 1])?;
    /// let run = || Context::headless()?.evaluate(Triplet::default(), &batch).wait();
    /// match run().map_err(|error| error.kind()) {
    ///     Ok(evaluation) => println!("{}", evaluation.loss),
    ///     Err(ErrorKind::Device) => println!("compute on the CPU"),
    ///     Err(kind) => panic!("{kind:?}"),
    /// }
    /// # Ok::<(), wgpu_metric_learning::Error>(())
    /// ```
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Empty { .. }
            | Self::Length { .. }
            | Self::Name { .. }
            | Self::NotFinite { .. }
            | Self::LabelOutOfRange { .. }
            | Self::IndexOutOfRange { .. }
            | Self::PairWithItself { .. }
            | Self::Target { .. }
            | Self::NotInMode { .. }
            | Self::NotTaken { .. }
            | Self::NoLoss { .. }
            | Self::Set { .. }
            | Self::Parameter { .. }
            | Self::Missing { .. }
            | Self::Buffer { .. } => ErrorKind::Input,
            Self::Unsupported { .. } | Self::MissingFeature { .. } => ErrorKind::Unsupported,
            Self::TooLarge { .. }
            | Self::Workspace { .. }
            | Self::DeviceLimit { .. }
            | Self::TooLong { .. }
            | Self::BeyondPlan { .. }
            | Self::Overflow { .. } => ErrorKind::Limit,
            Self::NoAdapter { .. }
            | Self::DeviceCreation { .. }
            | Self::OutOfMemory { .. }
            | Self::Gpu { .. }
            | Self::DeviceLost { .. } => ErrorKind::Device,
            Self::OfRank { kind, .. } => *kind,
            Self::Timeout { .. }
            | Self::Ranks { .. }
            | Self::Cancelled
            | Self::NotComputed
            | Self::StepsLeftOut { .. } => ErrorKind::Runtime,
        }
    }
}

/// `A, B and C`.
pub(crate) fn joined<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let mut names: Vec<_> = names.into_iter().collect();
    let Some(last) = names.pop() else { return String::new() };
    let others: Vec<_> = names.iter().map(AsRef::as_ref).collect();
    if others.is_empty() {
        last.as_ref().into()
    } else {
        format!("{} and {}", others.join(", "), last.as_ref())
    }
}
