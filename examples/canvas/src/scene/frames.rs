//! A frame: the controls, a step of the scene, its drawing, in one submission.

use egui_wgpu::{Renderer, RendererOptions, ScreenDescriptor};

use super::{Scene, caption};
use crate::pass::{DEPTH, begin, depth};
use crate::{GROUND, Gpu, Result};

/// In points, the unit of the controls.
const CONTROLS_WIDTH: f32 = 280.0;
const SLIDER_WIDTH: f32 = 90.0;

/// What frames are made with.
pub(crate) struct Frames {
    egui: egui::Context,
    renderer: Renderer,
    depth: Option<wgpu::TextureView>,
}

impl Frames {
    pub(crate) fn new(gpu: &Gpu) -> Self {
        let options = RendererOptions {
            depth_stencil_format: Some(DEPTH),
            dithering: false,
            ..RendererOptions::PREDICTABLE
        };
        let egui = egui::Context::default();
        egui.set_theme(egui::Theme::Light);
        egui.global_style_mut(|style| style.spacing.slider_width = SLIDER_WIDTH);
        Self {
            egui,
            renderer: Renderer::new(gpu.context.device(), gpu.format, options),
            depth: None,
        }
    }

    /// The context of the controls.
    pub(crate) fn egui(&self) -> &egui::Context {
        &self.egui
    }

    /// Computes and draws a frame. Returns what the controls ask of the platform.
    pub(crate) fn frame(
        &mut self,
        gpu: &Gpu,
        scene: &mut impl Scene,
        target: &wgpu::Texture,
        input: egui::RawInput,
    ) -> Result<egui::PlatformOutput> {
        let (device, queue) = (gpu.context.device(), gpu.context.queue());
        let mut drawing = egui::Rect::NOTHING;
        let output = self.egui.run_ui(input, |ui| drawing = layout(scene, ui));
        let scale = output.pixels_per_point;
        let screen = ScreenDescriptor {
            size_in_pixels: [target.width(), target.height()],
            pixels_per_point: scale,
        };
        let jobs = self.egui.tessellate(output.shapes, scale);
        for (id, deltas) in &output.textures_delta.set {
            deltas.iter().for_each(|delta| self.renderer.update_texture(device, queue, *id, delta));
        }

        let mut encoder =
            device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("frame") });
        scene.step(&mut encoder)?;
        self.renderer.update_buffers(device, queue, &mut encoder, &jobs, &screen);
        let view = target.create_view(&wgpu::TextureViewDescriptor::default());
        let depth = self.depth(device, target);
        let mut pass = begin(&mut encoder, &view, &depth, GROUND);
        let [left, top, width, height] = viewport(drawing, scale, screen.size_in_pixels);
        if width > 0.0 && height > 0.0 {
            pass.set_viewport(left, top, width, height, 0.0, 1.0);
            scene.draw(&mut pass, [width, height]);
        }
        self.renderer.render(&mut pass, &jobs, &screen);
        drop(pass);
        queue.submit([encoder.finish()]);
        scene.submitted();
        output.textures_delta.free.iter().for_each(|id| self.renderer.free_texture(id));
        gpu.check()?;
        Ok(output.platform_output)
    }

    /// A depth buffer of the target's size.
    fn depth(&mut self, device: &wgpu::Device, target: &wgpu::Texture) -> wgpu::TextureView {
        self.depth.take_if(|depth| depth.texture().size() != target.size());
        self.depth.get_or_insert_with(|| depth(device, target.size())).clone()
    }
}

/// The controls on the right; the rest, which is returned, is for the drawing.
fn layout(scene: &mut impl Scene, ui: &mut egui::Ui) -> egui::Rect {
    let controls = egui::Panel::right("controls").exact_size(CONTROLS_WIDTH).resizable(false);
    controls.show(ui, |ui| egui::ScrollArea::vertical().show(ui, |ui| scene.controls(ui)));
    egui::CentralPanel::no_frame()
        .show(ui, |ui| {
            scene.caption(ui);
            caption::free(ui.max_rect())
        })
        .inner
}

/// The rectangle in pixels, kept within the target.
fn viewport(drawing: egui::Rect, scale: f32, [width, height]: [u32; 2]) -> [f32; 4] {
    let [left, right] =
        [drawing.left(), drawing.right()].map(|x| (x * scale).round().clamp(0.0, width as f32));
    let [top, bottom] =
        [drawing.top(), drawing.bottom()].map(|y| (y * scale).round().clamp(0.0, height as f32));
    [left, top, right - left, bottom - top]
}
