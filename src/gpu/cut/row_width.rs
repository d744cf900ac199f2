//! How many invocations share a row of the matrix.

use crate::names::named;

/// How many invocations share a row of the matrix, where a loss goes through it. Few are idle at
/// the end of a short row if they are few; a long one is gone through faster by many. It decides
/// how the numbers of a row are added up, and so the last bits of a result.
///
/// [`Options::row_width`](crate::Options::row_width) chooses it. Where it does not, rows are narrow
/// up to
///
/// | adapter | columns |
/// |---|---|
/// | software | 16,384 |
/// | any other | 1,024 |
///
/// and wide beyond. The first line was measured on llvmpipe; the other, four vectors of four
/// columns for each of 64 invocations, was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowWidth {
    /// 64 invocations.
    Narrow,
    /// 256 invocations.
    Wide,
}

named! {
    /// Every width.
    RowWidth, "row width":
    Narrow "narrow",
    Wide "wide",
}

impl RowWidth {
    /// `WORKGROUP` of `shaders/shared/reduce.wgsl`.
    pub(crate) const fn invocations(self) -> u32 {
        match self {
            Self::Narrow => 64,
            Self::Wide => 256,
        }
    }

    pub(crate) fn usual(device: wgpu::DeviceType, columns: u32) -> Self {
        let narrow = if device == wgpu::DeviceType::Cpu { 16_384 } else { 1_024 };
        if columns <= narrow { Self::Narrow } else { Self::Wide }
    }
}
