//! The embedding of the digits, trained and drawn frame after frame.
//!
//! It is an application of its own, with a device of its own that the library is a guest on: the
//! points are drawn from the buffer that the training writes.

use canvas::{Gpu, PALETTE};
use live_embedding::{Choice, Controls, Live, distances, minings};
use serde::Serialize;
use serde_json::json;
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;
use wgpu::web_sys::OffscreenCanvas;
use wgpu_metric_learning::measures::{MeasurePlan, Measures, Retrieval};
use wgpu_metric_learning::{Binding, Context, InFlight, Inputs, Record};

use crate::done;

/// Steps from a measurement to the next.
const MEASURED_EVERY: usize = 10;

/// What the weights and the features depend on.
const SEED: u32 = 1;

/// A training that is watched.
#[wasm_bindgen]
pub struct Watch {
    gpu: Gpu,
    live: Live,
    precision: Precision,
    picture: Picture,
    steps: usize,
}

/// What is drawn on.
struct Picture {
    surface: wgpu::Surface<'static>,
    configuration: wgpu::SurfaceConfiguration,
    depth: wgpu::TextureView,
    ground: wgpu::Color,
}

/// Precision@1 of the embeddings, which comes to the host some frames late.
struct Precision {
    plan: MeasurePlan,
    inputs: Binding,
    on_its_way: InFlight<Measures>,
    known: Option<f32>,
}

/// What is told of a frame.
#[derive(Serialize)]
struct Told<'a> {
    steps: usize,
    precision_at_1: Option<f32>,
    /// The oldest first, as far as they have come to the host.
    losses: &'a [f32],
}

/// What can be chosen, as JSON: losses with their usual margin, minings, distances; the controls at
/// the beginning; and the colours of the classes.
#[wasm_bindgen]
pub fn choices() -> String {
    let losses = Choice::ALL.map(|choice| {
        let (name, margin) = (choice.margin_name(), choice.usual_margin());
        json!({ "loss": choice.name(), "margin_name": name, "usual_margin": margin })
    });
    let distances: Vec<_> = distances().collect();
    let minings: Vec<_> = minings().collect();
    json!({
        "losses": losses,
        "minings": minings,
        "distances": distances,
        "controls": Controls::default(),
        "palette": PALETTE,
    })
    .to_string()
}

