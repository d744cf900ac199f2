//! The structs that host and kernels share, in the layout of WGSL.

use bytemuck::{Pod, Zeroable};

/// `Stripe` of `shaders/shared/stripe.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Stripe {
    pub begin: u32,
    pub rows: u32,
    pub dimensions: u32,
    pub vectors: u32,
    pub stride: u32,
    pub same_set: u32,
    pub own: u32,
    pub portion: u32,
    pub first_x: u32,
    pub first_y: u32,
    pub first_row: u32,
    pub slice: u32,
}

/// `Sizes` of `shaders/shared/sizes.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Sizes {
    pub queries: u32,
    pub references: u32,
    pub listed: u32,
    pub pairs: u32,
    pub given: [u32; 4],
}

/// `Planned` of `shaders/prepare/sizes.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Planned {
    pub sizes: [u32; 4],
    pub is_given: [u32; 4],
    pub pairs_per_entry: u32,
    pub padding: [u32; 3],
}

/// `Rows` of `shaders/prepare/rows.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Rows {
    pub first: u32,
    pub of_references: u32,
    pub dimensions: u32,
    pub vectors: u32,
    pub unit: u32,
    pub labelled: u32,
    pub classes: u32,
    pub fault: u32,
    pub offset: u32,
    pub stride: u32,
}

/// `Weights` of `shaders/prepare/weights.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Weights {
    pub first: u32,
    pub place: u32,
}

/// `Cut` of `shaders/pointwise/values.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Cut {
    pub first: u32,
    pub dimensions: u32,
    pub width: u32,
    pub rows: u32,
}

/// `Finish` of `shaders/finish/gradient.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Finish {
    pub first: u32,
    pub of_references: u32,
    pub dimensions: u32,
    pub width: u32,
    pub vectors: u32,
    pub unit: u32,
    pub add: u32,
    pub last: u32,
    pub factor: f32,
}

/// `Summands` of `shaders/finish/totals.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Summands {
    pub weight: f32,
    pub by: u32,
}

impl Summands {
    /// All rows, those of the queries that there are, and those of the references.
    pub(crate) const ALL: u32 = 0;
    pub(crate) const QUERIES: u32 = 1;
    pub(crate) const REFERENCES: u32 = 2;
}

/// `Accumulate` of `shaders/finish/accumulate.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Accumulate {
    pub first: u32,
    pub count: u32,
    pub is_first: u32,
    pub is_first_of_all: u32,
    pub weight: f32,
}

/// `Output` of `shaders/finish/output.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Output {
    pub first: u32,
    pub count: u32,
    pub accumulate: u32,
    pub factor: f32,
    pub columns: u32,
    pub offset: u32,
    pub stride: u32,
}

/// `Withdrawal` of `shaders/finish/withdraw.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Withdrawal {
    pub first: u32,
    pub count: u32,
    pub filling: u32,
}

/// `Row` of `shaders/shared/summary.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Row {
    pub loss: f32,
    pub negative_loss: f32,
    pub positive_distance: f32,
    pub negative_distance: f32,
    pub positives: u32,
    pub negatives: u32,
    pub nonzero_positives: u32,
    pub nonzero_negatives: u32,
    pub terms: [u32; 2],
    pub nonzero: [u32; 2],
    pub learned_slopes: [f32; 2],
    pub scaled: u32,
    pub padding: u32,
}

/// `Totals` of `shaders/shared/summary.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Totals {
    pub loss: f32,
    pub scale: f32,
    pub positive_weight: f32,
    pub negative_weight: f32,
    pub mean_positive_distance: f32,
    pub mean_negative_distance: f32,
    pub sequence: u32,
    pub rows: u32,
    pub terms: [u32; 2],
    pub nonzero: [u32; 2],
    pub nonzero_positives: [u32; 2],
    pub nonzero_negatives: [u32; 2],
    pub positive_pairs: [u32; 2],
    pub negative_pairs: [u32; 2],
    pub faults: [u32; 4],
    pub list_faults: [u32; 4],
    pub given: [u32; 4],
    pub status: u32,
    pub padding: [u32; 3],
}

/// `Statistic` of `shaders/terms/row.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Statistic {
    pub value: f32,
    pub number: u32,
    pub weight: f32,
    pub rest: f32,
}

/// `Statistic`s of a list of so many rows in the place of which `shaders/terms/co_sent.wgsl` has
/// levels: of every pair, and two of every row.
pub(crate) const fn levels(rows: u32) -> u64 {
    rows as u64 * (LIST_STRIDE as u64 + 2)
}

/// Pairs of a list in a row of its stripe; an even number, which keeps the two pairs of a triplet
/// together.
pub(crate) const LIST_STRIDE: u32 = 1024;

/// `Choice` of `shaders/shared/choice.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Choice {
    pub positive: u32,
    pub negative: u32,
    pub positive_coefficient: f32,
    pub negative_coefficient: f32,
}

