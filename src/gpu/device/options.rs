//! How a context works.

use std::time::Duration;

use crate::data::arithmetic::Arithmetic;
use crate::gpu::cut::row_width::RowWidth;
use crate::gpu::cut::tiles::Tiles;
use crate::wgsl::tier::Tier;

/// How a context works. [`Options::default`] is right for most, and the `with_` methods change it:
///
/// ```
/// use wgpu_metric_learning::tuning::Tier;
/// use wgpu_metric_learning::{Adapter, Options};
///
/// let options = Options::default().with_tier(Tier::Baseline).with_workspace_bytes(8 << 20);
/// let context = Adapter::find(None)?.open(options)?;
/// assert_eq!(context.tier(), Tier::Baseline);
/// # Ok::<(), wgpu_metric_learning::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// Bytes of the workspace that holds a stripe of distances and their coefficients, and beside
    /// them the gradient by columns of a cut matrix where that is at most a fourth of it: at
    /// least 8 per column of the matrix. Measures, and triplets of one per anchor outside of
    /// objectives, have no stripe of coefficients: at least 4. A larger one means fewer
    /// dispatches, and one that holds the whole matrix of a batch less work. The result is the
    /// same to the bit for every one that holds at least 64 rows and not the whole matrix, but for
    /// [`NtXent`](crate::NtXent) and [`SupCon`](crate::SupCon) on a GPU, whose gradients are
    /// rounded otherwise there. Sums of slices, which fill a GPU, take room in it that the
    /// distances have left.
    /// Default 32 MiB, which stays in a large GPU's cache and holds batches of up to 2,048
    /// rows, or without coefficients 2,896.
    pub workspace_bytes: u64,
    /// Arithmetic operations of a dispatch, roughly, beyond which its workgroups are shared out
    /// among several: what a device that others use as well, or that a watchdog looks after,
    /// does without a break. The result is the same to the bit. `None` takes the usual ones: on a
    /// software adapter 805 million, which takes less than a tenth of a second with 2 cores; on a
    /// discrete or virtual GPU 64 times and on any other 8 times as many, so that a part of a
    /// dispatch does not leave most of it idle. Default `None`.
    pub operations_per_dispatch: Option<u64>,
    /// The tier to run; `None` takes the best that the device has. Default `None`.
    pub tier: Option<Tier>,
    /// The tiles of distances and gradients; `None` takes those that
    /// [`Context::autotune`](crate::Context::autotune) has found, or the usual ones. Default
    /// `None`.
    pub tiles: Option<Tiles>,
    /// How many invocations share a row where a loss goes through it; `None` takes the usual ones.
    /// Default `None`.
    pub row_width: Option<RowWidth>,
    /// How distances and gradients are computed. Another one than `Exact` gives other bits, within
    /// wider bounds. Default `Exact`.
    pub arithmetic: Arithmetic,
    /// The type of adapter that tiles, row widths and dispatches are the usual ones of, and that is
    /// to be filled: where the tiles of a gradient are too few for a GPU, its sums are cut into
    /// slices, with the same bits on all but software adapters. `None` takes the device's own type.
    /// For a device that does not tell what it is, and for plans of a GPU that is not there. Default
    /// `None`.
    pub planned_for: Option<wgpu::DeviceType>,
    /// Whether shaders carry run-time checks. Default `Trusted`.
    pub checks: Checks,
    /// How long a blocking call waits for the GPU before it gives up. Default 10 minutes.
    pub timeout: Duration,
    /// A cache for compiled pipelines, whose data the caller may keep for the next start of the
    /// application. It is of the context's device, which needs
    /// [`wgpu::Features::PIPELINE_CACHE`], without which there is no such cache. Default `None`.
    pub pipeline_cache: Option<wgpu::PipelineCache>,
}

impl Options {
    /// The same options with another [`workspace_bytes`](Self::workspace_bytes).
    #[must_use]
    pub fn with_workspace_bytes(self, workspace_bytes: u64) -> Self {
        Self { workspace_bytes, ..self }
    }

    /// The same options with another
    /// [`operations_per_dispatch`](Self::operations_per_dispatch).
    #[must_use]
    pub fn with_operations_per_dispatch(self, operations_per_dispatch: u64) -> Self {
        Self { operations_per_dispatch: Some(operations_per_dispatch), ..self }
    }

    /// The same options with this [`tier`](Self::tier) forced.
    #[must_use]
    pub fn with_tier(self, tier: Tier) -> Self {
        Self { tier: Some(tier), ..self }
    }

    /// The same options with these [`tiles`](Self::tiles), whatever is usual.
    #[must_use]
    pub fn with_tiles(self, tiles: Tiles) -> Self {
        Self { tiles: Some(tiles), ..self }
    }

    /// The same options with this [`row_width`](Self::row_width), whatever is usual.
    #[must_use]
    pub fn with_row_width(self, row_width: RowWidth) -> Self {
        Self { row_width: Some(row_width), ..self }
    }

    /// The same options with another [`arithmetic`](Self::arithmetic).
    #[must_use]
    pub fn with_arithmetic(self, arithmetic: Arithmetic) -> Self {
        Self { arithmetic, ..self }
    }

    /// The same options with plans for [another type of adapter](Self::planned_for).
    #[must_use]
    pub fn with_planned_for(self, device: wgpu::DeviceType) -> Self {
        Self { planned_for: Some(device), ..self }
    }

    /// The same options with other [`checks`](Self::checks).
    #[must_use]
    pub fn with_checks(self, checks: Checks) -> Self {
        Self { checks, ..self }
    }

    /// The same options with another [`timeout`](Self::timeout).
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The same options with a cache for compiled pipelines:
    /// [`pipeline_cache`](Self::pipeline_cache).
    #[must_use]
    pub fn with_pipeline_cache(self, cache: wgpu::PipelineCache) -> Self {
        Self { pipeline_cache: Some(cache), ..self }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            workspace_bytes: 32 << 20,
            operations_per_dispatch: None,
            tier: None,
            tiles: None,
            row_width: None,
            arithmetic: Arithmetic::default(),
            planned_for: None,
            checks: Checks::default(),
            timeout: Duration::from_secs(600),
            pipeline_cache: None,
        }
    }
}

/// Whether the driver's shaders carry run-time checks of every index and loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Checks {
    /// No run-time checks: every shape has been validated on the host, so that no index can leave
    /// its buffer.
    #[default]
    Trusted,
    /// Every index clamped and every loop bounded by naga, as for a shader of unknown origin.
    Checked,
}
