//! What computes, as every line of JSON has it.

use serde::Serialize;
use wgpu_metric_learning::Arithmetic;

/// What has computed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Place {
    /// `gpu`, `cpu` or `reference`, as `--backend` has it.
    pub backend: &'static str,
    /// The adapter's name; none where the CPU computes.
    pub adapter: Option<String>,
    /// The interface that the adapter is reached by: `vulkan`, `metal`, `dx12`, `gl` or `webgpu`.
    pub api: Option<&'static str>,
    pub driver: Option<String>,
    pub driver_info: Option<String>,
    /// The tier of the kernels.
    pub tier: Option<&'static str>,
    /// How distances are computed.
    pub arithmetic: &'static str,
}

impl Place {
    /// What there is of it, by its name, for people.
    pub(crate) fn properties(&self) -> Vec<(&'static str, String)> {
        let Self { adapter, api, driver, driver_info, tier, .. } = self.clone();
        let [api, tier] = [api, tier].map(|name| name.map(String::from));
        let driver = driver.map(|name| name + " " + &driver_info.unwrap_or_default());
        let others = [("adapter", adapter), ("api", api), ("driver", driver), ("tier", tier)];
        let others = others.into_iter().filter_map(|(name, text)| Some((name, text?)));
        let others = others.map(|(name, text)| (name, text.trim().to_owned()));
        [("backend", self.backend.to_owned())].into_iter().chain(others).collect()
    }

    /// The CPU, by its engine or by the reference.
    pub(crate) fn without_adapter(backend: &'static str) -> Self {
        Self {
            backend,
            adapter: None,
            api: None,
            driver: None,
            driver_info: None,
            tier: None,
            arithmetic: Arithmetic::Exact.name(),
        }
    }
}
