//! What an application computes and draws, and the two ways to show it.

mod arguments;
mod caption;
mod frames;
mod picture;
mod waiting;
mod window;

use std::io::{self, Write};
use std::process::ExitCode;

pub use arguments::Arguments;
pub use caption::caption;

use crate::{Gpu, Result};

/// What is drawn lies on white.
pub const GROUND: wgpu::Color = wgpu::Color::WHITE;

/// What an application computes and draws, frame after frame.
pub trait Scene {
    /// The window's title.
    const TITLE: &'static str;

    /// The controls beside the drawing. What they change takes effect in the same frame.
    fn controls(&mut self, ui: &mut egui::Ui);

    /// What stands around the drawing: a title, a legend. See [`caption()`].
    fn caption(&self, ui: &mut egui::Ui);

    /// Records what comes before the drawing, in the same submission: one step.
    ///
    /// # Errors
    ///
    /// What ends the application.
    fn step(&mut self, encoder: &mut wgpu::CommandEncoder) -> Result<()>;

    /// Draws into a viewport of `size` pixels, with a depth buffer.
    fn draw(&self, pass: &mut wgpu::RenderPass<'_>, size: [f32; 2]);

    /// Called after the frame's submission: the place to ask for read-backs.
    fn submitted(&mut self) {}

    /// Called after the last frame of a picture has been computed: what is printed about it.
    ///
    /// # Errors
    ///
    /// What ends the application.
    fn summary(&mut self) -> Result<String>;
}

/// Shows the scene that `make` makes: as pictures, or in a window. An error is one line, and exit
/// code 1.
pub fn run<S: Scene>(arguments: &Arguments, make: impl FnOnce(&Gpu) -> Result<S>) -> ExitCode {
    let result = match &arguments.headless {
        Some(path) => picture::run(arguments, path, make),
        None => window::run(arguments, make),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ =
                writeln!(io::stderr(), "error: {}", error.to_string().trim().replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}
