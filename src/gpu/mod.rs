//! How it is computed. The rooms from the ground up, each of which knows only those before it:
//! `cut`, `kernel`, `device`, `dispatch`, then `pairs` and `training`, then `plan`. Nothing in here
//! knows a formula.

pub(crate) mod cut;
pub(crate) mod device;
pub(crate) mod dispatch;
pub(crate) mod kernel;
pub(crate) mod pairs;
pub(crate) mod plan;
pub(crate) mod training;

pub use cut::row_width::RowWidth;
pub use cut::tiles::{Tile, Tiles};
pub use device::adapter::Adapter;
pub use device::context::Context;
pub use device::injection::{Injected, Operation};
pub use device::options::{Checks, Options};
pub use dispatch::binding::Binding;
pub use dispatch::bound::RowLayout;
pub use dispatch::in_flight::InFlight;
pub use dispatch::listing::{ListedKernel, Listing};
pub use dispatch::readback::Pending;
pub use dispatch::record::Record;
pub use dispatch::section::Section;
pub use dispatch::timings::Timings;
pub use kernel::stage::Stage;
pub use pairs::inputs::{Count, Inputs};
pub use pairs::outputs::{Output, Outputs};
pub use plan::loss::Plan;
pub use plan::measure::MeasurePlan;
pub use plan::memory_bank::MemoryBank;
pub use plan::objective::ObjectivePlan;
pub use plan::search::SearchPlan;
pub use plan::trainer::GpuTrainer;
pub use plan::verification::VerificationPlan;
pub use training::linear::LinearPlan;
pub use training::mlp::MlpPlan;
pub use training::optimizer::OptimizerPlan;

pub use crate::wgsl::tier::Tier;

#[cfg(all(test, feature = "reference"))]
mod tests;
