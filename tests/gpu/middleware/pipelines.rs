//! A pipeline cache of the caller's.

use support::sample::Values;
use wgpu_metric_learning::tuning::{Tile, Tiles};
use wgpu_metric_learning::{Context, Contrastive, Error, Loss, Options, Shape};

use super::caller::{adapters, device_with};
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

/// Another size of batch takes the pipelines that are there; one with other tiles makes those the
/// first time.
#[test]
fn planning_another_size_makes_no_pipeline() {
    let instance =
        wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    for adapter in super::caller::adapters_of(&instance) {
        let caller = super::caller::caller(&adapter, wgpu::Limits::default());
        let pipelines = || {
            instance
                .generate_report()
                .expect("a native instance")
                .hub
                .compute_pipelines
                .num_allocated
        };
        let plan = |context: &Context, n, d| {
            context.plan(Contrastive::default(), Shape::batch(n, d)).unwrap()
        };
        let options = Options::default().with_tiles(Tiles::both(Tile::Small));
        let fixed = Context::configured(&caller.device, &caller.queue, options).unwrap();
        for (context, first) in
            [(&fixed, vec![[23, 6]]), (&caller.context, vec![[23, 6], [500, 130]])]
        {
            let first: Vec<_> = first.into_iter().map(|[n, d]| plan(context, n, d)).collect();
            let made = pipelines();
            let more = [[500, 130], [7, 3], [700, 200]].map(|[n, d]| plan(&context.clone(), n, d));
            assert!(made > 0);
            assert_eq!(pipelines(), made, "{}", caller.name);
            drop((first, more));
        }
    }
}
