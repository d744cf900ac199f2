//! The dispatches of a plan as text.

use std::fmt;

use crate::gpu::dispatch::Dispatch;
use crate::gpu::dispatch::program::Program;
use crate::wgsl::bindings::{Access, bindings};
use crate::wgsl::include::compose;
use crate::wgsl::tier::Tier;

/// The dispatches of a recording in their order, one line for each kernel that runs: its stage, its
/// file, how many workgroups it has, and the buffers that it reads and writes by their names in the
/// file. A kernel that runs in several dispatches one after the other is one line.
///
/// ```
/// use wgpu_metric_learning::{Context, Contrastive, Shape};
///
/// let plan = Context::headless()?.plan(Contrastive::default(), Shape::batch(512, 128))?;
/// println!("{plan}");
/// # Ok::<(), wgpu_metric_learning::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Listing<'a> {
    title: String,
    tier: Tier,
    dispatches: Vec<&'a Dispatch>,
}

impl<'a> Listing<'a> {
    pub(crate) fn new(program: &Program, dispatches: impl Iterator<Item = &'a Dispatch>) -> Self {
        let shape = &program.name.shape;
        let [n, m, d] = [shape.queries(), shape.references(), shape.dimensions()];
        let title = format!("{}, {} {n} x {m} x {d}", program.name, shape.mode().name());
        Self { title, tier: program.context.tier(), dispatches: dispatches.collect() }
    }

    pub(crate) fn of_program(program: &'a Program) -> Self {
        Self::new(program, program.own().iter())
    }

    /// Dispatches that follow one another and run the same kernel under the same label.
    fn runs(&self) -> impl Iterator<Item = &[&'a Dispatch]> {
        self.dispatches.chunk_by(|one, next| one.label == next.label && one.kernel == next.kernel)
    }
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.dispatches.len();
        writeln!(
            f,
            "{}: {count} {}",
            self.title,
            if count == 1 { "dispatch" } else { "dispatches" }
        )?;
        for run in self.runs() {
            let kernel = &run[0].kernel;
            let all = bindings(&compose(kernel.shader, self.tier));
            let names = |access| {
                let of = all.iter().filter(move |binding| binding.access == access);
                of.map(|binding| binding.name.as_str()).collect::<Vec<_>>().join(" ")
            };
            let groups: Vec<_> = run.iter().map(|dispatch| workgroups(dispatch.groups)).collect();
            writeln!(
                f,
                "  {:9} {:28} {:>12}  {} -> {}",
                run[0].stage.name(),
                kernel.name(),
                shortened(&groups),
                names(Access::Read),
                names(Access::ReadWrite),
            )?;
        }
        Ok(())
    }
}

/// Workgroups across, down and deep, as far as there are several.
fn workgroups([x, y, z]: [u32; 3]) -> String {
    match [x, y, z] {
        [x, 1, 1] => format!("{x}"),
        [x, y, 1] => format!("{x} x {y}"),
        _ => format!("{x} x {y} x {z}"),
    }
}

/// The workgroups of several dispatches: those of the first, and how often they come.
fn shortened(groups: &[String]) -> String {
    match groups {
        [one] => one.clone(),
        [first, .., last] if first == last => format!("{} times {first}", groups.len()),
        [first, .., last] => format!("{} times {first} to {last}", groups.len()),
        [] => String::new(),
    }
}
