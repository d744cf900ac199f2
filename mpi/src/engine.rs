//! What a rank computes on.

#[cfg(not(feature = "gpu"))]
use wgpu_metric_learning::Cpu as Computing;
use wgpu_metric_learning::measures::{QueryMeasures, Retrieval};
#[cfg(feature = "gpu")]
use wgpu_metric_learning::{Adapter, Engine as Computing, Options};
use wgpu_metric_learning::{Batch, Evaluation, Loss, Result};

/// What computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Backend {
    /// A GPU for each rank of a machine, going round, or the CPU engine where there is none.
    #[cfg(feature = "gpu")]
    Auto,
    /// Any adapters, be they software, going round.
    #[cfg(feature = "gpu")]
    Gpu,
    /// The CPU engine.
    Cpu,
}

impl Backend {
    pub(crate) const DEFAULT: &str = if cfg!(feature = "gpu") { "auto" } else { "cpu" };
}

pub(crate) struct Engine(Computing);

impl Engine {
    /// That of a rank.
    #[cfg(feature = "gpu")]
    pub(crate) fn open(backend: Backend, rank: usize) -> Result<Self> {
        let cpu = || Ok(Self(Computing::Cpu(Default::default())));
        if backend == Backend::Cpu {
            return cpu();
        }
        let mut adapters = Adapter::all();
        if backend == Backend::Auto {
            adapters.retain(|adapter| !adapter.is_software());
        }
        if adapters.is_empty() && backend == Backend::Auto {
            return cpu();
        }
        let adapter = match adapters.is_empty() {
            true => Adapter::find(None)?,
            false => adapters.swap_remove(on_machine(rank) % adapters.len()),
        };
        adapter.open(Options::default()).map(|context| Self(Computing::Gpu(context)))
    }

    /// That of a rank.
    #[cfg(not(feature = "gpu"))]
    pub(crate) fn open(_: Backend, _: usize) -> Result<Self> {
        Ok(Self(Computing::default()))
    }

    pub(crate) fn evaluate(&self, loss: &Loss, batch: &Batch<'_>) -> Result<Evaluation> {
        self.0.evaluate(loss, batch).wait()
    }

    pub(crate) fn measure(
        &self,
        retrieval: &Retrieval,
        batch: &Batch<'_>,
    ) -> Result<QueryMeasures> {
        self.0.measure_queries(retrieval, batch).wait()
    }
}

/// The number of a rank among those of its machine, as whatever has started it says.
#[cfg(feature = "gpu")]
fn on_machine(rank: usize) -> usize {
    let variables = ["OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID"];
    let numbers = variables.into_iter().filter_map(|name| std::env::var(name).ok()?.parse().ok());
    numbers.into_iter().next().unwrap_or(rank)
}
