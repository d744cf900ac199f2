//! The stages of an evaluation, and the dispatches of a recording as far as they belong to one.

use std::fmt;

use super::dispatch::Step;

/// What dispatches do in an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stage {
    /// Checks and prepares the inputs.
    Prepare,
    /// Computes distances.
    Distance,
    /// Makes coefficients of distances, and sums up the loss; or ranks neighbours. Of pointwise
    /// losses everything but the reduction.
    Terms,
    /// Sums up gradients from the coefficients; of a loss that is alone on one stripe of raw rows
    /// it scales them too, and comes last.
    Gradient,
    /// Reduces the loss, scales the gradients and hands them on.
    Finish,
    /// Projects rows, or makes a step of an optimiser; no evaluation has it.
    Training,
}

impl Stage {
    /// Every stage, those of an evaluation in the order in which a recording first comes to them.
    pub const ALL: [Self; 6] =
        [Self::Prepare, Self::Distance, Self::Terms, Self::Gradient, Self::Finish, Self::Training];

    /// Its name in labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Distance => "distance",
            Self::Terms => "terms",
            Self::Gradient => "gradient",
            Self::Finish => "finish",
            Self::Training => "training",
        }
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Prepare => "metric-learning prepare",
            Self::Distance => "metric-learning distance",
            Self::Terms => "metric-learning terms",
            Self::Gradient => "metric-learning gradient",
            Self::Finish => "metric-learning finish",
            Self::Training => "metric-learning training",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

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
