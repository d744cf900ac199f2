//! A canvas that embeddings are drawn on, straight from their buffer.

use wasm_bindgen::JsError;
use web_sys::OffscreenCanvas;
use wgpu::util::{BufferInitDescriptor, DeviceExt};
use wgpu_metric_learning::{Adapter, Context};

#[path = "../../canvas/src/palette.rs"]
mod palette;

/// Of a point, as a part of the canvas's shorter side.
const RADIUS: f32 = 0.006;

const BACKGROUND: wgpu::Color = wgpu::Color::WHITE;

/// Points in the plane on a canvas.
pub(crate) struct Canvas {
    context: Context,
    surface: wgpu::Surface<'static>,
    follow: wgpu::ComputePipeline,
    following: wgpu::BindGroup,
    draw: wgpu::RenderPipeline,
    drawing: wgpu::BindGroup,
    points: u32,
}

impl Canvas {
    /// For these embeddings, N x 2, and their labels.
    pub(crate) fn new(
        adapter: &Adapter,
        context: &Context,
        canvas: OffscreenCanvas,
        embeddings: &wgpu::Buffer,
        labels: &wgpu::Buffer,
    ) -> Result<Self, JsError> {
        let device = context.device();
        let size = [canvas.width(), canvas.height()];
        let surface = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle())
            .create_surface(wgpu::SurfaceTarget::OffscreenCanvas(canvas))?;
        let configuration = surface
            .get_default_config(adapter.wgpu(), size[0], size[1])
            .ok_or_else(|| JsError::new("the adapter cannot draw on a canvas"))?;
        surface.configure(device, &configuration);

        let points = (labels.size() / 4) as u32;
        let uniform = |contents: &[u8]| {
            let usage = wgpu::BufferUsages::UNIFORM;
            device.create_buffer_init(&BufferInitDescriptor { label: None, contents, usage })
        };
        let extent = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("extent"),
            size: 16,
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        });
        let extents = wgpu::include_wgsl!("../../live_embedding/src/extent.wgsl");
        let follow = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("extent"),
            layout: None,
            module: &device.create_shader_module(extents),
            entry_point: None,
            compilation_options: Default::default(),
            cache: None,
        });
        let settings = uniform(&[points, 2].map(u32::to_le_bytes).concat());
        let following =
            group(device, &follow.get_bind_group_layout(0), &[&settings, embeddings, &extent]);
        let draw = pipeline(device, configuration.format);
        let view = uniform(&view(size));
        let drawing =
            group(device, &draw.get_bind_group_layout(0), &[&view, embeddings, labels, &extent]);
        let context = context.clone();
        Ok(Self { context, surface, follow, following, draw, drawing, points })
    }

    /// Draws the embeddings as they are after what the encoder has recorded, and submits.
    pub(crate) fn draw(&self, mut encoder: wgpu::CommandEncoder) -> Result<(), JsError> {
        use wgpu::CurrentSurfaceTexture::{Suboptimal, Success};
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(&self.follow);
        pass.set_bind_group(0, &self.following, &[]);
        pass.dispatch_workgroups(1, 1, 1);
        drop(pass);
        let (Success(frame) | Suboptimal(frame)) = self.surface.get_current_texture() else {
            return Err(JsError::new("the canvas gives nothing to draw on"));
        };
        let view = frame.texture.create_view(&Default::default());
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("points"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &view,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(BACKGROUND),
                    store: wgpu::StoreOp::Store,
                },
            })],
            ..Default::default()
        });
        pass.set_pipeline(&self.draw);
        pass.set_bind_group(0, &self.drawing, &[]);
        pass.draw(0..4, 0..self.points);
        drop(pass);
        self.context.queue().submit([encoder.finish()]);
        self.context.queue().present(frame);
        Ok(())
    }
}

/// The buffers at the bindings from 0 on.
fn group(
    device: &wgpu::Device,
    layout: &wgpu::BindGroupLayout,
    buffers: &[&wgpu::Buffer],
) -> wgpu::BindGroup {
    let numbered = (0..).zip(buffers);
    let entries: Vec<_> = numbered
        .map(|(binding, buffer)| wgpu::BindGroupEntry {
            binding,
            resource: buffer.as_entire_binding(),
        })
        .collect();
    device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries })
}

/// `View` of `points.wgsl`.
fn view([width, height]: [u32; 2]) -> Vec<u8> {
    let size = [width as f32, height as f32];
    let radius = (RADIUS * size[0].min(size[1])).max(2.5);
    let palette = palette::PALETTE.iter().flat_map(|colour| {
        let [red, green, blue] = colour.map(|channel| f32::from(channel) / 255.0);
        [red, green, blue, 1.0]
    });
    let numbers = [size[0], size[1], radius, 0.0].into_iter().chain(palette);
    numbers.flat_map(f32::to_le_bytes).collect()
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
        depth_stencil: None,
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
