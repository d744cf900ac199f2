//! Devices with little to give.

use support::sample::Random;
use wgpu_metric_learning::{Batch, Context, Contrastive, Error, Loss, Options, Shape};

use super::caller::{self, adapters, device};

#[test]
fn limits_of_the_device_are_kept_or_named() {
    const MIB: u64 = 1 << 20;
    let loss: Loss = Contrastive::default().into();
    for adapter in adapters() {
        let (own, queue) = device(&adapter, wgpu::Limits::downlevel_defaults());
        let error = Context::new(&own, &queue).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the baseline of the kernels needs 8, the device's maxStorageBuffersPerShaderStage is 4"
        );

        let limits =
            wgpu::Limits { max_storage_buffer_binding_size: MIB, ..wgpu::Limits::default() };
        let caller = caller::caller(&adapter, limits);
        let error = caller.context.plan(&loss, Shape::batch(600, 1000)).unwrap_err();
        let [needed, limit] = [600 * 1000 * 4, MIB];
        let name = "maxStorageBufferBindingSize";
        assert_eq!(error, Error::DeviceLimit { what: "embeddings", needed, name, limit });

        // A matrix of 4 MiB in stripes that may be bound.
        let embeddings = Random(3).numbers(1000 * 4, 1.0);
        let labels: Vec<_> = (0..1000).map(|row| row % 7).collect();
        let batch = Batch::new(&embeddings, [1000, 4], &labels).unwrap();
        // Cut as well, since the sums of a whole matrix have another order.
        let (own, queue) = device(&adapter, wgpu::Limits::default());
        let options = Options::default().with_workspace_bytes(3 * MIB);
        let unlimited = Context::configured(&own, &queue, options).unwrap();
        assert_eq!(
            caller.context.evaluate(&loss, &batch).wait(),
            unlimited.evaluate(&loss, &batch).wait()
        );
        assert!(caller.context.evaluate(&loss, &batch).wait().is_ok());
    }
}