#[wasm_bindgen]
impl Watch {
    /// Opens a device that draws on the canvas, and begins to train by these controls, given as
    /// JSON.
    pub async fn open(canvas: OffscreenCanvas, controls: &str) -> Result<Self, JsError> {
        let controls = serde_json::from_str(controls)?;
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = wgpu::Backends::BROWSER_WEBGPU;
        let instance = wgpu::Instance::new(descriptor);
        let size = [canvas.width(), canvas.height()];
        let surface = instance.create_surface(wgpu::SurfaceTarget::OffscreenCanvas(canvas))?;
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            compatible_surface: Some(&surface),
            ..Default::default()
        };
        let adapter = instance.request_adapter(&options).await?;
        let (device, queue) = adapter.request_device(&Default::default()).await?;
        let configuration = surface
            .get_default_config(&adapter, size[0].max(1), size[1].max(1))
            .ok_or_else(|| JsError::new("the adapter cannot draw on a canvas"))?;
        let gpu = Gpu::new(Context::new(&device, &queue)?, configuration.format);
        let live = Live::new(&gpu, None, SEED, controls)?;
        let precision = Precision::new(&gpu, &live)?;
        let picture = Picture::new(&gpu, surface, configuration);
        Ok(Self { gpu, live, precision, picture, steps: 0 })
    }

    /// Trains by other controls from the next frame on, given as JSON.
    pub fn go_by(&mut self, controls: &str) -> Result<(), JsError> {
        let controls: Controls = serde_json::from_str(controls)?;
        let begins_anew = controls.begins_anew_after(self.live.controls());
        self.live.go_by(controls)?;
        if begins_anew {
            self.precision = Precision::new(&self.gpu, &self.live)?;
            self.steps = 0;
        }
        Ok(())
    }

    /// Draws on so many pixels from the next frame on, and on a ground of this colour, whose
    /// channels go from 0 to 255.
    pub fn look(&mut self, width: u32, height: u32, ground: &[u8]) {
        let most = self.gpu.context.device().limits().max_texture_dimension_2d;
        let [red, green, blue] = [0, 1, 2]
            .map(|channel| ground.get(channel).map_or(1.0, |&value| f64::from(value) / 255.0));
        let Picture { surface, configuration, .. } = &mut self.picture;
        configuration.width = width.clamp(1, most);
        configuration.height = height.clamp(1, most);
        surface.configure(self.gpu.context.device(), configuration);
        self.picture.depth = depth_of(&self.gpu, &self.picture.configuration);
        self.picture.ground = wgpu::Color { r: red, g: green, b: blue, a: 1.0 };
    }

    /// Computes a step and draws it, in one submission; what is told of it, as JSON.
    pub fn frame(&mut self) -> Result<String, JsError> {
        use wgpu::CurrentSurfaceTexture::{Suboptimal, Success};
        let (Success(target) | Suboptimal(target)) = self.picture.surface.get_current_texture()
        else {
            self.gpu.check()?;
            return Err(JsError::new("the browser gives nothing to draw on"));
        };
        let device = self.gpu.context.device();
        let mut encoder = device.create_command_encoder(&Default::default());
        self.live.record(&mut encoder)?;
        if self.steps.is_multiple_of(MEASURED_EVERY) {
            self.precision.record(&mut encoder)?;
        }
        self.picture.draw(&mut encoder, &target.texture, &self.live);
        self.gpu.context.queue().submit([encoder.finish()]);
        self.gpu.context.queue().present(target);
        self.steps += 1;
        self.live.submitted();
        self.precision.take()?;
        self.gpu.check()?;
        Ok(serde_json::to_string(&Told {
            steps: self.steps,
            precision_at_1: self.precision.known,
            losses: self.live.curve().losses(),
        })?)
    }

    /// Waits until the GPU has done the frames so far, so that they do not queue up.
    pub async fn done(&self) -> Result<(), JsError> {
        Ok(done(self.gpu.context.queue()).await?)
    }
}

impl Picture {
    fn new(
        gpu: &Gpu,
        surface: wgpu::Surface<'static>,
        configuration: wgpu::SurfaceConfiguration,
    ) -> Self {
        surface.configure(gpu.context.device(), &configuration);
        let depth = depth_of(gpu, &configuration);
        Self { surface, configuration, depth, ground: wgpu::Color::WHITE }
    }

    fn draw(&self, encoder: &mut wgpu::CommandEncoder, target: &wgpu::Texture, live: &Live) {
        let view = target.create_view(&Default::default());
        let mut pass = canvas::begin(encoder, &view, &self.depth, self.ground);
        let size = [self.configuration.width, self.configuration.height].map(|side| side as f32);
        live.draw(&mut pass, size, self.ground);
    }
}

fn depth_of(gpu: &Gpu, configuration: &wgpu::SurfaceConfiguration) -> wgpu::TextureView {
    let &wgpu::SurfaceConfiguration { width, height, .. } = configuration;
    let size = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
    canvas::depth(gpu.context.device(), size)
}

impl Precision {
    fn new(gpu: &Gpu, live: &Live) -> Result<Self, wgpu_metric_learning::Error> {
        let training = live.training();
        let plan = gpu.context.plan_measures(&Retrieval::default(), training.shape())?;
        let inputs = plan.bind(&Inputs::new(training.embeddings(), training.labels()))?;
        Ok(Self { plan, inputs, on_its_way: InFlight::new(1), known: None })
    }

    /// Measures what the step before it in the encoder has made.
    fn record(&mut self, encoder: &mut wgpu::CommandEncoder) -> wgpu_metric_learning::Result<()> {
        self.plan.record(encoder, &self.inputs)?;
        self.on_its_way.start(|| self.plan.read_back(encoder))?;
        Ok(())
    }

    /// Takes what has come. What the browser has to say of the calls before comes with it.
    fn take(&mut self) -> wgpu_metric_learning::Result<()> {
        if let Some(measures) = self.on_its_way.try_take() {
            self.known = Some(measures?.precision_at_1);
        }
        Ok(())
    }
}
