//! Every kernel there is. They are made here and nowhere else, so that [`all`] can list them
//! without a device.

use crate::data::input::Input;
use crate::data::mode::Mode;
use crate::gpu::cut::row_width::RowWidth;
use crate::gpu::cut::tiles::Tile;
use crate::gpu::kernel::Kernel;
use crate::gpu::kernel::interface::Interface;
use crate::gpu::kernel::matrix::{MatrixKind, Summation};
use crate::gpu::kernel::verification;
use crate::loss::{Description, Learned, Loss, Reduction, Thresholded};
use crate::measures::RANKING;
use crate::names::every;
use crate::training::{Optimizer, Rule};
use crate::wgsl::include::{Shader, shader};
use crate::wgsl::layout::DIGIT_BITS;
use crate::wgsl::terms::{Statistics, TermsKernel};

/// Every kernel that a plan can have, in every variant, each once.
pub(crate) fn all() -> Vec<Kernel> {
    let mut all = Kernels::default();
    all.extend([
        prepare_sizes(),
        prepare_rows(),
        prepare_centre(),
        prepare_weights(false),
        prepare_weights(true),
        accumulate(),
        finish_gradient(),
        status(false),
        status(true),
        withdraw(),
        output(),
        ranks(RANKING.usual_portion()),
        measures(),
        nearest(),
        search_totals(),
    ]);
    all.extend(verification::all());
    let sliced = Summation::SLICED.into_iter();
    all.extend(sliced.flat_map(|one| [false, true].map(|finished| one.sum_of_slices(finished))));
    all.extend(Mode::ALL.into_iter().filter_map(prepare_list));
    // A row's index has the digits of a u32, and so has a target.
    let digits = 0..u32::BITS / DIGIT_BITS;
    all.extend(digits.flat_map(|digit| Sorted::ALL.map(|one| incidence(one, digit))).flatten());
    all.extend(Factor::ALL.map(linear));
    all.extend([rectified()]);
    all.extend(Optimizer::all().iter().flat_map(|one| optimizer(&one.rule())));
    for loss in Loss::variants() {
        let description = loss.description();
        all.extend([false, true].map(|last| totals(&loss, last)));
        for learned in description.learned() {
            all.extend([prepare_learned(learned), finish_learned(learned)]);
        }
        for &mode in loss.modes() {
            match loss.distance() {
                Some(distance) => {
                    let terms = description.terms_kernel();
                    for matrix in MatrixKind::of(mode, distance) {
                        all.extend(over_pairs(matrix, &terms));
                        if loss.takes_weights() && mode.has_anchors() {
                            all.extend(weighed(matrix, &description.terms_kernel().weighed()));
                        }
                        if description.thresholded() == Thresholded::Anchors {
                            let by_statistics = terms.statistics.has_both_ends();
                            let widths = RowWidth::ALL.into_iter();
                            all.extend(widths.map(|width| matrix.within(by_statistics, width)));
                        }
                        all.extend(matrix.prepare_squares());
                    }
                }
                None => all.extend([pointwise(description)]),
            }
        }
    }
    all.0
}

#[derive(Default)]
pub(crate) struct Kernels(Vec<Kernel>);

impl Kernels {
    /// Adds those that are new.
    fn extend(&mut self, kernels: impl IntoIterator<Item = Kernel>) {
        for kernel in kernels {
            if !self.0.contains(&kernel) {
                self.0.push(kernel);
            }
        }
    }
}

/// What the kernels of a loss on such a matrix have beside the others where anchors have weights.
pub(crate) fn weighed(matrix: MatrixKind, terms: &TermsKernel) -> Vec<Kernel> {
    let widths = RowWidth::ALL.into_iter();
    match terms.statistics.has_both_ends() {
        true => widths.flat_map(|width| terms_over_pairs(matrix, terms, width)).collect(),
        false => widths.map(|width| matrix.weigh(terms, width)).collect(),
    }
}

/// The kernels of a loss on such a matrix.
pub(crate) fn over_pairs(matrix: MatrixKind, terms: &TermsKernel) -> Vec<Kernel> {
    let mut kernels = Vec::new();
    for width in RowWidth::ALL {
        kernels.extend(terms_over_pairs(matrix, terms, width));
    }
    kernels.extend(Tile::ALL.map(|tile| matrix.distances(tile)));
    if terms.chooses {
        let summations: &[_] = if matrix.mode == Mode::Batch {
            &[Summation::Joined]
        } else {
            &[Summation::Rows, Summation::Columns]
        };
        for &summation in summations {
            kernels.extend([
                matrix.chosen_gradient(summation),
                matrix.finished_chosen_gradient(summation),
            ]);
        }
    } else if matrix.is_tiled() {
        let summations = Summation::ALL.into_iter().filter(|one| one.is_taken(matrix.mode, terms));
        for (summation, tile) in summations.flat_map(|one| Tile::ALL.map(|tile| (one, tile))) {
            kernels.push(matrix.tiled_gradient(summation, tile));
            if summation.is_finished_at_once(matrix.mode, terms) {
                kernels.push(matrix.finished_gradient(summation, tile, terms));
            }
        }
    } else {
        kernels.push(matrix.gradient());
    }
    kernels
}

