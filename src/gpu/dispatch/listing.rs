//! The dispatches of a plan as text.

use std::fmt;

use crate::gpu::dispatch::Dispatch;
use crate::gpu::dispatch::program::Program;
use crate::gpu::kernel::stage::Stage;
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

/// One line of a [`Listing`]: a kernel in one dispatch, or in several that follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedKernel {
    /// The stage that its time is counted for.
    pub stage: Stage,
    /// The file of the kernel below `shaders/`, without its ending.
    pub kernel: String,
    /// The workgroups of each dispatch: across, down and deep.
    pub workgroups: Vec<[u32; 3]>,
    /// The buffers that are read, by their names in the file.
    pub reads: Vec<String>,
    /// The buffers that are written, which may be read as well, by their names in the file.
    pub writes: Vec<String>,
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

    /// What runs, in its order: dispatches that follow one another and run the same kernel under the
    /// same label are one [`ListedKernel`].
    pub fn kernels(&self) -> impl Iterator<Item = ListedKernel> + use<'_, 'a> {
        let same = |one: &&Dispatch, next: &&Dispatch| {
            one.label == next.label && one.kernel == next.kernel
        };
        self.dispatches.chunk_by(same).map(|dispatches| self.listed(dispatches))
    }

    fn listed(&self, dispatches: &[&Dispatch]) -> ListedKernel {
        let kernel = &dispatches[0].kernel;
        let all = bindings(&compose(kernel.shader, self.tier));
        let names = |access| {
            let of = all.iter().filter(move |binding| binding.access == access);
            of.map(|binding| binding.name.clone()).collect()
        };
        ListedKernel {
            stage: dispatches[0].stage,
            kernel: kernel.name(),
            workgroups: dispatches.iter().map(|dispatch| dispatch.groups).collect(),
            reads: names(Access::Read),
            writes: names(Access::ReadWrite),
        }
    }
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.dispatches.len();
        let plural = if count == 1 { "dispatch" } else { "dispatches" };
        writeln!(f, "{}: {count} {plural}", self.title)?;
        self.kernels().try_for_each(|kernel| writeln!(f, "  {kernel}"))
    }
}

impl fmt::Display for ListedKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups: Vec<_> = self.workgroups.iter().copied().map(workgroups).collect();
        let [stage, kernel, groups] = [self.stage.name(), &self.kernel, &shortened(&groups)];
        let [reads, writes] = [&self.reads, &self.writes].map(|names| names.join(" "));
        write!(f, "{stage:9} {kernel:28} {groups:>12}  {reads} -> {writes}")
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
