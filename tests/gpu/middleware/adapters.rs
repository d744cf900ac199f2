//! Adapters of the caller's own instance.

use support::adapters::contexts;
use wgpu_metric_learning::{Adapter, Error, Options};

fn instance(backends: wgpu::Backends) -> wgpu::Instance {
    let descriptor = wgpu::InstanceDescriptor {
        backends,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    };
    wgpu::Instance::new(descriptor)
}

#[test]
fn an_adapter_is_one_of_the_callers_instance() {
    let _alone = contexts();
    for expected in Adapter::all() {
        let backend = expected.info().backend;
        let own = instance(backend.into());
        let found = Adapter::find_in(&own, None, None).expect("the backend has an adapter");
        assert_eq!(found.info().backend, backend);
        assert_eq!(found.wgpu().get_info(), *found.info());
        assert!(found.open(Options::default()).is_ok());
    }
    let error = Adapter::find_in(&instance(wgpu::Backends::empty()), None, None).unwrap_err();
    assert!(matches!(error, Error::NoAdapter { .. }), "{error}");
}
