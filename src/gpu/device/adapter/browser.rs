//! The adapter of a browser, which is asked for and given later.

use super::Adapter;

/// Where adapters are looked for.
pub(super) fn searched() -> String {
    "by WebGPU, which this browser may not have or may not give".into()
}

/// The adapter for high performance, if there is one.
pub(super) async fn named() -> Vec<Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::BROWSER_WEBGPU;
    let fastest = wgpu::RequestAdapterOptions {
        power_preference: wgpu::PowerPreference::HighPerformance,
        ..Default::default()
    };
    let adapter = wgpu::Instance::new(descriptor).request_adapter(&fastest).await;
    let named = |adapter: wgpu::Adapter| Adapter { info: adapter.get_info(), adapter };
    adapter.into_iter().map(named).collect()
}
