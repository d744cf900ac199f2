//! Pipelines: which are made, and a cache of the callers.

use support::sample::Values;
use wgpu_metric_learning::tuning::{Checks, Tile, Tiles};
use wgpu_metric_learning::{Context, Contrastive, Error, Loss, Options, Plan, Shape};

use super::caller::{Caller, adapters, adapters_of, caller, device_with};
use super::guest::sample;

#[allow(unsafe_code)]
fn cache(device: &wgpu::Device, data: Option<&[u8]>) -> wgpu::PipelineCache {
    let descriptor = wgpu::PipelineCacheDescriptor { label: None, data, fallback: true };
    // SAFETY: the data, if any, is what another cache of the same process gave.
    unsafe { device.create_pipeline_cache(&descriptor) }
}

fn with_cache(cache: &wgpu::PipelineCache) -> Options {
    Options::default().with_pipeline_cache(cache.clone())
}

#[test]
fn compiled_pipelines_are_kept_in_a_cache_of_the_callers() {
    let sample = sample(23, 6, Values::Ordinary);
    let loss: Loss = Contrastive::default().into();
    let batch = sample.batches(&loss)[0];
    let feature = wgpu::Features::PIPELINE_CACHE;
    for adapter in adapters().into_iter().filter(|adapter| adapter.features().contains(feature)) {
        let (device, queue) = device_with(&adapter, feature);
        let expected = Context::new(&device, &queue).unwrap().evaluate(&loss, &batch).wait();
        let empty = cache(&device, None);
        let context = Context::configured(&device, &queue, with_cache(&empty)).unwrap();
        assert_eq!(context.evaluate(&loss, &batch).wait(), expected);
        let data = empty.get_data().expect("the adapter has caches");
        assert!(!data.is_empty());

        let (device, queue) = device_with(&adapter, feature);
        let filled = cache(&device, Some(&data));
        let context = Context::configured(&device, &queue, with_cache(&filled)).unwrap();
        assert_eq!(context.evaluate(&loss, &batch).wait(), expected);
        // Drivers need not keep anything; that pipelines are made with the cache shows where it is
        // one of another device.
        let context = Context::configured(&device, &queue, with_cache(&empty)).unwrap();
        let error = context.evaluate(&loss, &batch).wait().unwrap_err();
        assert!(matches!(error, Error::Gpu { during: "planning", .. }), "{error}");
    }
}

/// How many pipelines there are in an instance.
fn made(instance: &wgpu::Instance) -> usize {
    instance.generate_report().expect("a native instance").hub.compute_pipelines.num_allocated
}

/// A caller on every adapter, all of one instance, which counts what is made for them alone.
fn for_every_caller(work: impl Fn(&wgpu::Instance, &Caller)) {
    let instance =
        wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    for adapter in adapters_of(&instance) {
        work(&instance, &caller(&adapter, wgpu::Limits::default()));
    }
}

fn plan(context: &Context, n: usize, d: usize) -> Plan {
    context.plan(Contrastive::default(), Shape::batch(n, d)).unwrap()
}

/// Contexts of one device have a pipeline once, unless it would be another one.
#[test]
fn contexts_of_one_device_share_pipelines() {
    for_every_caller(|instance, caller| {
        let first = plan(&caller.context, 23, 6);
        let after_first = made(instance);
        let smaller = Options::default().with_workspace_bytes(1 << 20);
        let cut = caller.context.with_options(smaller.clone()).unwrap();
        let second = plan(&cut, 23, 6);
        assert_eq!(made(instance), after_first, "{}", caller.name);
        let checked = cut.with_options(smaller.with_checks(Checks::Checked)).unwrap();
        let third = plan(&checked, 23, 6);
        assert!(made(instance) > after_first, "{}", caller.name);
        drop((first, second, third));
    });
}

/// Another size of batch takes the pipelines that are there; one with other tiles makes those the
/// first time.
#[test]
fn planning_another_size_makes_no_pipeline() {
    for_every_caller(|instance, caller| {
        let options = Options::default().with_tiles(Tiles::both(Tile::Small));
        let fixed = Context::configured(&caller.device, &caller.queue, options).unwrap();
        for (context, first) in
            [(&fixed, vec![[23, 6]]), (&caller.context, vec![[23, 6], [500, 130]])]
        {
            let first: Vec<_> = first.into_iter().map(|[n, d]| plan(context, n, d)).collect();
            let before = made(instance);
            let more = [[500, 130], [7, 3], [700, 200]].map(|[n, d]| plan(&context.clone(), n, d));
            assert!(before > 0);
            assert_eq!(made(instance), before, "{}", caller.name);
            drop((first, more));
        }
    });
}
