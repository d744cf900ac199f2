//! Which bindings the kernels of each folder of `shaders/` have.

use std::num::NonZeroU64;

use crate::gpu::kernel::stage::Stage;
use crate::wgsl::layout;

/// The kind of resource that a binding takes, and its name in the WGSL. Kernels of one interface
/// that name it differently have their names beside each other: `"coefficients|choices"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// The `Stripe` uniform, chosen by the dynamic offset of a dispatch.
    Stripe,
    /// A uniform.
    Uniform(&'static str),
    /// A storage buffer that is read.
    Read(&'static str),
    /// A storage buffer that is written, and may be read.
    Write(&'static str),
}

/// What the kernels of a folder of `shaders/`, or of one file there, are bound to: they have the
/// same bind group layout, in group 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Interface {
    PrepareSizes,
    PrepareRows,
    PrepareCentre,
    PrepareSquares,
    PrepareLearned,
    PrepareWeights,
    PrepareList,
    Incidence,
    Distance,
    Terms,
    Gradient,
    /// One that also finishes what it sums up.
    FinishedGradient,
    Pointwise,
    FinishTotals,
    FinishAccumulate,
    FinishGradient,
    FinishLearned,
    FinishStatus,
    FinishWithdraw,
    FinishOutput,
    MeasureRanks,
    MeasureTotals,
    SearchNearest,
    SearchTotals,
    VerificationNumbers,
    VerificationOffsets,
    VerificationCollect,
    VerificationPlaces,
    VerificationBest,
    VerificationDigits,
    VerificationChoose,
    VerificationTotals,
    Optimizer,
    Linear,
    Rectified,
}

impl Interface {
    /// The bindings in the order of their numbers.
    pub(crate) const fn slots(self) -> &'static [Slot] {
        use Slot::{Read, Stripe, Uniform, Write};
        match self {
            Self::PrepareSizes => &[
                Uniform("subject"),
                Read("rows"),
                Read("reference_rows"),
                Read("listed"),
                Write("sizes"),
            ],
            Self::PrepareRows => &[
                Uniform("subject"),
                Read("raw"),
                Read("raw_labels"),
                Write("points"),
                Write("norms"),
                Write("labels"),
                Write("state"),
                Uniform("sizes"),
            ],
            Self::PrepareCentre => &[Read("points"), Write("centre"), Uniform("sizes")],
            Self::PrepareSquares => &[
                Uniform("start"),
                Write("points"),
                Read("centre"),
                Write("squares"),
                Read("state"),
            ],
            Self::PrepareLearned => &[Read("raw"), Write("learned"), Write("state")],
            Self::PrepareWeights => &[
                Uniform("subject"),
                Read("raw"),
                Read("labels"),
                Write("learned"),
                Write("state"),
                Uniform("sizes"),
            ],
            Self::PrepareList => &[
                Uniform("start"),
                Read("entries"),
                Read("same_or_targets"),
                Write("pairs"),
                Write("kinds"),
                Write("state"),
                Uniform("sizes"),
            ],
            Self::Incidence => &[
                Stripe,
                Read("keys"),
                Read("order"),
                Write("counts|begins"),
                Write("ordered"),
                Uniform("sizes"),
            ],
            Self::Distance => &[
                Stripe,
                Read("left|scores"),
                Read("right"),
                Read("left_norms"),
                Read("right_norms"),
                Read("pairs|state"),
                Write("distances"),
                Uniform("sizes"),
            ],
            Self::Terms => &[
                Stripe,
                Uniform("parameters"),
                Read("labels|keys"),
                Read("reference_labels|order"),
                Read("distances"),
                Write("coefficients|choices"),
                Write("rows"),
                Write("row_statistics|levels"),
                Read("totals"),
                Read("learned"),
                Uniform("sizes"),
            ],
            Self::Gradient => &[
                Stripe,
                Read("own|points"),
                Read("other|listed_rows"),
                Read("coefficients|choices|slices"),
                Write("gradient"),
                Read("order|distances"),
                Uniform("sizes"),
            ],
            Self::FinishedGradient => &[
                Stripe,
                Read("own"),
                Read("other"),
                Read("coefficients|choices|slices"),
                Write("gradient"),
                Read("order|distances"),
                Uniform("sizes"),
                Write("totals"),
                Write("state"),
                Uniform("finish"),
            ],
            Self::Pointwise => &[
                Uniform("cut"),
                Uniform("parameters"),
                Read("values"),
                Read("targets|labels"),
                Write("gradient"),
                Write("rows"),
                Write("state"),
                Uniform("sizes"),
            ],
            Self::FinishTotals => &[
                Uniform("summands"),
                Read("rows"),
                Write("totals"),
                Write("state"),
                Uniform("sizes"),
            ],
            Self::FinishAccumulate => &[
                Uniform("subject"),
                Read("gradient"),
                Read("totals"),
                Write("sum"),
                Write("total_loss"),
                Write("state"),
            ],
            Self::FinishGradient => &[
                Uniform("subject"),
                Write("gradient"),
                Read("transposed"),
                Read("points"),
                Read("norms"),
                Write("totals"),
                Write("state"),
                Uniform("sizes"),
            ],
            Self::FinishLearned => &[
                Uniform("start"),
                Read("rows"),
                Read("labels"),
                Read("totals"),
                Write("gradient"),
                Write("state"),
            ],
            Self::FinishStatus => {
                &[Uniform("sizes"), Write("totals"), Read("state"), Write("status")]
            }
            Self::FinishWithdraw => &[Uniform("subject"), Read("status"), Write("numbers")],
            Self::FinishOutput => {
                &[Uniform("subject"), Read("gradient"), Read("status"), Write("result")]
            }
            Self::MeasureRanks => &[
                Stripe,
                Write("ranks"),
                Read("labels"),
                Read("reference_labels"),
                Read("distances"),
                Uniform("sizes"),
                Read("cutoffs"),
                Read("ideal_gains"),
                Write("scores"),
            ],
            Self::MeasureTotals => &[
                Read("ranks"),
                Read("cutoffs"),
                Read("scores"),
                Write("at"),
                Write("measures"),
                Write("state"),
                Uniform("sizes"),
            ],
            Self::SearchNearest => &[
                Stripe,
                Write("indices"),
                Read("labels"),
                Read("reference_labels"),
                Read("distances"),
                Uniform("sizes"),
                Uniform("wanted"),
                Write("nearest"),
                Write("tally"),
            ],
            Self::SearchTotals => {
                &[Write("tally"), Write("found"), Write("state"), Uniform("sizes")]
            }
            Self::VerificationNumbers => &[
                Stripe,
                Write("offsets"),
                Read("labels"),
                Read("reference_labels"),
                Read("distances"),
                Uniform("sizes"),
            ],
            Self::VerificationOffsets => {
                &[Write("offsets"), Write("pieces"), Write("found"), Uniform("sizes")]
            }
            Self::VerificationCollect => &[
                Stripe,
                Read("offsets"),
                Read("labels"),
                Read("reference_labels"),
                Read("distances"),
                Uniform("sizes"),
                Uniform("piece"),
                Write("keys"),
            ],
            Self::VerificationPlaces => &[
                Stripe,
                Read("sorted"),
                Read("labels"),
                Read("reference_labels"),
                Read("distances"),
                Uniform("sizes"),
                Uniform("piece"),
                Write("counts"),
                Write("tally"),
            ],
            Self::VerificationBest => {
                &[Uniform("piece"), Read("sorted"), Write("counts"), Write("found")]
            }
            Self::VerificationDigits => &[
                Stripe,
                Read("marks"),
                Read("labels"),
                Read("reference_labels"),
                Read("distances"),
                Uniform("sizes"),
                Write("tally"),
            ],
            Self::VerificationChoose => &[Write("marks"), Read("tally")],
            Self::VerificationTotals => {
                &[Write("tally"), Write("found"), Write("state"), Uniform("sizes")]
            }
            Self::Optimizer => &[
                Uniform("start"),
                Read("gradient"),
                Write("parameters"),
                Write("moments|velocities"),
                Write("progress"),
                Uniform("settings"),
            ],
            Self::Linear => &[Uniform("size"), Read("left"), Read("right"), Write("product")],
            Self::Rectified => &[Uniform("start"), Read("values"), Write("gradient")],
        }
    }

    /// The stage that its dispatches belong to.
    pub(crate) const fn stage(self) -> Stage {
        match self {
            Self::PrepareSizes
            | Self::PrepareRows
            | Self::PrepareCentre
            | Self::PrepareSquares
            | Self::PrepareLearned
            | Self::PrepareWeights
            | Self::PrepareList
            | Self::Incidence => Stage::Prepare,
            Self::Distance => Stage::Distance,
            Self::Terms
            | Self::Pointwise
            | Self::MeasureRanks
            | Self::SearchNearest
            | Self::VerificationNumbers
            | Self::VerificationOffsets
            | Self::VerificationCollect
            | Self::VerificationPlaces
            | Self::VerificationBest
            | Self::VerificationDigits
            | Self::VerificationChoose => Stage::Terms,
            Self::Gradient | Self::FinishedGradient => Stage::Gradient,
            Self::FinishTotals
            | Self::FinishAccumulate
            | Self::FinishGradient
            | Self::FinishLearned
            | Self::FinishStatus
            | Self::FinishWithdraw
            | Self::FinishOutput
            | Self::MeasureTotals
            | Self::SearchTotals
            | Self::VerificationTotals => Stage::Finish,
            Self::Optimizer | Self::Linear | Self::Rectified => Stage::Training,
        }
    }

    /// The entries of its bind group layout.
    pub(crate) fn layout_entries(self) -> Vec<wgpu::BindGroupLayoutEntry> {
        let entry = |(binding, slot): (usize, &Slot)| wgpu::BindGroupLayoutEntry {
            binding: binding as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: slot.binding_type(),
            count: None,
        };
        self.slots().iter().enumerate().map(entry).collect()
    }

    pub(crate) fn bind_group_layout(self, device: &wgpu::Device) -> wgpu::BindGroupLayout {
        device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some(&format!("metric-learning {self:?}")),
            entries: &self.layout_entries(),
        })
    }
}

impl Slot {
    /// The names that the kernels of the interface have for it.
    #[cfg(test)]
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        let names = match self {
            Self::Stripe => "stripe",
            Self::Uniform(names) | Self::Read(names) | Self::Write(names) => names,
        };
        names.split('|')
    }

    fn binding_type(self) -> wgpu::BindingType {
        let ty = match self {
            Self::Stripe | Self::Uniform(_) => wgpu::BufferBindingType::Uniform,
            Self::Read(_) => wgpu::BufferBindingType::Storage { read_only: true },
            Self::Write(_) => wgpu::BufferBindingType::Storage { read_only: false },
        };
        let min_binding_size = match self {
            Self::Stripe => NonZeroU64::new(size_of::<layout::Stripe>() as u64),
            _ => None,
        };
        wgpu::BindingType::Buffer { ty, has_dynamic_offset: self == Self::Stripe, min_binding_size }
    }
}
