//! What is seen: the embeddings, the controls, the loss curve.

use std::time::{Duration, Instant};

use canvas::{GROUND, Gpu, Result, Scene};
use egui::{Color32, Stroke, pos2};
use live_embedding::{CLASSES, Choice, Controls, Live, Objective, distances, minings};
use wgpu_metric_learning::{Distance, Mining};

use crate::arguments::Training;

/// Of the loss curve.
const HEIGHT: f32 = 130.0;

/// A training that is watched, with its controls.
pub(crate) struct Studio {
    gpu: Gpu,
    live: Live,
    controls: Controls,
    /// How long planning took the last time that the controls asked for it.
    planned: Option<Duration>,
}

impl Studio {
    /// The training at its beginning.
    ///
    /// # Errors
    ///
    /// Those of [`Live::new`].
    pub(crate) fn new(gpu: &Gpu, arguments: &Training) -> Result<Self> {
        let controls = arguments.controls();
        let live = Live::new(gpu, arguments.digits, arguments.seed, controls)?;
        Ok(Self { gpu: gpu.clone(), live, controls, planned: None })
    }

    /// Makes the training go by the controls.
    fn apply(&mut self) -> Result<()> {
        let before = self.live.controls();
        let begin = Instant::now();
        self.live.go_by(self.controls)?;
        if before.objective != self.controls.objective {
            self.planned = Some(begin.elapsed());
        }
        Ok(())
    }
}

impl Scene for Studio {
    const TITLE: &'static str = "Digits, embedded live";

    fn controls(&mut self, ui: &mut egui::Ui) {
        let Controls { objective, learning_rate, dimensions, restarts } = &mut self.controls;
        ui.heading("Loss");
        let before = objective.choice;
        choose(ui, "loss", Choice::ALL, Choice::name, &mut objective.choice);
        if objective.choice != before {
            objective.margin = objective.choice.usual_margin();
        }
        ui.add_enabled_ui(objective.choice == Choice::Triplet, |ui| {
            choose(ui, "mining", minings(), Mining::name, &mut objective.mining);
        });
        choose(ui, "distance", distances(), Distance::name, &mut objective.distance);
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
        show(self.live.curve().losses(), ui);
    }

    fn caption(&self, ui: &mut egui::Ui) {
        let Objective { choice, mining, distance, margin } = self.live.controls().objective;
        let mining = match choice {
            Choice::Triplet => format!("{mining}, "),
            _ => String::new(),
        };
        let subtitle = format!(
            "{} handwritten digits, {} ({mining}{distance}, {} {margin}), step {}",
            self.live.training().shape().queries(),
            choice.name(),
            choice.margin_name(),
            self.live.curve().steps(),
        );
        let legend: Vec<_> = (0..CLASSES).map(|class| class.to_string()).collect();
        canvas::caption(ui, Self::TITLE, &subtitle, &legend);
    }

    fn step(&mut self, encoder: &mut wgpu::CommandEncoder) -> Result<()> {
        self.apply()?;
        self.live.record(encoder)
    }

    fn submitted(&mut self) {
        self.live.submitted();
    }

    fn draw(&self, pass: &mut wgpu::RenderPass<'_>, size: [f32; 2]) {
        self.live.draw(pass, size, GROUND);
    }

    fn summary(&mut self) -> Result<String> {
        self.live.submitted();
        let (training, curve) = (self.live.training(), self.live.curve());
        let precision =
            self.gpu.precision_at_1(training.embeddings(), training.labels(), training.shape())?;
        let [rows, steps] = [training.shape().queries(), curve.steps()];
        let loss = curve.losses().last().copied().unwrap_or(f32::NAN);
        Ok(format!("{rows} digits after {steps} steps: loss {loss:.4}, Precision@1 {precision:.4}"))
    }
}

/// A list to choose from.
fn choose<T: Copy + PartialEq>(
    ui: &mut egui::Ui,
    label: &str,
    all: impl IntoIterator<Item = T>,
    name: fn(T) -> &'static str,
    value: &mut T,
) {
    egui::ComboBox::from_label(label).selected_text(name(*value)).show_ui(ui, |ui| {
        for choice in all {
            ui.selectable_value(value, choice, name(choice));
        }
    });
}

/// Draws losses over the whole width, from 0 to the largest.
fn show(losses: &[f32], ui: &mut egui::Ui) {
    let (area, _) =
        ui.allocate_exact_size(egui::vec2(ui.available_width(), HEIGHT), egui::Sense::hover());
    let painter = ui.painter_at(area);
    painter.rect_filled(area, 3.0, Color32::WHITE);
    let finite = losses.iter().copied().filter(|loss| loss.is_finite());
    let largest = finite.fold(f32::MIN_POSITIVE, f32::max);
    let place = |(step, &loss): (usize, &f32)| {
        let x = area.left() + area.width() * step as f32 / losses.len().max(2) as f32;
        pos2(x, area.bottom() - 2.0 - (area.height() - 4.0) * (loss / largest).clamp(0.0, 1.0))
    };
    let points: Vec<_> = losses.iter().enumerate().map(place).collect();
    painter.line(points, Stroke::new(1.5, ui.visuals().strong_text_color()));
    if let Some(last) = losses.last() {
        let text = format!("{last:.4}  (largest {largest:.4})");
        let font = egui::TextStyle::Small.resolve(ui.style());
        painter.text(
            area.right_top() + egui::vec2(-6.0, 4.0),
            egui::Align2::RIGHT_TOP,
            text,
            font,
            ui.visuals().text_color(),
        );
    }
}
