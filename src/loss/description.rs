//! What every loss says of itself, for the kernels and for the reference to go by.

use crate::data::input::Input;
use crate::data::mode::Mode;
use crate::data::shape::Shape;
use crate::error::Result;
use crate::loss::{Distance, Reduction, Thresholds, Truth};
#[cfg(feature = "gpu")]
use crate::wgsl::terms::TermsKernel;

/// What a loss says of itself. Plain data: the GPU side runs it without knowing a formula, the
/// reference without knowing the GPU.
pub(crate) trait Description: Sync {
    /// The distance of the loss, if it has one, whether it normalizes, and its reduction.
    fn settings(&self) -> (Option<Distance>, bool, Reduction);

    /// What the inputs can stand for.
    fn modes(&self) -> &'static [Mode];

    /// Checks the parameters.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn allows(&self, reduction: Reduction) -> bool {
        match reduction {
            Reduction::HadsellMean => false,
            Reduction::MeanWithin(_) => self.thresholded() != Thresholded::Nothing,
            Reduction::Sum | Reduction::Mean | Reduction::MeanNonZero => true,
        }
    }

    /// What is held against the thresholds of [`Reduction::MeanWithin`].
    fn thresholded(&self) -> Thresholded {
        Thresholded::Anchors
    }

    /// The thresholds that are held against the term of every anchor, where there are any.
    fn anchor_thresholds(&self) -> Option<Thresholds> {
        let thresholds = self.settings().2.thresholds();
        thresholds.filter(|_| self.thresholded() == Thresholded::Anchors)
    }

    /// Whether an anchor's terms make a loss of its own; of pointwise losses, whether a term is a
    /// row.
    fn per_anchor(&self) -> bool {
        true
    }

    /// Whether its terms are those of anchors, and can have their weights.
    fn takes_weights(&self) -> bool {
        true
    }

    /// Whether a pair has the same slope from either end, where rows have no weights.
    fn is_symmetric(&self) -> bool {
        false
    }

    /// Whether, of rows that are compared with rows, an anchor's terms need more than its own row of
    /// distances: something of other rows or of columns.
    fn needs_all_rows(&self) -> bool {
        false
    }

    fn truth(&self) -> Truth {
        Truth::Nothing
    }

    /// Rows of the prototypes that stand for a class.
    fn centers_per_class(&self) -> u32 {
        1
    }

    /// The numbers that can be learned, in the order of their places.
    fn learned(&self) -> Vec<Learned> {
        Vec::new()
    }

    /// What is left out of every coefficient on its way, where that could be beyond f32.
    fn gradient_factor(&self) -> f32 {
        1.0
    }

    /// How its kernel is run.
    #[cfg(feature = "gpu")]
    fn terms_kernel(&self) -> TermsKernel;

    /// The loss with every value of the settings, beside distance and reduction, that its kernels
    /// depend on.
    #[cfg(feature = "gpu")]
    fn variants(self) -> Vec<Self>
    where
        Self: Sized,
    {
        vec![self]
    }
}

/// What is held against thresholds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thresholded {
    /// The term of an anchor, which has one or none.
    Anchors,
    /// Every term by itself, by the definition and by the kernel of the loss.
    Terms,
    /// Nothing: terms are not found one by one.
    Nothing,
}

/// Numbers of the loss's own that can be learned: the boundaries of [`Margin`](crate::Margin), a
/// scale, or a bias.
#[derive(Clone, Copy)]
pub(crate) struct Learned {
    /// What they are given as.
    pub input: Input,
    pub per_class: bool,
    /// What stands for them where they are not given.
    pub default: f32,
}

impl Learned {
    /// A scale.
    pub(crate) fn scale(default: f32) -> Self {
        Self { input: Input::Scale, per_class: false, default }
    }

    /// The bias behind a scale.
    pub(crate) fn bias(default: f32) -> Self {
        Self { input: Input::Bias, per_class: false, default }
    }

    /// How many numbers there are on inputs of this shape.
    pub(crate) fn numbers(self, shape: &Shape) -> usize {
        shape.numbers(self.input).max(1)
    }

    /// Where they stand among all that the loss learns, and which slope of a row is theirs: a bias
    /// behind its scale, all others at the beginning.
    #[cfg(feature = "gpu")]
    pub(crate) fn place(self) -> u32 {
        u32::from(self.input == Input::Bias)
    }
}

/// The derivatives by the numbers that a loss learns, as the result has them.
pub(crate) struct LearnedGradients<T> {
    pub beta: Option<Vec<T>>,
    pub scale: Option<T>,
    pub bias: Option<T>,
}

impl<T> LearnedGradients<T> {
    /// Of all of them, one after the other.
    pub(crate) fn of(loss: &(impl Description + ?Sized), shape: &Shape, gradient: Vec<T>) -> Self {
        let mut rest = gradient.into_iter();
        let mut found = Self { beta: None, scale: None, bias: None };
        for learned in loss.learned() {
            match learned.input {
                Input::Scale => found.scale = rest.next(),
                Input::Bias => found.bias = rest.next(),
                _ => found.beta = Some(rest.by_ref().take(learned.numbers(shape)).collect()),
            }
        }
        found
    }
}

/// The name of the parameter that random numbers depend on, where a loss draws any.
#[cfg(feature = "gpu")]
pub(crate) const SEED: &str = "seed";
