//! The adapter that is asked for, opened.

use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use wgpu_metric_learning::tuning::Tier;
use wgpu_metric_learning::{Adapter, Context, Options};

use super::{Result, tell};

#[derive(Args, Default)]
pub(crate) struct Arguments {
    /// Takes the first adapter whose name, driver or backend contains this text.
    #[arg(long, value_name = "TEXT")]
    pub adapter: Option<String>,

    /// The workspace on the GPU, in MiB; 32 where it is left out.
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u64).range(1..1 << 40))]
    pub workspace_mib: Option<u64>,

    /// Runs this tier of the kernels in the place of the best that the adapter has.
    #[arg(long, value_name = "TIER", ignore_case = true, value_parser = named::<Tier>(Tier::ALL.map(Tier::name)))]
    pub tier: Option<Tier>,

    /// How long the GPU may take for one evaluation, in seconds; 600 where it is left out.
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub timeout: Option<Duration>,
}

pub(crate) struct Gpu {
    pub adapter: Adapter,
    pub context: Context,
}

impl Gpu {
    pub(crate) fn open(arguments: &Arguments) -> Result<Self> {
        Self::open_with(arguments, Options::default())
    }

    /// Opens the GPU with these options, but for what the arguments say.
    pub(crate) fn open_with(arguments: &Arguments, mut options: Options) -> Result<Self> {
        if let Some(mib) = arguments.workspace_mib {
            options.workspace_bytes = mib << 20;
        }
        options.tier = arguments.tier;
        options.timeout = arguments.timeout.unwrap_or(options.timeout);
        let adapter = Adapter::find(arguments.adapter.as_deref())?;
        let gpu = Self { context: adapter.open(options)?, adapter };
        if gpu.is_software() && arguments.adapter.is_none() {
            tell(&format!(
                "note: only a software adapter was found, {}: it computes on the CPU",
                gpu.adapter.info().name
            ));
        }
        Ok(gpu)
    }

    fn is_software(&self) -> bool {
        self.adapter.info().device_type == wgpu::DeviceType::Cpu
    }

    /// The adapter's name and backend, and the tier.
    pub(crate) fn describe(&self) -> String {
        let info = self.adapter.info();
        format!("{}, {}, {}", info.name, info.backend, self.context.tier())
    }
}

/// A duration above 0.
pub(crate) fn seconds(text: &str) -> std::result::Result<Duration, String> {
    let duration = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| format!("{text} is no duration above 0"))
}

/// A parser of these names in any case, which the help lists.
pub(crate) fn named<T>(
    names: impl IntoIterator<Item = &'static str>,
) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names.into_iter().collect::<Vec<_>>())
        .try_map(|name| name.parse::<T>())
}
