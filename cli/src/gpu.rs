//! The adapter that is asked for, opened.

use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use wgpu_metric_learning::tuning::Tier;
use wgpu_metric_learning::{Adapter, Arithmetic, Context, Cpu, Options};

use super::place::Place;
use super::{Error, Result, note};

#[derive(Args, Default)]
pub(crate) struct Arguments {
    /// Takes the first adapter whose name, driver or backend contains this text.
    #[arg(long, value_name = "TEXT")]
    pub adapter: Option<String>,

    /// The workspace, in MiB; 32 where it is left out.
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u64).range(1..1 << 40))]
    pub workspace_mib: Option<u64>,

    /// Runs this tier of the kernels in the place of the best that the adapter has.
    #[arg(long, value_name = "TIER", ignore_case = true, value_parser = named::<Tier>(Tier::ALL.map(Tier::name)))]
    pub tier: Option<Tier>,

    /// How distances are computed; exact where it is left out.
    #[arg(long, value_name = "ARITHMETIC", ignore_case = true, value_parser = named::<Arithmetic>(Arithmetic::ALL.map(Arithmetic::name)))]
    pub arithmetic: Option<Arithmetic>,

    /// How long the GPU may take for one evaluation, in seconds; 600 where it is left out.
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub timeout: Option<Duration>,
}

impl Arguments {
    /// Whether something of it, or the environment, is for an adapter alone.
    pub(crate) fn asks_for_adapter(&self) -> bool {
        self.of_adapters().into_iter().any(|(_, given)| given) || names_adapter()
    }

    fn of_adapters(&self) -> [(&'static str, bool); 4] {
        [
            ("--adapter", self.adapter.is_some()),
            ("--tier", self.tier.is_some()),
            ("--arithmetic", self.arithmetic.is_some()),
            ("--timeout", self.timeout.is_some()),
        ]
    }

    /// Refuses what this backend does not take.
    pub(crate) fn refuse(&self, backend: &str, workspace: bool) -> Result<()> {
        let own = ("--workspace-mib", workspace && self.workspace_mib.is_some());
        match self.of_adapters().into_iter().chain([own]).find(|(_, given)| *given) {
            Some((option, _)) => {
                Err(Error::option(option, format!("--backend {backend} takes none")))
            }
            None => Ok(()),
        }
    }

    /// The CPU engine as they say.
    pub(crate) fn cpu(&self) -> Cpu {
        let cpu = Cpu::default();
        self.workspace_bytes().map_or(cpu.clone(), |bytes| cpu.with_workspace_bytes(bytes))
    }

    /// The bytes of the workspace, where they are given.
    pub(crate) fn workspace_bytes(&self) -> Option<u64> {
        self.workspace_mib.map(|mib| mib << 20)
    }
}

/// Whether the environment asks for an adapter by its name, or for a backend that does not exist.
fn names_adapter() -> bool {
    let variable = |name| std::env::var(name).ok().filter(|text: &String| !text.trim().is_empty());
    let is_unknown = |text: String| wgpu::Backends::from_comma_list(&text).is_empty();
    variable("WGPU_ADAPTER_NAME").is_some() || variable("WGPU_BACKEND").is_some_and(is_unknown)
}

/// What is validated or timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// An adapter of this machine, be it software.
    Gpu,
    /// The CPU engine.
    Cpu,
}

pub(crate) struct Gpu {
    pub adapter: Adapter,
    pub context: Context,
}

impl Gpu {
    pub(crate) fn open(arguments: &Arguments) -> Result<Self> {
        Self::open_with(arguments, Options::default())
    }

    /// Opens the best adapter that is a GPU and no software; `None` where there is none.
    pub(crate) fn open_hardware(arguments: &Arguments) -> Result<Option<Self>> {
        let adapter = Adapter::all().into_iter().find(|adapter| !adapter.is_software());
        let options = Options::default();
        adapter.map(|adapter| Self::on(adapter, arguments, options)).transpose()
    }

    /// Opens the GPU with these options, but for what the arguments say.
    pub(crate) fn open_with(arguments: &Arguments, options: Options) -> Result<Self> {
        Self::on(Adapter::find(arguments.adapter.as_deref())?, arguments, options)
    }

    /// Opens so many contexts on the adapters of the best one's kind, going round.
    pub(crate) fn open_group(arguments: &Arguments, count: usize) -> Result<Vec<Self>> {
        let best = Adapter::find(arguments.adapter.as_deref())?;
        let kind = |adapter: &Adapter| (adapter.info().backend, adapter.is_software());
        // All contexts on GL share one, which is no work for several threads.
        if best.info().backend == wgpu::Backend::Gl {
            return Err(Error::option(
                "--adapters",
                "an adapter on GL has one context: WGPU_BACKEND=vulkan or --backend cpu computes in parallel",
            ));
        }
        let is_asked_for = |adapter: &Adapter| match &arguments.adapter {
            Some(_) => adapter.info() == best.info(),
            None => kind(adapter) == kind(&best),
        };
        let adapters: Vec<_> = Adapter::all().into_iter().filter(is_asked_for).collect();
        let all = adapters.iter().cycle().take(count);
        all.map(|adapter| Self::on(adapter.clone(), arguments, Options::default())).collect()
    }

    fn on(adapter: Adapter, arguments: &Arguments, mut options: Options) -> Result<Self> {
        options.workspace_bytes = arguments.workspace_bytes().unwrap_or(options.workspace_bytes);
        options.tier = arguments.tier;
        options.arithmetic = arguments.arithmetic.unwrap_or(options.arithmetic);
        options.timeout = arguments.timeout.unwrap_or(options.timeout);
        let gpu = Self { context: open(&adapter, options)?, adapter };
        if gpu.adapter.is_software() && arguments.adapter.is_none() {
            note(&format!(
                "only a software adapter was found, {}: it computes on the CPU",
                gpu.adapter.info().name
            ));
        }
        Ok(gpu)
    }

    /// How it computes distances.
    pub(crate) fn arithmetic(&self) -> Arithmetic {
        self.context.options().arithmetic
    }

    /// What computes, for JSON.
    pub(crate) fn place(&self) -> Place {
        let info = self.adapter.info();
        Place {
            backend: "gpu",
            adapter: Some(info.name.clone()),
            api: Some(info.backend.to_str()),
            driver: Some(info.driver.clone()),
            driver_info: Some(info.driver_info.clone()),
            tier: Some(self.context.tier().name()),
            arithmetic: self.arithmetic().name(),
        }
    }

    /// The adapter's name and backend, the tier, and the arithmetic where it is not the usual one.
    pub(crate) fn describe(&self) -> String {
        let info = self.adapter.info();
        let usual = format!("{}, {}, {}", info.name, info.backend, self.context.tier());
        match self.arithmetic() {
            Arithmetic::Exact => usual,
            arithmetic => format!("{usual}, {arithmetic}"),
        }
    }
}

/// Opens the adapter with wgpu's experimental features, where an arithmetic needs them.
#[allow(unsafe_code, reason = "wgpu asks who enables experimental features to answer for them")]
fn open(adapter: &Adapter, options: Options) -> Result<Context> {
    // SAFETY: no option but `--arithmetic` asks for one, and whoever gives that asks for it by name.
    let experimental = unsafe { wgpu::ExperimentalFeatures::enabled() };
    Ok(adapter.open_experimental(options, experimental)?)
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
