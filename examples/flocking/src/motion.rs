//! The equation of motion, on the GPU.

use bytemuck::{Pod, Zeroable};
use canvas::Gpu;

const WORKGROUP: u32 = 64;
/// WebGPU's limit on the workgroups of a dimension.
const ACROSS: u32 = 65_535;

/// What moves the particles.
pub(crate) struct Motion {
    settings: wgpu::Buffer,
    pipeline: wgpu::ComputePipeline,
    queue: wgpu::Queue,
}

/// `Settings` of `motion.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(crate) struct Settings {
    pub particles: u32,
    pub dimensions: u32,
    pub strength: f32,
    pub drive: f32,
    pub speed: f32,
    /// Of a step, in seconds.
    pub duration: f32,
    pub padding: [u32; 2],
}

impl Motion {
    pub(crate) fn new(gpu: &Gpu) -> Self {
        let device = gpu.context.device();
        let settings = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("settings"),
            size: size_of::<Settings>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("motion"),
            layout: None,
            module: &device.create_shader_module(wgpu::include_wgsl!("motion.wgsl")),
            entry_point: None,
            compilation_options: Default::default(),
            cache: None,
        });
        Self { settings, pipeline, queue: gpu.context.queue().clone() }
    }

    /// Binds the gradient, the positions and the velocities.
    pub(crate) fn bind(&self, gpu: &Gpu, buffers: [&wgpu::Buffer; 3]) -> wgpu::BindGroup {
        let [gradient, positions, velocities] = buffers;
        let buffers = [&self.settings, gradient, positions, velocities];
        let entries = [0, 1, 2, 3].map(|binding: usize| wgpu::BindGroupEntry {
            binding: binding as u32,
            resource: buffers[binding].as_entire_binding(),
        });
        gpu.context.device().create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("motion"),
            layout: &self.pipeline.get_bind_group_layout(0),
            entries: &entries,
        })
    }

    /// Records one step with these settings, which hold for the whole submission.
    pub(crate) fn record(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        group: &wgpu::BindGroup,
        settings: Settings,
    ) {
        self.queue.write_buffer(&self.settings, 0, bytemuck::bytes_of(&settings));
        let groups = settings.particles.div_ceil(WORKGROUP);
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, group, &[]);
        pass.dispatch_workgroups(groups.min(ACROSS), groups.div_ceil(ACROSS), 1);
    }
}