/// `Ranks` of `shaders/measures/summary.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Ranks {
    pub positives: u32,
    pub first: u32,
    pub within: u32,
    pub precisions: f32,
    pub all_precisions: f32,
    pub overflow: u32,
}

/// `Cutoff` of `shaders/measures/summary.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Cutoff {
    pub measure: u32,
    pub k: u32,
    pub divisor: f32,
    pub first: u32,
}

impl Cutoff {
    pub(crate) const RECALL: u32 = 0;
    pub(crate) const PRECISION: u32 = 1;
    /// NDCG.
    pub(crate) const GAIN: u32 = 2;
}

/// `Measures` of `shaders/measures/totals.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Measures {
    pub counted: u32,
    pub overflow: u32,
    pub sequence: u32,
    pub reciprocal_rank: f32,
    pub r_precision: f32,
    pub average_precision_at_r: f32,
    pub average_precision: f32,
    pub padding: u32,
    pub faults: [u32; 4],
    pub given: [u32; 4],
}

/// `Piece` of `shaders/verification/piece.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Piece {
    pub sizes: Sizes,
    pub first: u32,
    pub capacity: u32,
    pub padding: [[u32; 27]; 2],
}

/// `Found` of `shaders/verification/found.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Found {
    pub nearer: [u32; 4],
    pub faults: [u32; 4],
    pub list_faults: [u32; 4],
    pub given: [u32; 4],
    pub same_pairs: [u32; 2],
    pub margin: [u32; 2],
    pub threshold: u32,
    pub overflow: u32,
    pub sequence: u32,
    pub padding: u32,
}

/// `FoundRows` of `shaders/search/totals.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct FoundRows {
    pub faults: [u32; 4],
    pub given: [u32; 4],
    pub overflow: u32,
    pub sequence: u32,
    pub padding: [u32; 2],
}

/// `Mark` of `shaders/verification/marks.wgsl`: counts are of 64 bits, of the same and of the
/// different pairs.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Mark {
    pub before: [[u32; 2]; 2],
    pub accepted: [[u32; 2]; 2],
    pub totals: [[u32; 2]; 2],
    pub share: [u32; 2],
    pub is_of_errors: u32,
    pub prefix: u32,
    pub is_open: u32,
    pub below: u32,
    pub padding: [u32; 2],
}

impl Mark {
    /// Thresholds that `shaders/verification/digits.wgsl` looks for at once.
    pub(crate) const AT_ONCE: usize = 4;
    /// Rounds of digits.
    pub(crate) const ROUNDS: u32 = 4;
    /// Counts of each round.
    pub(crate) const BINS: u64 = 256;
}

/// The value of an order of `shaders/shared/order.wgsl`.
pub(crate) fn value_of(order: u32) -> f32 {
    f32::from_bits(if order >> 31 == 1 { order & !(1 << 31) } else { !order })
}

/// `Progress` of `shaders/training/optimizer.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Progress {
    pub steps: u32,
    pub left_out: u32,
    pub first_left_out: u32,
    pub padding: u32,
    pub means_of_one: [f32; 2],
}

/// `Product` of `shaders/training/linear.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Product {
    pub first: u32,
    pub rows: u32,
    pub columns: u32,
    pub summands: u32,
    pub across: u32,
    pub right_begin: u32,
    pub product_begin: u32,
}

/// `Start` of `shaders/shared/start.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Start {
    pub first: u32,
}

/// A uniform that says which workgroup a dispatch begins with, where several share those of a
/// kernel.
pub(crate) trait Starting: Pod {
    fn starting_at(self, first: u32) -> Self;
}

macro_rules! starting {
    ($($layout:ident),*) => {
        $(impl Starting for $layout {
            fn starting_at(mut self, first: u32) -> Self {
                self.first = first;
                self
            }
        })*
    };
}

starting!(Rows, Weights, Cut, Finish, Accumulate, Output, Withdrawal, Product, Start);

/// Entries of the state: `shaders/shared/state.wgsl`.
pub(crate) mod state {
    pub(crate) const EMBEDDINGS_FAULT: u32 = 0;
    pub(crate) const REFERENCES_FAULT: u32 = 1;
    pub(crate) const SIZE: usize = 12;
}

/// Joins a 64-bit count.
pub(crate) fn wide([low, high]: [u32; 2]) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// `BLOCK` and `DIGITS` of `shaders/incidence/digits.wgsl`.
pub(crate) const BLOCK: u64 = 1024;

pub(crate) const DIGITS: u64 = 256;

/// Bits of a digit.
pub(crate) const DIGIT_BITS: u32 = DIGITS.ilog2();

/// The place of a fault from `fault_key` of `shaders/shared/state.wgsl`; 0 is none.
pub(crate) fn fault_place(key: u32) -> Option<usize> {
    (key != 0).then_some((u32::MAX - key) as usize)
}
