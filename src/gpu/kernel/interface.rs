//! Which bindings the kernels of each room of `shaders/` have.

use std::num::NonZeroU64;

use crate::gpu::kernel::stage::Stage;
use crate::wgsl::layout;

/// What a binding of a kernel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// The `Stripe` uniform, chosen by the dynamic offset of a dispatch.
    Stripe,
    /// A uniform.
    Uniform,
    /// A storage buffer that is read.
    Read,
    /// A storage buffer that is written, and may be read.
    Write,
}

/// A room of `shaders/`: all its kernels have the same bindings, in group 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Interface {
    PrepareSizes,
    PrepareRows,
    PrepareBeta,
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
    FinishBeta,
    FinishVerdict,
    FinishOutput,
    MeasureRanks,
    MeasureTotals,
    Optimizer,
    Linear,
}

impl Interface {
    pub(crate) const fn slots(self) -> &'static [Slot] {
        use Slot::{Read, Stripe, Uniform, Write};
        match self {
            Self::PrepareSizes => &[Uniform, Read, Read, Read, Write],
            Self::PrepareRows => &[Uniform, Read, Read, Write, Write, Write, Write, Uniform],
            Self::PrepareBeta => &[Read, Write, Write],
            Self::PrepareList => &[Uniform, Read, Read, Write, Write, Write, Uniform],
            Self::Incidence => &[Stripe, Read, Read, Write, Write, Uniform],
            Self::Distance => &[Stripe, Read, Read, Read, Read, Read, Write, Uniform],
            Self::Terms => {
                &[Stripe, Uniform, Read, Read, Read, Write, Write, Write, Read, Read, Uniform]
            }
            Self::Gradient => &[Stripe, Read, Read, Read, Write, Read, Uniform],
            Self::FinishedGradient => {
                &[Stripe, Read, Read, Read, Write, Read, Uniform, Write, Write, Uniform]
            }
            Self::Pointwise => &[Uniform, Uniform, Read, Read, Write, Write, Write, Uniform],
            Self::FinishTotals => &[Uniform, Read, Write, Write, Uniform],
            Self::FinishAccumulate => &[Uniform, Read, Read, Write, Write, Write],
            Self::FinishGradient => &[Uniform, Write, Read, Read, Read, Write, Write, Uniform],
            Self::FinishBeta => &[Uniform, Read, Read, Read, Write, Write],
            Self::FinishVerdict => &[Uniform, Read, Read, Write],
            Self::FinishOutput => &[Uniform, Read, Read, Write],
            Self::MeasureRanks => &[Stripe, Write, Read, Read, Read, Uniform],
            Self::MeasureTotals => &[Read, Read, Write, Write, Write, Uniform],
            Self::Optimizer => &[Uniform, Read, Write, Write, Write, Uniform],
            Self::Linear => &[Uniform, Read, Read, Write],
        }
    }

    /// The stage that its dispatches belong to.
    pub(crate) const fn stage(self) -> Stage {
        match self {
            Self::PrepareSizes
            | Self::PrepareRows
            | Self::PrepareBeta
            | Self::PrepareList
            | Self::Incidence => Stage::Prepare,
            Self::Distance => Stage::Distance,
            Self::Terms | Self::Pointwise | Self::MeasureRanks => Stage::Terms,
            Self::Gradient | Self::FinishedGradient => Stage::Gradient,
            Self::FinishTotals
            | Self::FinishAccumulate
            | Self::FinishGradient
            | Self::FinishBeta
            | Self::FinishVerdict
            | Self::FinishOutput
            | Self::MeasureTotals => Stage::Finish,
            Self::Optimizer | Self::Linear => Stage::Training,
        }
    }

    /// What a bind group of the room has.
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
    fn binding_type(self) -> wgpu::BindingType {
        let ty = match self {
            Self::Stripe | Self::Uniform => wgpu::BufferBindingType::Uniform,
            Self::Read => wgpu::BufferBindingType::Storage { read_only: true },
            Self::Write => wgpu::BufferBindingType::Storage { read_only: false },
        };
        let min_binding_size = match self {
            Self::Stripe => NonZeroU64::new(size_of::<layout::Stripe>() as u64),
            _ => None,
        };
        wgpu::BindingType::Buffer { ty, has_dynamic_offset: self == Self::Stripe, min_binding_size }
    }
}
