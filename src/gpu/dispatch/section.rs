//! The dispatches of a recording as far as they belong to one stage.

use crate::gpu::dispatch::Step;
use crate::gpu::kernel::stage::Stage;

/// Dispatches of a recording that follow one another and belong to the same stage. All sections of
/// a recording in their order are the recording.
///
/// They are for callers who record each into a compute pass of their own, with timestamps or within
/// a profiler's scope.
#[derive(Clone, Debug)]
pub struct Section<'a> {
    stage: Stage,
    steps: Vec<&'a Step>,
}

impl<'a> Section<'a> {
    /// The stage of all its dispatches.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// How many dispatches it has.
    pub fn dispatches(&self) -> usize {
        self.steps.len()
    }

    /// Roughly how many arithmetic operations it takes.
    pub fn operations(&self) -> u64 {
        self.steps.iter().map(|step| step.cost).sum()
    }

    /// Its dispatches, each as a section of its own.
    pub fn apart(&self) -> impl Iterator<Item = Section<'a>> {
        self.steps.iter().map(|&step| Section { stage: self.stage, steps: vec![step] })
    }

    /// Records it into a pass of the caller's. It leaves its own pipeline and bind group 0 set.
    pub fn record_into(&self, pass: &mut wgpu::ComputePass<'_>) {
        self.steps.iter().for_each(|step| step.record(pass));
    }
}

/// Cuts dispatches where the stage changes.
pub(crate) fn sections<'a>(steps: impl Iterator<Item = &'a Step>) -> Vec<Section<'a>> {
    let mut sections: Vec<Section<'a>> = Vec::new();
    for step in steps {
        match sections.last_mut().filter(|section| section.stage == step.stage) {
            Some(section) => section.steps.push(step),
            None => sections.push(Section { stage: step.stage, steps: vec![step] }),
        }
    }
    sections
}
