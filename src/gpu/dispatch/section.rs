//! The dispatches of a recording as far as they belong to one stage.

use crate::gpu::dispatch::Dispatch;
use crate::gpu::kernel::stage::Stage;

/// Dispatches of a recording that follow one another and belong to the same stage. All sections of
/// a recording in their order are the recording.
///
/// They are for callers who record each into a compute pass of their own, with timestamps or within
/// a profiler's scope.
#[derive(Clone, Debug)]
pub struct Section<'a> {
    stage: Stage,
    dispatches: Vec<&'a Dispatch>,
}

impl<'a> Section<'a> {
    /// The stage of all its dispatches.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// How many dispatches it has.
    pub fn dispatches(&self) -> usize {
        self.dispatches.len()
    }

    /// Roughly how many arithmetic operations it takes.
    pub fn operations(&self) -> u64 {
        self.dispatches.iter().map(|dispatch| dispatch.cost).sum()
    }

    /// How many workgroups it has that compute something. Of the tiles of a matrix that is
    /// symmetric, those below the diagonal return at once.
    pub fn workgroups(&self) -> u64 {
        self.dispatches.iter().map(|dispatch| dispatch.working).sum()
    }

    /// The file of its first dispatch's kernel below `shaders/`, without its end, and its entry
    /// point where that is not `main`, as a [`Listing`](crate::profile::Listing) has them.
    pub fn kernel(&self) -> String {
        self.dispatches.first().map(|dispatch| dispatch.kernel.name()).unwrap_or_default()
    }

    /// The dispatches of this section, each as a section of its own.
    pub fn apart(&self) -> impl Iterator<Item = Section<'a>> {
        self.dispatches
            .iter()
            .map(|&dispatch| Section { stage: self.stage, dispatches: vec![dispatch] })
    }

    /// Records it into a pass of the caller's. It leaves its own pipeline and bind group 0 set.
    pub fn record_into(&self, pass: &mut wgpu::ComputePass<'_>) {
        self.dispatches.iter().for_each(|dispatch| dispatch.record(pass));
    }
}

/// Cuts dispatches where the stage changes.
pub(crate) fn sections<'a>(dispatches: impl Iterator<Item = &'a Dispatch>) -> Vec<Section<'a>> {
    let mut sections: Vec<Section<'a>> = Vec::new();
    for dispatch in dispatches {
        match sections.last_mut().filter(|section| section.stage == dispatch.stage) {
            Some(section) => section.dispatches.push(dispatch),
            None => sections.push(Section { stage: dispatch.stage, dispatches: vec![dispatch] }),
        }
    }
    sections
}