/// The kernels of its terms.
fn terms_over_pairs(matrix: MatrixKind, terms: &TermsKernel, width: RowWidth) -> Vec<Kernel> {
    let statistics = terms.statistics;
    let mut entries = vec![MAIN];
    entries.extend(statistics.has_rows().then_some(STATISTICS));
    entries.extend(statistics.has_columns().then_some(COLUMN_STATISTICS));
    if statistics == Statistics::Order {
        entries.extend([SCAN, CARRY, SHARE]);
    }
    // Rows that are too long for that many chunks take fewer: the same kernel with another
    // constant.
    let portion = terms.walk.usual_portion();
    entries.into_iter().map(|entry| matrix.terms(terms, entry, portion, width)).collect()
}

/// The entry point of every kernel, but for the statistics of a loss and the beginning of an
/// optimiser's step.
pub(crate) const MAIN: &str = "main";

pub(crate) const STATISTICS: &str = "statistics";

pub(crate) const COLUMN_STATISTICS: &str = "column_statistics";

/// What is found of the pairs of a list in the order of their targets, one after the other.
pub(crate) const SCAN: &str = "scan";

pub(crate) const CARRY: &str = "carry";

pub(crate) const SHARE: &str = "share";

pub(crate) const BEGIN: &str = "begin";

pub(crate) fn kernel(
    interface: Interface,
    shader: Shader,
    constants: Vec<(&'static str, f64)>,
) -> Kernel {
    Kernel { interface, shader, entry: MAIN, constants }
}

pub(crate) fn prepare_sizes() -> Kernel {
    kernel(Interface::PrepareSizes, shader!("prepare/sizes.wgsl"), Vec::new())
}

pub(crate) fn prepare_rows() -> Kernel {
    kernel(Interface::PrepareRows, shader!("prepare/rows.wgsl"), Vec::new())
}

pub(crate) fn prepare_centre() -> Kernel {
    kernel(Interface::PrepareCentre, shader!("prepare/centre.wgsl"), Vec::new())
}

pub(crate) fn prepare_learned(learned: Learned) -> Kernel {
    let is_scale = learned.input == Input::Scale;
    kernel(
        Interface::PrepareLearned,
        shader!("prepare/learned.wgsl"),
        vec![("IS_SCALE", is_scale.into()), ("PLACE", learned.place().into())],
    )
}

/// Prepares the weights of anchors, given one for each of them or one for each class.
pub(crate) fn prepare_weights(by_class: bool) -> Kernel {
    let constants = vec![("BY_CLASS", by_class.into())];
    kernel(Interface::PrepareWeights, shader!("prepare/weights.wgsl"), constants)
}

/// Prepares a list, for the modes that have one, numbered as in the file.
pub(crate) fn prepare_list(mode: Mode) -> Option<Kernel> {
    let kind = match mode {
        Mode::Triplets => 2,
        _ if mode.has_pair_indices() => 1,
        _ if mode.is_row_aligned() => 0,
        _ => return None,
    };
    let constants = vec![("KIND", kind.into()), ("SCORED", mode.is_scored().into())];
    Some(kernel(Interface::PrepareList, shader!("prepare/list.wgsl"), constants))
}

/// What of a list is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sorted {
    /// The two places of every pair, by the rows that stand there.
    Places,
    /// The pairs, by their targets.
    Pairs,
}

every! {
    /// Whatever is sorted.
    Sorted: Places, Pairs
}

impl Sorted {
    /// How many there are of every pair.
    pub(crate) const fn per_pair(self) -> u32 {
        match self {
            Self::Places => 2,
            Self::Pairs => 1,
        }
    }
}

/// The kernels that sort by a digit, in their order.
pub(crate) fn incidence(sorted: Sorted, digit: u32) -> [Kernel; 3] {
    let files = [
        shader!("incidence/count.wgsl"),
        shader!("incidence/scan.wgsl"),
        shader!("incidence/scatter.wgsl"),
    ];
    files.map(|shader| {
        let shift = digit * DIGIT_BITS;
        let constants = vec![("SHIFT", shift.into()), ("PER_PAIR", sorted.per_pair().into())];
        kernel(Interface::Incidence, shader, constants)
    })
}

pub(crate) fn pointwise(loss: &dyn Description) -> Kernel {
    // The kernels of rows have their truth written into them.
    let constants = if loss.per_anchor() {
        Vec::new()
    } else {
        vec![("TRUTH", f64::from(loss.truth() as u32))]
    };
    kernel(Interface::Pointwise, loss.terms_kernel().shader, constants)
}

