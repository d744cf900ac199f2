//! A training that is watched.

use canvas::{Camera, Gpu, Points, Result, Sight, Sources};
use serde::{Deserialize, Serialize};
use wgpu_metric_learning::{Distance, Mining};

use crate::curve::Curve;
use crate::extent::Extent;
use crate::objective::{Choice, Objective};
use crate::training::Training;

/// Of a point, in pixels: so much of the drawing's shorter side, and never less than this.
const RADIUS: f32 = 0.007;
const LEAST_RADIUS: f32 = 2.5;
/// Radians a frame, in three dimensions.
const TURN: f32 = 0.006;
const TILT: f32 = 0.35;

/// What can be changed while the training goes on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Controls {
    /// What is trained.
    pub objective: Objective,
    /// Of Adam.
    pub learning_rate: f32,
    /// Of the embedding: 2 or 3.
    pub dimensions: usize,
    /// How often the training was begun anew.
    pub restarts: u32,
}

/// A training that is watched: its steps, its losses, its points.
pub struct Live {
    gpu: Gpu,
    training: Training,
    curve: Curve,
    extent: Extent,
    points: Points,
    camera: Camera,
    controls: Controls,
}

impl Default for Controls {
    fn default() -> Self {
        let choice = Choice::Contrastive;
        let objective = Objective {
            choice,
            mining: Mining::All,
            distance: Distance::Euclidean,
            margin: choice.usual_margin(),
        };
        Self { objective, learning_rate: 0.002, dimensions: 2, restarts: 0 }
    }
}

impl Controls {
    /// Whether the training begins anew where these come after the others: its embeddings have
    /// another buffer then.
    pub fn begins_anew_after(self, other: Self) -> bool {
        (self.dimensions, self.restarts) != (other.dimensions, other.restarts)
    }
}

impl Live {
    /// The training at its beginning, of so many digits: see [`Training::new`].
    ///
    /// # Errors
    ///
    /// Those of [`Training::new`].
    pub fn new(gpu: &Gpu, digits: Option<usize>, seed: u32, controls: Controls) -> Result<Self> {
        let training = Training::new(gpu, digits, seed, controls)?;
        let extent = Extent::new(gpu, training.embeddings(), training.shape());
        let points = points(gpu, &training, &extent);
        let camera = camera(controls);
        let curve = Curve::new(gpu);
        Ok(Self { gpu: gpu.clone(), training, curve, extent, points, camera, controls })
    }

    /// What the training goes by.
    pub fn controls(&self) -> Controls {
        self.controls
    }

    /// Makes the training go by these controls. The pipelines of a loss and distance that were there
    /// before are used again.
    ///
    /// # Errors
    ///
    /// Those of [`wgpu_metric_learning::Context::plan`] and of
    /// [`wgpu_metric_learning::training::OptimizerPlan::set_learning_rate`].
    pub fn go_by(&mut self, controls: Controls) -> Result<()> {
        let (new, old) = (controls, self.controls);
        let begins_anew = new.begins_anew_after(old);
        if new.learning_rate != old.learning_rate {
            self.training.set_learning_rate(new.learning_rate)?;
        }
        if begins_anew {
            self.training.restart(new)?;
            self.extent = Extent::new(&self.gpu, self.training.embeddings(), self.training.shape());
            self.points = points(&self.gpu, &self.training, &self.extent);
            self.camera = camera(new);
        } else if new.objective != old.objective {
            self.training.set_objective(new.objective)?;
        }
        let kind = |one: Objective| (one.choice, one.mining);
        if begins_anew || kind(new.objective) != kind(old.objective) {
            self.curve = Curve::new(&self.gpu);
        }
        self.controls = new;
        Ok(())
    }

    /// Records a step, and what drawing needs of it.
    ///
    /// # Errors
    ///
    /// None that the plans' own bindings could cause.
    pub fn record(&mut self, encoder: &mut wgpu::CommandEncoder) -> Result<()> {
        self.training.record(encoder)?;
        self.curve.record(encoder, self.training.loss_value());
        self.extent.record(encoder);
        if self.controls.dimensions == 3 {
            self.camera.yaw += TURN;
        }
        Ok(())
    }

    /// To be called after the submission of a step.
    pub fn submitted(&mut self) {
        self.curve.submitted();
    }

    /// Draws the points into a viewport of `size` pixels.
    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>, size: [f32; 2], ground: wgpu::Color) {
        let radius = (RADIUS * size[0].min(size[1])).max(LEAST_RADIUS);
        self.points.draw(pass, size, Sight { radius, camera: self.camera, ground });
    }

    /// What is trained.
    pub fn training(&self) -> &Training {
        &self.training
    }

    /// The losses of the last steps.
    pub fn curve(&self) -> &Curve {
        &self.curve
    }
}

fn points(gpu: &Gpu, training: &Training, extent: &Extent) -> Points {
    let sources = Sources {
        positions: training.embeddings(),
        dimensions: training.shape().dimensions() as u32,
        labels: training.labels(),
        extent: extent.buffer(),
    };
    Points::new(gpu, sources)
}

fn camera(controls: Controls) -> Camera {
    let pitch = if controls.dimensions == 3 { TILT } else { 0.0 };
    Camera { yaw: 0.0, pitch }
}
