//! What is seen: the embeddings, the controls, the loss curve.

use std::time::{Duration, Instant};

use canvas::{Camera, Gpu, Points, Result, Scene, Sources};
use clap::ValueEnum;

use crate::curve::Curve;
use crate::digits::CLASSES;
use crate::extent::Extent;
use crate::objective::{Objective, name};
use crate::training::{Arguments, Training};

/// Of a point, in pixels: so much of the drawing's shorter side, and never less than this.
const RADIUS: f32 = 0.007;
const LEAST_RADIUS: f32 = 2.5;
/// Radians a frame, in three dimensions.
const TURN: f32 = 0.006;
const TILT: f32 = 0.35;

/// A training that is watched.
pub(crate) struct Studio {
    gpu: Gpu,
    training: Training,
    curve: Curve,
    view: View,
    controls: Controls,
    /// Those that the training goes by.
    applied: Controls,
    /// How long planning took the last time that the controls asked for it.
    planned: Option<Duration>,
}

/// What can be changed while the training goes on.
#[derive(Clone, Copy, PartialEq)]
struct Controls {
    objective: Objective,
    learning_rate: f32,
    dimensions: usize,
    /// How often the training was begun anew.
    restarts: u32,
}

/// How the embeddings are drawn.
struct View {
    extent: Extent,
    points: Points,
    camera: Camera,
}

impl View {
    fn new(gpu: &Gpu, training: &Training) -> Self {
        let shape = training.shape();
        let extent = Extent::new(gpu, training.embeddings(), shape);
        let dimensions = shape.dimensions() as u32;
        let sources = Sources {
            positions: training.embeddings(),
            dimensions,
            labels: training.labels(),
            extent: extent.buffer(),
        };
        let points = Points::new(gpu, sources);
        let pitch = if dimensions == 3 { TILT } else { 0.0 };
        Self { extent, points, camera: Camera { yaw: 0.0, pitch } }
    }
}

impl Studio {
    /// The training at its beginning.
    ///
    /// # Errors
    ///
    /// Those of [`Training::new`].
    pub(crate) fn new(gpu: &Gpu, arguments: &Arguments) -> Result<Self> {
        let choice = arguments.loss;
        let margin = arguments.margin.unwrap_or(choice.usual_margin());
        let controls = Controls {
            objective: Objective { choice, distance: arguments.distance, margin },
            learning_rate: arguments.learning_rate,
            dimensions: arguments.dimensions,
            restarts: 0,
        };
        let training = Training::new(gpu, arguments, controls.objective)?;
        let view = View::new(gpu, &training);
        let curve = Curve::new(gpu);
        Ok(Self {
            gpu: gpu.clone(),
            training,
            curve,
            view,
            controls,
            applied: controls,
            planned: None,
        })
    }

    /// Makes the training go by the controls, where they have changed.
    fn apply(&mut self) -> Result<()> {
        let (new, old) = (self.controls, self.applied);
        if new.learning_rate != old.learning_rate {
            self.training.set_learning_rate(new.learning_rate)?;
        }
        let begin = Instant::now();
        if (new.dimensions, new.restarts) != (old.dimensions, old.restarts) {
            self.training.restart(new.objective, new.dimensions, new.learning_rate)?;
            self.view = View::new(&self.gpu, &self.training);
            self.curve = Curve::new(&self.gpu);
        } else if new.objective != old.objective {
            self.training.set_objective(new.objective)?;
            self.planned = Some(begin.elapsed());
        }
        if new.objective.choice != old.objective.choice {
            self.curve = Curve::new(&self.gpu);
        }
        self.applied = new;
        Ok(())
    }
}

impl Scene for Studio {
    const TITLE: &'static str = "Digits, embedded live";

    fn controls(&mut self, ui: &mut egui::Ui) {
        let Controls { objective, learning_rate, dimensions, restarts } = &mut self.controls;
        ui.heading("Loss");
        let before = objective.choice;
        choose(ui, "loss", &mut objective.choice);
        if objective.choice != before {
            objective.margin = objective.choice.usual_margin();
        }
        choose(ui, "distance", &mut objective.distance);
        ui.add(
            egui::Slider::new(&mut objective.margin, 0.05..=4.0)
                .text(objective.choice.margin_name()),
        );
        // The line is there from the beginning, so that nothing below it jumps.
        let planned = self
            .planned
            .map(|planned| format!("planned anew in {:.1} ms", planned.as_secs_f64() * 1e3));
        ui.weak(planned.unwrap_or_default());
        ui.separator();
        ui.heading("Training");
        ui.add(
            egui::Slider::new(learning_rate, 1e-5..=0.1).logarithmic(true).text("learning rate"),
        );
        ui.horizontal(|ui| {
            ui.label("dimensions");
            ui.selectable_value(dimensions, 2, "2");
            ui.selectable_value(dimensions, 3, "3");
        });
        if ui.button("Begin anew").clicked() {
            *restarts += 1;
        }
        ui.separator();
        ui.heading("Loss curve");
        self.curve.show(ui);
    }

    fn caption(&self, ui: &mut egui::Ui) {
        let Objective { choice, distance, margin } = self.applied.objective;
        let subtitle = format!(
            "{} handwritten digits, {} ({}, {} {margin}), step {}",
            self.training.shape().queries(),
            name(choice),
            name(distance),
            choice.margin_name(),
            self.curve.steps(),
        );
        let legend: Vec<_> = (0..CLASSES).map(|class| class.to_string()).collect();
        canvas::caption(ui, Self::TITLE, &subtitle, &legend);
    }

    fn step(&mut self, encoder: &mut wgpu::CommandEncoder) -> Result<()> {
        self.apply()?;
        self.training.record(encoder)?;
        self.curve.record(encoder, self.training.loss_value());
        self.view.extent.record(encoder);
        if self.applied.dimensions == 3 {
            self.view.camera.yaw += TURN;
        }
        Ok(())
    }

    fn submitted(&mut self) {
        self.curve.submitted();
    }

    fn draw(&self, pass: &mut wgpu::RenderPass<'_>, size: [f32; 2]) {
        let radius = (RADIUS * size[0].min(size[1])).max(LEAST_RADIUS);
        self.view.points.draw(pass, size, radius, self.view.camera);
    }

    fn summary(&mut self) -> Result<String> {
        self.curve.submitted();
        let training = &self.training;
        let precision =
            self.gpu.precision_at_1(training.embeddings(), training.labels(), training.shape())?;
        let [rows, steps] = [training.shape().queries(), self.curve.steps()];
        let loss = self.curve.last().unwrap_or(f32::NAN);
        Ok(format!("{rows} digits after {steps} steps: loss {loss:.4}, Precision@1 {precision:.4}"))
    }
}

/// A list to choose from.
fn choose<T: ValueEnum + Copy + PartialEq>(ui: &mut egui::Ui, label: &str, value: &mut T) {
    egui::ComboBox::from_label(label).selected_text(name(*value)).show_ui(ui, |ui| {
        for &choice in T::value_variants() {
            ui.selectable_value(value, choice, name(choice));
        }
    });
}
