//! The adapter that is asked for, opened.

use std::fmt::Display;

use clap::Args;
use wgpu_metric_learning::tuning::Tier;
use wgpu_metric_learning::{Adapter, Context, Options};

use super::Result;

#[derive(Args, Default)]
pub struct Arguments {
    /// Takes the first adapter whose name, driver or backend contains this text.
    #[arg(long, value_name = "TEXT")]
    pub adapter: Option<String>,

    /// The workspace on the GPU, in MiB; 32 where it is left out.
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u64).range(1..1 << 40))]
    pub workspace_mib: Option<u64>,

    /// Runs this tier of the kernels, baseline or subgroups, in the place of the best that the
    /// adapter has.
    #[arg(long, value_name = "TIER", value_parser = tier)]
    pub tier: Option<Tier>,
}

pub struct Gpu {
    pub adapter: Adapter,
    pub context: Context,
}

impl Gpu {
    pub fn open(arguments: &Arguments) -> Result<Self> {
        Self::open_with(arguments, Options::default())
    }

    /// With these options, but for what the arguments say.
    pub fn open_with(arguments: &Arguments, mut options: Options) -> Result<Self> {
        if let Some(mib) = arguments.workspace_mib {
            options.workspace_bytes = mib << 20;
        }
        options.tier = arguments.tier;
        let adapter = Adapter::find(arguments.adapter.as_deref())?;
        Ok(Self { context: adapter.open(options)?, adapter })
    }

    /// The adapter's name and backend, and the tier.
    pub fn describe(&self) -> String {
        let info = self.adapter.info();
        format!("{}, {}, {}", info.name, info.backend, self.context.tier())
    }
}

fn tier(name: &str) -> std::result::Result<Tier, String> {
    named(name, Tier::ALL)
}

/// The one of them that is displayed so, for arguments.
pub fn named<T: Display + Copy, const N: usize>(
    name: &str,
    all: [T; N],
) -> std::result::Result<T, String> {
    let found = all.into_iter().find(|one| one.to_string() == name);
    found.ok_or_else(|| format!("one of {} is needed", all.map(|one| one.to_string()).join(", ")))
}
