//! How it is computed: adapters and contexts, kernels, plans and read-back. Nothing in here knows a
//! formula.

mod adapter;
mod autotune;
mod basis;
mod buffers;
mod context;
mod dispatch;
mod evaluate;
mod faults;
mod inputs;
mod kernel;
pub(crate) mod kernels;
mod layout;
mod limits;
mod linear;
mod list;
mod measure;
mod memory_bank;
mod objective;
mod optimizer;
mod outputs;
mod part;
mod pieces;
mod plan;
mod pointwise;
mod program;
mod readback;
mod row_width;
mod scope;
mod sizes;
mod stage;
mod steps;
mod stripes;
mod submissions;
mod sweeps;
mod tier;
mod tiles;
mod timings;
mod trace;
mod uniforms;

pub use adapter::Adapter;
pub use context::{Context, Options};
pub use faults::{Injected, Operation};
pub use inputs::{Binding, Inputs};
pub(crate) use kernel::Kernel;
pub use linear::LinearPlan;
pub use measure::MeasurePlan;
pub use memory_bank::MemoryBank;
pub use objective::ObjectivePlan;
pub use optimizer::OptimizerPlan;
pub use outputs::{Output, Outputs};
pub use plan::Plan;
pub use readback::Pending;
pub use row_width::RowWidth;
pub use stage::{Section, Stage};
pub use submissions::Progress;
pub use tier::{Checks, Tier};
pub use tiles::{Tile, Tiles};
pub use timings::Timings;

#[cfg(all(test, feature = "reference"))]
mod tests;
