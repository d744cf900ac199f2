//! The swarm: particles on the GPU, what can be changed while they move, and how they are drawn.

use canvas::{Camera, GROUND, Gpu, Points, Result, Scene, Sight, Sources};
use wgpu_metric_learning::{Binding, Contrastive, Inputs, Plan, Record, Shape};

use crate::flock::{Arguments, Controls, Flock};
use crate::motion::{Motion, Settings};

const PARTICLES: usize = 20_000;
const PARTICLES_IN_SOFTWARE: usize = 3_000;
const STEP_SECONDS: f32 = 1.0 / 60.0;
/// Of the area of the drawing, how much the particles would cover if none were upon another.
const COVERED: f32 = 0.12;
/// Of a particle, in pixels.
const LEAST_RADIUS: f32 = 1.5;
/// Radians a frame, in three dimensions.
const TURN: f32 = 0.005;

/// The swarm.
pub(crate) struct Swarm {
    gpu: Gpu,
    shape: Shape,
    kinds: u32,
    positions: wgpu::Buffer,
    velocities: wgpu::Buffer,
    labels: wgpu::Buffer,
    /// Those of the beginning.
    first_controls: Controls,
    controls: Controls,
    motion: Motion,
    force: Force,
    points: Points,
    camera: Camera,
    steps: u32,
}

/// The contrastive loss of the positions: its gradient is the force.
struct Force {
    controls: Controls,
    plan: Plan,
    inputs: Binding,
    motion: wgpu::BindGroup,
}

impl Swarm {
    /// The flock at its beginning.
    ///
    /// # Errors
    ///
    /// Those of [`wgpu_metric_learning::Context::plan`].
    pub(crate) fn new(gpu: &Gpu, arguments: &Arguments) -> Result<Self> {
        let usual = if gpu.is_software { PARTICLES_IN_SOFTWARE } else { PARTICLES };
        let count = arguments.particles.unwrap_or(usual);
        let flock = Flock::new(arguments, count);
        let positions = gpu.buffer("positions", &flock.positions);
        let velocities = gpu.buffer("velocities", &flock.velocities);
        let labels = gpu.buffer("kinds", &flock.kinds);
        let extent = gpu.buffer("extent", &[0.0f32, 0.0, 0.0, 1.0]);

        let shape = Shape::batch(count, arguments.dimensions);
        let controls = arguments.controls;
        let motion = Motion::new(gpu);
        let force = Force::new(gpu, controls, shape, [&positions, &velocities, &labels], &motion)?;
        let dimensions = arguments.dimensions as u32;
        let points = Points::new(
            gpu,
            Sources { positions: &positions, dimensions, labels: &labels, extent: &extent },
        );
        Ok(Self {
            gpu: gpu.clone(),
            shape,
            kinds: arguments.kinds,
            positions,
            velocities,
            labels,
            first_controls: controls,
            controls,
            motion,
            force,
            points,
            camera: Camera { yaw: 0.0, pitch: 0.4 * f32::from(dimensions == 3) },
            steps: 0,
        })
    }

    fn particles(&self) -> usize {
        self.shape.queries()
    }
}

impl Force {
    /// Plans the loss for these margins; its pipelines are those of the last time. The buffers are
    /// positions, velocities, labels.
    fn new(
        gpu: &Gpu,
        controls: Controls,
        shape: Shape,
        buffers: [&wgpu::Buffer; 3],
        motion: &Motion,
    ) -> Result<Self> {
        let [positions, velocities, labels] = buffers;
        let loss = Contrastive {
            positive_margin: controls.reach,
            negative_margin: controls.margin,
            ..Default::default()
        };
        let plan = gpu.context.plan(loss, shape)?;
        let inputs = plan.bind(&Inputs::new(positions, labels))?;
        let motion = motion.bind(gpu, [plan.gradient(), positions, velocities]);
        Ok(Self { controls, plan, inputs, motion })
    }
}

impl Scene for Swarm {
    const TITLE: &'static str = "Flocking by a contrastive loss";

    fn controls(&mut self, ui: &mut egui::Ui) {
        let Controls { reach, margin, strength, drive, speed } = &mut self.controls;
        ui.heading("Force");
        ui.add(egui::Slider::new(reach, 0.0..=0.5).text("positive margin"));
        ui.add(egui::Slider::new(margin, 0.0..=1.5).text("negative margin"));
        ui.add(egui::Slider::new(strength, 0.0..=20.0).text("strength"));
        ui.separator();
        ui.heading("Motion");
        ui.add(egui::Slider::new(speed, 0.05..=2.0).text("own speed"));
        ui.add(egui::Slider::new(drive, 0.0..=10.0).text("drive"));
        if ui.button("Reset the controls").clicked() {
            self.controls = self.first_controls;
        }
    }

    fn caption(&self, ui: &mut egui::Ui) {
        let subtitle =
            format!("{} particles of {} kinds, step {}", self.particles(), self.kinds, self.steps);
        canvas::caption(ui, Self::TITLE, &subtitle, &[]);
    }

    fn step(&mut self, encoder: &mut wgpu::CommandEncoder) -> Result<()> {
        if self.controls != self.force.controls {
            let buffers = [&self.positions, &self.velocities, &self.labels];
            self.force = Force::new(&self.gpu, self.controls, self.shape, buffers, &self.motion)?;
        }
        self.force.plan.record(encoder, &self.force.inputs)?;
        let settings = Settings {
            particles: self.particles() as u32,
            dimensions: self.shape.dimensions() as u32,
            strength: self.controls.strength,
            drive: self.controls.drive,
            speed: self.controls.speed,
            duration: STEP_SECONDS,
            padding: [0; 2],
        };
        self.motion.record(encoder, &self.force.motion, settings);
        self.camera.yaw += TURN * f32::from(self.shape.dimensions() == 3);
        self.steps += 1;
        Ok(())
    }

    fn draw(&self, pass: &mut wgpu::RenderPass<'_>, size: [f32; 2]) {
        let shorter = size[0].min(size[1]);
        let radius = shorter * (COVERED / self.particles() as f32 / std::f32::consts::PI).sqrt();
        let radius = radius.max(LEAST_RADIUS);
        self.points.draw(pass, size, Sight { radius, camera: self.camera, ground: GROUND });
    }

    fn summary(&mut self) -> Result<String> {
        let precision = self.gpu.precision_at_1(&self.positions, &self.labels, self.shape)?;
        Ok(format!(
            "{} particles after {} steps: Precision@1 {precision:.4}",
            self.particles(),
            self.steps
        ))
    }
}
