//! What is shown of the embeddings, found on the GPU.

use canvas::Gpu;
use wgpu::BufferUsages;
use wgpu::util::{BufferInitDescriptor, DeviceExt};
use wgpu_metric_learning::Shape;

/// What is shown of the embeddings.
pub(crate) struct Extent {
    pipeline: wgpu::ComputePipeline,
    group: wgpu::BindGroup,
    extent: wgpu::Buffer,
}

impl Extent {
    /// Of these embeddings.
    pub(crate) fn new(gpu: &Gpu, embeddings: &wgpu::Buffer, shape: Shape) -> Self {
        let device = gpu.context.device();
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("extent"),
            layout: None,
            module: &device.create_shader_module(wgpu::include_wgsl!("extent.wgsl")),
            entry_point: None,
            compilation_options: Default::default(),
            cache: None,
        });
        let settings = device.create_buffer_init(&BufferInitDescriptor {
            label: Some("settings"),
            contents: bytemuck::cast_slice(&[shape.queries() as u32, shape.dimensions() as u32]),
            usage: BufferUsages::UNIFORM,
        });
        let extent = gpu.buffer("extent", &[0.0f32; 4]);
        let buffers = [&settings, embeddings, &extent];
        let entries = [0, 1, 2].map(|binding: usize| wgpu::BindGroupEntry {
            binding: binding as u32,
            resource: buffers[binding].as_entire_binding(),
        });
        let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("extent"),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        Self { pipeline, group, extent }
    }

    /// Records that it follows the embeddings.
    pub(crate) fn record(&self, encoder: &mut wgpu::CommandEncoder) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.group, &[]);
        pass.dispatch_workgroups(1, 1, 1);
    }

    /// The centre and the reach, 4 f32.
    pub(crate) fn buffer(&self) -> &wgpu::Buffer {
        &self.extent
    }
}