/// Adds up the rows of a loss; the `last` loss also takes the faults over.
pub(crate) fn totals(loss: &Loss, last: bool) -> Kernel {
    // As the file numbers them.
    let split = match (loss.description().terms_kernel().statistics, loss.reduction()) {
        (Statistics::Columns, Reduction::Mean) => 2.0,
        (Statistics::Columns, Reduction::Sum) => 0.0,
        (Statistics::Totals | Statistics::Columns, _) => 1.0,
        _ => 0.0,
    };
    let constants = vec![
        ("REDUCTION", f64::from(loss.reduction().number())),
        ("SPLIT_MEAN", split),
        ("LAST", last.into()),
    ];
    kernel(Interface::FinishTotals, shader!("finish/totals.wgsl"), constants)
}

pub(crate) fn accumulate() -> Kernel {
    kernel(Interface::FinishAccumulate, shader!("finish/accumulate.wgsl"), Vec::new())
}

pub(crate) fn finish_gradient() -> Kernel {
    kernel(Interface::FinishGradient, shader!("finish/gradient.wgsl"), Vec::new())
}

pub(crate) fn finish_learned(learned: Learned) -> Kernel {
    kernel(
        Interface::FinishLearned,
        shader!("finish/learned.wgsl"),
        vec![("PER_CLASS", learned.per_class.into()), ("PLACE", learned.place().into())],
    )
}

/// Whether the results of a loss are valid; the `first` of a plan writes it.
pub(crate) fn status(first: bool) -> Kernel {
    kernel(Interface::FinishStatus, shader!("finish/status.wgsl"), vec![("FIRST", first.into())])
}

/// Takes back what an evaluation wrote that was not valid.
pub(crate) fn withdraw() -> Kernel {
    kernel(Interface::FinishWithdraw, shader!("finish/withdraw.wgsl"), Vec::new())
}

/// Hands a gradient to a buffer of the caller's.
pub(crate) fn output() -> Kernel {
    kernel(Interface::FinishOutput, shader!("finish/output.wgsl"), Vec::new())
}

pub(crate) fn ranks(portion: Option<u64>) -> Kernel {
    kernel(Interface::MeasureRanks, shader!("measures/ranks.wgsl"), portion_constant(portion))
}

pub(crate) fn measures() -> Kernel {
    kernel(Interface::MeasureTotals, shader!("measures/totals.wgsl"), Vec::new())
}

/// The nearest columns of every row.
pub(crate) fn nearest() -> Kernel {
    kernel(Interface::SearchNearest, shader!("search/nearest.wgsl"), Vec::new())
}

pub(crate) fn search_totals() -> Kernel {
    kernel(Interface::SearchTotals, shader!("search/totals.wgsl"), Vec::new())
}

/// A step of an optimiser: what is the same for all parameters, then every parameter.
pub(crate) fn optimizer(rule: &Rule) -> [Kernel; 2] {
    [BEGIN, MAIN]
        .map(|entry| Kernel { entry, ..kernel(Interface::Optimizer, rule.shader, Vec::new()) })
}

/// How the left matrix of a product is read, and the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Factor {
    /// Rows as they are.
    Rows,
    /// Transposed.
    Columns,
    /// Rows that go into a layer: a one stands behind each, and they may be rectified.
    Layer { rectified: bool },
    /// The same transposed.
    LayerColumns { rectified: bool },
    /// Rows as they are, and the right matrix transposed.
    RowsByRows,
}

impl Factor {
    pub(crate) const ALL: [Self; 7] = [
        Self::Rows,
        Self::Columns,
        Self::Layer { rectified: false },
        Self::Layer { rectified: true },
        Self::LayerColumns { rectified: false },
        Self::LayerColumns { rectified: true },
        Self::RowsByRows,
    ];
}

/// The product of two matrices.
pub(crate) fn linear(factor: Factor) -> Kernel {
    let constants = match factor {
        Factor::Rows => vec![("TRANSPOSED", 0.0)],
        Factor::Columns => vec![("TRANSPOSED", 1.0)],
        Factor::Layer { rectified } => vec![("BIASED", 1.0), ("RECTIFIED", rectified.into())],
        Factor::LayerColumns { rectified } => {
            vec![("TRANSPOSED", 1.0), ("BIASED", 1.0), ("RECTIFIED", rectified.into())]
        }
        Factor::RowsByRows => vec![("RIGHT_TRANSPOSED", 1.0)],
    };
    kernel(Interface::Linear, shader!("training/linear.wgsl"), constants)
}

/// The slopes of a layer that was rectified.
pub(crate) fn rectified() -> Kernel {
    kernel(Interface::Rectified, shader!("training/rectified.wgsl"), Vec::new())
}

/// The portion as the constant of the kernels that have one.
pub(crate) fn portion_constant(portion: Option<u64>) -> Vec<(&'static str, f64)> {
    portion.iter().map(|&portion| ("PORTION", portion as f64)).collect()
}
