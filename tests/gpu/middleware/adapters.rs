//! Adapters of the caller's own instance.

use support::adapters::contexts;
use wgpu_metric_learning::{Adapter, Engine, Error, Options};

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

#[test]
fn what_is_found_without_blocking_is_the_same() {
    let _alone = contexts();
    let expected = Adapter::find(None).expect("an adapter");
    let found = pollster::block_on(Adapter::find_async(None)).expect("the same adapter");
    assert_eq!(found.info(), expected.info());
    let context = pollster::block_on(found.open_async(Options::default())).expect("a device");
    assert_eq!(context.device().adapter_info(), *expected.info());
    assert_eq!(context.device().limits(), expected.limits());
    let best = pollster::block_on(Engine::best_async(Options::default())).expect("an engine");
    assert_eq!(matches!(best, Engine::Gpu(_)), !expected.is_software());
    let missing = pollster::block_on(Adapter::find_async(Some("no such adapter"))).unwrap_err();
    assert_eq!(missing, Adapter::find(Some("no such adapter")).unwrap_err());
}
