//! The window.

use std::sync::Arc;

use wgpu_metric_learning::Adapter;
use winit::application::ApplicationHandler;
use winit::dpi::PhysicalSize;
use winit::event::WindowEvent;
use winit::event_loop::{ActiveEventLoop, EventLoop};
use winit::window::{Window, WindowId};

use super::frames::Frames;
use super::{Arguments, Scene};
use crate::{Error, Gpu, Result};

/// Shows the scene until the window is closed, or for the frames that are asked for.
pub(crate) fn run<S: Scene>(
    arguments: &Arguments,
    make: impl FnOnce(&Gpu) -> Result<S>,
) -> Result<()> {
    let event_loop = EventLoop::new().map_err(|error| {
        // Before what is wrong the message says in which source file of winit it was found.
        let message = error.to_string();
        Error::window(message.rsplit(": ").next().unwrap_or_default().trim_end_matches('.'))
    })?;
    let mut application = Application { arguments, make: Some(make), shown: None, result: Ok(()) };
    event_loop.run_app(&mut application).map_err(Error::window)?;
    application.result
}

struct Application<'a, S, M> {
    arguments: &'a Arguments,
    make: Option<M>,
    shown: Option<Shown<S>>,
    result: Result<()>,
}

/// What there is once the window is open.
struct Shown<S> {
    window: Arc<Window>,
    instance: wgpu::Instance,
    surface: wgpu::Surface<'static>,
    configuration: wgpu::SurfaceConfiguration,
    gpu: Gpu,
    frames: Frames,
    controls: egui_winit::State,
    scene: S,
    frames_left: Option<u32>,
}

impl<S: Scene, M: FnOnce(&Gpu) -> Result<S>> ApplicationHandler for Application<'_, S, M> {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        let Some(make) = self.make.take() else { return };
        match Shown::open(event_loop, self.arguments, make) {
            Ok(shown) => self.shown = Some(shown),
            Err(error) => self.end(event_loop, Err(error)),
        }
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        let Some(shown) = &mut self.shown else { return };
        match shown.handle(&event) {
            Ok(true) => {}
            Ok(false) => self.end(event_loop, Ok(())),
            Err(error) => self.end(event_loop, Err(error)),
        }
    }
}

impl<S, M> Application<'_, S, M> {
    fn end(&mut self, event_loop: &ActiveEventLoop, result: Result<()>) {
        self.result = result;
        event_loop.exit();
    }
}

impl<S: Scene> Shown<S> {
    fn open(
        event_loop: &ActiveEventLoop,
        arguments: &Arguments,
        make: impl FnOnce(&Gpu) -> Result<S>,
    ) -> Result<Self> {
        let [width, height] = arguments.size;
        let attributes = Window::default_attributes()
            .with_title(S::TITLE)
            .with_inner_size(PhysicalSize::new(width, height));
        let window = Arc::new(event_loop.create_window(attributes).map_err(Error::window)?);
        let display = Box::new(event_loop.owned_display_handle());
        let instance = wgpu::Instance::new(
            wgpu::InstanceDescriptor::new_with_display_handle_from_env(display),
        );
        let surface = instance.create_surface(window.clone()).map_err(Error::window)?;
        let adapter = Adapter::find_in(&instance, arguments.adapter.as_deref(), Some(&surface))?;
        let configuration = configuration(&surface, &adapter, window.inner_size())?;
        let gpu = Gpu::open(&adapter, configuration.format)?;
        surface.configure(gpu.context.device(), &configuration);
        let frames = Frames::new(&gpu);
        let largest_texture = gpu.context.device().limits().max_texture_dimension_2d as usize;
        let controls = egui_winit::State::new(
            frames.egui().clone(),
            egui::ViewportId::ROOT,
            &window,
            Some(window.scale_factor() as f32),
            None,
            Some(largest_texture),
        );
        let scene = make(&gpu)?;
        window.request_redraw();
        let frames_left = arguments.frames;
        Ok(Self {
            window,
            instance,
            surface,
            configuration,
            gpu,
            frames,
            controls,
            scene,
            frames_left,
        })
    }

    /// Whether the window stays open.
    fn handle(&mut self, event: &WindowEvent) -> Result<bool> {
        // The controls learn of everything; what they say of it only matters where redrawing is for
        // a reason, and it is not.
        let _ = self.controls.on_window_event(&self.window, event);
        match event {
            WindowEvent::CloseRequested => return Ok(false),
            WindowEvent::Resized(size) => self.resize(*size),
            WindowEvent::Occluded(false) => self.window.request_redraw(),
            WindowEvent::RedrawRequested if self.is_visible() => {
                self.redraw()?;
                return Ok(self.frames_left != Some(0));
            }
            _ => {}
        }
        Ok(true)
    }

    /// A minimised window has no size on some platforms, and cannot be drawn on.
    fn is_visible(&self) -> bool {
        let size = self.window.inner_size();
        size.width > 0 && size.height > 0
    }

    fn resize(&mut self, size: PhysicalSize<u32>) {
        if size.width == 0 || size.height == 0 {
            return;
        }
        let largest = self.gpu.context.device().limits().max_texture_dimension_2d;
        self.configuration.width = size.width.min(largest);
        self.configuration.height = size.height.min(largest);
        self.configure();
    }

    fn configure(&self) {
        self.surface.configure(self.gpu.context.device(), &self.configuration);
        self.window.request_redraw();
    }

    fn redraw(&mut self) -> Result<()> {
        use wgpu::CurrentSurfaceTexture::{
            Lost, Occluded, Outdated, Suboptimal, Success, Timeout, Validation,
        };
        match self.surface.get_current_texture() {
            Success(texture) => self.present(texture)?,
            Suboptimal(texture) => {
                self.present(texture)?;
                self.configure();
            }
            Timeout => self.window.request_redraw(),
            // Drawn again when it is seen again.
            Occluded => {}
            Outdated => self.configure(),
            Lost => {
                self.surface =
                    self.instance.create_surface(self.window.clone()).map_err(Error::window)?;
                self.configure();
            }
            Validation => self.gpu.check()?,
        }
        Ok(())
    }

    fn present(&mut self, texture: wgpu::SurfaceTexture) -> Result<()> {
        let input = self.controls.take_egui_input(&self.window);
        let output = self.frames.frame(&self.gpu, &mut self.scene, &texture.texture, input)?;
        self.controls.handle_platform_output(&self.window, output);
        self.window.pre_present_notify();
        self.gpu.context.queue().present(texture);
        self.frames_left = self.frames_left.map(|left| left.saturating_sub(1));
        self.window.request_redraw();
        Ok(())
    }
}

fn configuration(
    surface: &wgpu::Surface<'_>,
    adapter: &Adapter,
    size: PhysicalSize<u32>,
) -> Result<wgpu::SurfaceConfiguration> {
    let (width, height) = (size.width.max(1), size.height.max(1));
    let usual = surface.get_default_config(adapter.wgpu(), width, height);
    let usual = usual.ok_or_else(|| Error::window("the adapter cannot draw on it"))?;
    let formats = surface.get_capabilities(adapter.wgpu()).formats;
    // The controls are made for values as they are seen, which no hardware converts.
    let format = egui_wgpu::preferred_framebuffer_format(&formats).map_err(Error::window)?;
    Ok(wgpu::SurfaceConfiguration { format, present_mode: wgpu::PresentMode::AutoVsync, ..usual })
}
