//! Devices as applications have them, and what tests do on them.

use std::time::Duration;

use wgpu::BufferUsages;
use wgpu_metric_learning::Context;

/// NaN with a mark: what no kernel may read or overwrite.
pub(crate) const POISON: u32 = 0xffc0_dead;
pub(crate) const USAGE: BufferUsages =
    BufferUsages::STORAGE.union(BufferUsages::COPY_DST).union(BufferUsages::COPY_SRC);
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A device with WebGPU's default limits and no feature, as an application may have it.
#[derive(Clone)]
pub(crate) struct Caller {
    pub name: String,
    pub adapter: wgpu::Adapter,
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub context: Context,
}

/// A caller on every adapter.
pub(crate) fn callers() -> Vec<Caller> {
    let callers: Vec<_> =
        adapters().iter().map(|adapter| caller(adapter, wgpu::Limits::default())).collect();
    assert!(
        !callers.is_empty(),
        "no GPU adapter found: install a Vulkan driver, a software one will do"
    );
    callers
}

pub(crate) fn adapters() -> Vec<wgpu::Adapter> {
    adapters_of(&wgpu::Instance::new(
        wgpu::InstanceDescriptor::new_without_display_handle_from_env(),
    ))
}

pub(crate) fn adapters_of(instance: &wgpu::Instance) -> Vec<wgpu::Adapter> {
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()))
}

pub(crate) fn device(
    adapter: &wgpu::Adapter,
    required_limits: wgpu::Limits,
) -> (wgpu::Device, wgpu::Queue) {
    open(adapter, &wgpu::DeviceDescriptor { required_limits, ..Default::default() })
}

/// A device with WebGPU's default limits and these features.
pub(crate) fn device_with(
    adapter: &wgpu::Adapter,
    required_features: wgpu::Features,
) -> (wgpu::Device, wgpu::Queue) {
    open(adapter, &wgpu::DeviceDescriptor { required_features, ..Default::default() })
}

fn open(
    adapter: &wgpu::Adapter,
    descriptor: &wgpu::DeviceDescriptor,
) -> (wgpu::Device, wgpu::Queue) {
    pollster::block_on(adapter.request_device(descriptor))
        .unwrap_or_else(|error| panic!("{:?}: {error}", adapter.get_info().backend))
}

pub(crate) fn caller(adapter: &wgpu::Adapter, limits: wgpu::Limits) -> Caller {
    let (device, queue) = device(adapter, limits);
    let context = Context::new(&device, &queue).expect("the default limits are enough");
    let name = format!("{:?}", adapter.get_info().backend);
    Caller { name, adapter: adapter.clone(), device, queue, context }
}

pub(crate) fn encoder(caller: &Caller) -> wgpu::CommandEncoder {
    caller.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
}

/// A buffer that holds these words.
pub(crate) fn filled(device: &wgpu::Device, words: &[u32]) -> wgpu::Buffer {
    let size = words.len() as u64 * 4;
    let descriptor =
        wgpu::BufferDescriptor { label: None, size, usage: USAGE, mapped_at_creation: true };
    let buffer = device.create_buffer(&descriptor);
    buffer.slice(..).get_mapped_range_mut().unwrap().copy_from_slice(bytemuck::cast_slice(words));
    buffer.unmap();
    buffer
}

pub(crate) fn read(caller: &Caller, buffer: &wgpu::Buffer) -> Vec<u32> {
    let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
    let descriptor = wgpu::BufferDescriptor {
        label: None,
        size: buffer.size(),
        usage,
        mapped_at_creation: false,
    };
    let staging = caller.device.create_buffer(&descriptor);
    let mut encoder = encoder(caller);
    encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, buffer.size());
    caller.queue.submit([encoder.finish()]);
    staging.map_async(wgpu::MapMode::Read, .., |result| result.expect("mapping"));
    caller.device.poll(wgpu::PollType::wait_indefinitely()).expect("polling");
    bytemuck::pod_collect_to_vec(&staging.slice(..).get_mapped_range().expect("mapped"))
}

pub(crate) fn poison(caller: &Caller, buffer: &wgpu::Buffer) {
    let source = format!(
        "@group(0) @binding(0) var<storage, read_write> words: array<u32>;
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
            if (id.x < arrayLength(&words)) {{ words[id.x] = {POISON}u; }}
        }}"
    );
    let source = wgpu::ShaderSource::Wgsl(source.into());
    let module =
        caller.device.create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source });
    let pipeline = caller.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: None,
        module: &module,
        entry_point: None,
        compilation_options: Default::default(),
        cache: None,
    });
    let group = caller.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[wgpu::BindGroupEntry { binding: 0, resource: buffer.as_entire_binding() }],
    });
    let mut encoder = encoder(caller);
    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
    pass.set_pipeline(&pipeline);
    pass.set_bind_group(0, &group, &[]);
    pass.dispatch_workgroups((buffer.size() as u32 / 4).div_ceil(64), 1, 1);
    drop(pass);
    caller.queue.submit([encoder.finish()]);
}
