//! Round points, drawn straight from a buffer of positions.

use bytemuck::{Pod, Zeroable};
use wgpu::util::{BufferInitDescriptor, DeviceExt};

use crate::pass::depth_state;
use crate::{Gpu, PALETTE};

/// The buffers that points are drawn from, each with the usage `STORAGE`.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// N x `dimensions` f32.
    pub positions: &'a wgpu::Buffer,
    /// 2 or 3.
    pub dimensions: u32,
    /// N u32: the colours, places in the palette.
    pub labels: &'a wgpu::Buffer,
    /// 4 f32: the centre of what is shown, and how far it reaches from there.
    pub extent: &'a wgpu::Buffer,
}

/// From where points in three dimensions are seen: angles in radians.
#[derive(Clone, Copy, Debug, Default)]
pub struct Camera {
    /// Around the upright axis.
    pub yaw: f32,
    /// Up and down.
    pub pitch: f32,
}

/// How points are seen.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    /// Of a point, in pixels.
    pub radius: f32,
    /// From where.
    pub camera: Camera,
    /// What they lie on: it is the line around them, and what the farthest fade into.
    pub ground: wgpu::Color,
}

/// Round points, drawn straight from a buffer of positions.
pub struct Points {
    pipeline: wgpu::RenderPipeline,
    group: wgpu::BindGroup,
    view: wgpu::Buffer,
    queue: wgpu::Queue,
    palette: [[f32; 4]; 10],
    dimensions: u32,
    count: u32,
}

/// `View` of `points.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct View {
    rotation: [[f32; 4]; 3],
    size: [f32; 2],
    radius: f32,
    dimensions: u32,
    palette: [[f32; 4]; 10],
    ground: [f32; 4],
}

impl Points {
    /// The points that these buffers hold.
    pub fn new(gpu: &Gpu, sources: Sources<'_>) -> Self {
        let device = gpu.context.device();
        let view = device.create_buffer_init(&BufferInitDescriptor {
            label: Some("view"),
            contents: bytemuck::bytes_of(&View::zeroed()),
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        });
        let pipeline = pipeline(device, gpu.format);
        let buffers = [&view, sources.positions, sources.labels, sources.extent];
        let entries = [0, 1, 2, 3].map(|binding: usize| wgpu::BindGroupEntry {
            binding: binding as u32,
            resource: buffers[binding].as_entire_binding(),
        });
        let layout = pipeline.get_bind_group_layout(0);
        let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("points"),
            layout: &layout,
            entries: &entries,
        });
        Self {
            pipeline,
            group,
            view,
            queue: gpu.context.queue().clone(),
            palette: palette(gpu.format),
            dimensions: sources.dimensions,
            count: (sources.labels.size() / 4) as u32,
        }
    }

    /// Draws them into a viewport of `size` pixels.
    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>, size: [f32; 2], sight: Sight) {
        let Sight { radius, camera, ground } = sight;
        let view = View {
            rotation: camera.rotation(),
            size,
            radius,
            dimensions: self.dimensions,
            palette: self.palette,
            ground: [ground.r, ground.g, ground.b, ground.a].map(|channel| channel as f32),
        };
        self.queue.write_buffer(&self.view, 0, bytemuck::bytes_of(&view));
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.group, &[]);
        pass.draw(0..4, 0..self.count);
    }
}

impl Camera {
    /// The columns of a rotation around the upright axis, then around the axis from left to right.
    fn rotation(self) -> [[f32; 4]; 3] {
        let [(sin, cos), (tilt_sin, tilt_cos)] = [self.yaw.sin_cos(), self.pitch.sin_cos()];
        [
            [cos, sin * tilt_sin, -sin * tilt_cos, 0.0],
            [0.0, tilt_cos, tilt_sin, 0.0],
            [sin, -cos * tilt_sin, cos * tilt_cos, 0.0],
        ]
    }
}

/// The palette as what is drawn on takes it.
fn palette(format: wgpu::TextureFormat) -> [[f32; 4]; 10] {
    let channel = |byte: u8| match (f32::from(byte) / 255.0, format.is_srgb()) {
        (value, false) => value,
        (value, true) if value <= 0.04045 => value / 12.92,
        (value, true) => ((value + 0.055) / 1.055).powf(2.4),
    };
    PALETTE.map(|[red, green, blue]| [channel(red), channel(green), channel(blue), 1.0])
}

fn pipeline(device: &wgpu::Device, format: wgpu::TextureFormat) -> wgpu::RenderPipeline {
    let module = device.create_shader_module(wgpu::include_wgsl!("points.wgsl"));
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some("points"),
        layout: None,
        vertex: wgpu::VertexState {
            module: &module,
            entry_point: Some("vertex"),
            compilation_options: Default::default(),
            buffers: &[],
        },
        primitive: wgpu::PrimitiveState {
            topology: wgpu::PrimitiveTopology::TriangleStrip,
            ..Default::default()
        },
        depth_stencil: Some(depth_state()),
        multisample: Default::default(),
        fragment: Some(wgpu::FragmentState {
            module: &module,
            entry_point: Some("fragment"),
            compilation_options: Default::default(),
            targets: &[Some(wgpu::ColorTargetState {
                format,
                blend: Some(wgpu::BlendState::ALPHA_BLENDING),
                write_mask: wgpu::ColorWrites::ALL,
            })],
        }),
        multiview_mask: None,
        cache: None,
    })
}
