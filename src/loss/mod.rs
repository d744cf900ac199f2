//! What is asked: one file per loss with its parameters, defaults, formula and source. Nothing in
//! here knows wgpu.

mod choice;
mod description;
mod pairs;
pub(crate) mod parameters;
mod pointwise;

use serde::{Deserialize, Serialize};

pub use choice::*;
pub(crate) use choice::{Difficulty, Triplets};
#[cfg(feature = "gpu")]
pub(crate) use description::SEED;
pub(crate) use description::{Description, Learned, LearnedGradients, Thresholded};
pub use pairs::*;
pub use pointwise::*;

use crate::data::input::Input;
use crate::data::mode::Mode;
use crate::data::shape::Shape;
use crate::error::{Error, Result, joined};
use crate::names::every;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::TermsKernel;

/// The list that names every loss: hands `$callback!` the names of their types, those over pairs
/// before the pointwise ones.
macro_rules! for_every_loss {
    ($callback:ident) => {
        $callback! {
            Contrastive, Triplet, LiftedStructured, MultiMargin, Margin, NtXent, SupCon,
            GeneralizedLiftedStructured, Nca, MultiSimilarity, Circle, FastAp, SmoothAp,
            NormalizedSoftmax, CosFace, ArcFace, SoftTriple, ProxyAnchor, SigLip, Clip, CoSent;
            MeanSquaredError, Huber, Hinge, BinaryCrossEntropy, CrossEntropy, UniformEntropy, L1, L2, ElasticNet
        }
    };
}
pub(crate) use for_every_loss;

macro_rules! define_loss {
    ($($pairs:ident),*; $($pointwise:ident),*) => {
        define_loss! { $($pairs,)* $($pointwise),* }
    };
    ($($name:ident),*) => {
        /// Any of the losses. Each converts into it, and so does a reference to each.
        ///
        /// The serde form is the loss's own fields beside its name, `{"loss": "Triplet", "margin": 0.2}`: what is left out takes
        /// the default, an unknown key or value is an error that lists the known ones.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "loss")]
        #[non_exhaustive]
        pub enum Loss {
            $(#[doc = concat!("See [`", stringify!($name), "`].")] $name($name),)*
        }

        $(
            impl From<$name> for Loss {
                fn from(loss: $name) -> Self {
                    Self::$name(loss)
                }
            }

            impl From<&$name> for Loss {
                fn from(loss: &$name) -> Self {
                    Self::$name(loss.clone())
                }
            }
        )*

        impl From<&Loss> for Loss {
            fn from(loss: &Loss) -> Self {
                loss.clone()
            }
        }

        $(
            impl $name {
                pub(crate) const NAME: &'static str = stringify!($name);
            }
        )*

        impl Loss {
            /// The name of every loss, as the serde form has it.
            pub const NAMES: &'static [&'static str] = &[$($name::NAME),*];

            /// The loss's name.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => $name::NAME),* }
            }

            /// What the loss's inputs can stand for.
            pub fn modes(&self) -> &'static [Mode] {
                self.description().modes()
            }

            /// The loss with another reduction.
            #[must_use]
            pub fn with_reduction(mut self, reduction: Reduction) -> Self {
                match &mut self { $(Self::$name(loss) => loss.reduction = reduction),* }
                self
            }

            pub(crate) fn description(&self) -> &dyn Description {
                match self { $(Self::$name(loss) => loss),* }
            }
        }
    };
}
for_every_loss!(define_loss);

#[cfg(feature = "gpu")]
macro_rules! define_variants {
    ($($pairs:ident),*; $($pointwise:ident),*) => {
        impl Loss {
            /// Every loss with this distance and reduction, in every setting that its kernels depend on, allowed or not.
            fn variants_with(distance: Distance, reduction: Reduction) -> Vec<Self> {
                let mut all: Vec<Self> = Vec::new();
                $(all.extend($pairs { distance, reduction, ..Default::default() }.variants().into_iter().map(Self::$pairs));)*
                $(
                    let mut loss = $pointwise::default();
                    loss.reduction = reduction;
                    all.extend(loss.variants().into_iter().map(Self::$pointwise));
                )*
                all
            }
        }
    };
}
#[cfg(feature = "gpu")]
for_every_loss!(define_variants);

impl Loss {
    /// The distance between rows; `None` for the pointwise losses.
    pub fn distance(&self) -> Option<Distance> {
        self.description().settings().0
    }

    /// Whether rows are divided by their norm first.
    pub fn normalize(&self) -> bool {
        self.description().settings().1
    }

    /// How terms become one number.
    pub fn reduction(&self) -> Reduction {
        self.description().settings().2
    }

    /// Whether an anchor's terms make a loss of its own on inputs of this shape:
    /// [`Evaluation::per_anchor`](crate::Evaluation::per_anchor).
    pub fn has_per_anchor(&self, shape: &Shape) -> bool {
        self.description().per_anchor() && shape.listed() == 0
    }

    /// Whether the loss takes a beta: [`Batch::with_beta`](crate::Batch::with_beta).
    pub fn has_beta(&self) -> bool {
        self.learns(Input::Beta)
    }

    /// Whether the loss has a scale, and takes one: [`Batch::with_scale`](crate::Batch::with_scale).
    pub fn has_scale(&self) -> bool {
        self.learns(Input::Scale)
    }

    /// Whether the loss has a bias, and takes one: [`Batch::with_bias`](crate::Batch::with_bias).
    pub fn has_bias(&self) -> bool {
        self.learns(Input::Bias)
    }

    /// How many prototypes there are for every class, in prototypes mode.
    pub fn centers_per_class(&self) -> usize {
        self.description().centers_per_class() as usize
    }

    /// Whether its terms can have weights:
    /// [`Batch::with_weights`](crate::Batch::with_weights).
    pub fn takes_weights(&self) -> bool {
        self.distance().is_some() && self.description().takes_weights()
    }

    /// Whether its terms can be held against thresholds: [`Reduction::MeanWithin`].
    pub fn takes_thresholds(&self) -> bool {
        self.description().allows(Reduction::MeanWithin(Thresholds::default()))
    }

    /// Whether, of rows that are compared with rows, an anchor's terms need more than its own row of
    /// distances: something of other rows or of columns. Ranks that share a batch then do the work of
    /// each other, but for [`Clip`] and [`LiftedStructured`] ([`sharded`](crate::sharded)).
    pub fn needs_all_rows(&self) -> bool {
        self.description().needs_all_rows()
    }

    fn learns(&self, input: Input) -> bool {
        self.description().learned().iter().any(|learned| learned.input == input)
    }

    /// What a pointwise loss compares its values with.
    pub fn truth(&self) -> Truth {
        self.description().truth()
    }

    /// The reductions it takes, but for [`Reduction::MeanWithin`].
    pub fn reductions(&self) -> impl Iterator<Item = Reduction> + '_ {
        Reduction::ALL.into_iter().filter(|&reduction| self.description().allows(reduction))
    }

    /// How its kernel is run on inputs of this shape.
    #[cfg(feature = "gpu")]
    pub(crate) fn terms_kernel(&self, shape: &Shape) -> TermsKernel {
        let terms = self.description().terms_kernel();
        // Kernels of lists find by themselves whether their pairs have weights.
        let is_weighed = shape.has_weights() && shape.listed() == 0;
        if is_weighed { terms.weighed() } else { terms }
    }

    /// Every loss in every setting that its kernels depend on.
    #[cfg(feature = "gpu")]
    pub(crate) fn variants() -> Vec<Self> {
        let within = Reduction::MeanWithin(Thresholds { low: Some(0.0), high: None });
        let reductions = Reduction::ALL.into_iter().chain([within]);
        let with = |distance| {
            reductions.clone().map(move |reduction| Self::variants_with(distance, reduction))
        };
        let all = Distance::ALL.into_iter().flat_map(with).flatten();
        let is_allowed = |loss: &Self| {
            let description = loss.description();
            description.allows(loss.reduction()) && description.check().is_ok()
        };
        all.filter(is_allowed).collect()
    }

    /// Checks the parameters, and that the loss is defined for inputs of this shape.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a parameter outside its range, [`Error::Unsupported`] for a mode or
    /// reduction the loss does not have or a sampling that its distance has not,
    /// [`Error::Missing`] or [`Error::Length`] for betas that do not fit, [`Error::Unsupported`] for
    /// betas, a scale or a bias that the loss does not have, or weights that it does not take.
    pub fn check(&self, shape: &Shape) -> Result<()> {
        self.description().check()?;
        if let Some(thresholds) = self.reduction().thresholds() {
            thresholds.check(self.name())?;
        }
        if !self.description().allows(self.reduction()) {
            return Err(Error::Unsupported {
                of: self.name(),
                what: format!("the reduction {}", self.reduction()),
                reason: format!("it takes {}", joined(self.reductions().map(Reduction::name))),
            });
        }
        let mode = if shape.is_of_classes() { Mode::Batch } else { shape.mode() };
        if !self.modes().contains(&mode) {
            return Err(Error::Unsupported {
                of: self.name(),
                what: format!("inputs in {} mode", shape.mode().name()),
                reason: format!(
                    "it takes {} mode",
                    joined(self.modes().iter().map(|mode| mode.name()))
                ),
            });
        }
        self.check_centers(shape)?;
        if shape.has_weights() && !self.takes_weights() {
            return Err(Error::Unsupported {
                of: self.name(),
                what: "weights".into(),
                reason: "its terms are not those of single anchors or pairs".into(),
            });
        }
        self.check_learned(shape)
    }

    /// Checks that every class of the shape has as many prototypes.
    fn check_centers(&self, shape: &Shape) -> Result<()> {
        let centers = self.description().centers_per_class();
        if shape.references().is_multiple_of(centers as usize) {
            return Ok(());
        }
        Err(Error::Parameter {
            of: self.name(),
            parameter: "centers_per_class",
            value: centers.to_string(),
            allowed: "a divisor of the number of prototypes",
        })
    }

    /// Checks that the betas, the scale and the bias of the shape are the loss's.
    fn check_learned(&self, shape: &Shape) -> Result<()> {
        let unsupported = |what: &str, reason: &str| {
            Err(Error::Unsupported { of: self.name(), what: what.into(), reason: reason.into() })
        };
        if shape.has_scale() && !self.has_scale() {
            return unsupported(
                "scale",
                "only SigLip, Clip and the softmax losses over classes have one",
            );
        }
        if shape.has_bias() && !self.has_bias() {
            return unsupported("bias", "only SigLip has one");
        }
        if shape.betas() > 0 && !self.has_beta() {
            return unsupported("beta", "only Margin has one");
        }
        let per_class = self.description().learned().iter().any(|learned| learned.per_class);
        match shape.betas() {
            0 if per_class => Err(Error::Missing {
                what: "beta",
                reason: "beta_per_class needs one beta for every class",
            }),
            actual @ 2.. if !per_class => Err(Error::Length { what: "beta", expected: 1, actual }),
            _ => Ok(()),
        }
    }
}

impl Loss {
    /// Whether the loss on inputs of this shape takes this one.
    pub fn takes(&self, shape: &Shape, input: Input) -> bool {
        let own = match input {
            Input::Beta => self.has_beta() && shape.betas() > 0,
            Input::Scale => self.has_scale() && shape.has_scale(),
            Input::Bias => self.has_bias() && shape.has_bias(),
            Input::Weights | Input::ClassWeights => false,
            Input::Labels => self.truth().has_labels(),
            Input::Targets => self.truth().has_targets(),
            Input::Embeddings
            | Input::References
            | Input::ReferenceLabels
            | Input::Pairs
            | Input::Same
            | Input::Triplets => false,
        };
        own || shape.takes(input)
    }

    /// Checks that what the values are compared with is given, and nothing that the loss does not
    /// take. Labels of pairs are checked with their mode.
    pub(crate) fn check_truth(
        &self,
        mode: Mode,
        has_targets: bool,
        has_labels: bool,
    ) -> Result<()> {
        let truth = self.truth();
        let takes_targets = truth.has_targets() || mode.is_scored();
        let takes_labels = truth.has_labels();
        let inputs = [
            (
                "targets",
                takes_targets,
                has_targets,
                "the loss compares every value, or every pair, with its target",
            ),
            (
                "labels",
                takes_labels,
                has_labels && mode == Mode::Pointwise,
                "the loss compares every row with its class",
            ),
        ];
        for (what, takes, has, reason) in inputs {
            if takes && !has {
                return Err(Error::Missing { what, reason });
            }
            if has && !takes {
                let reason = "it does not compare with them".into();
                return Err(Error::Unsupported { of: self.name(), what: what.into(), reason });
            }
        }
        Ok(())
    }
}

/// What a pointwise loss compares its values with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
// Their order is the number that `shaders/pointwise/elements.wgsl` knows them by.
#[non_exhaustive]
pub enum Truth {
    /// The loss compares them with nothing; losses over pairs compare rows with each other.
    Nothing,
    /// Every value with a target: [`Batch::with_targets`](crate::Batch::with_targets).
    Targets,
    /// Every value with a target that is -1 or +1.
    Signs,
    /// Every row with a class: [`Batch::with_labels`](crate::Batch::with_labels).
    Labels,
}

every! {
    /// Every kind.
    #[cfg(feature = "gpu")]
    pub(crate) Truth: Nothing, Targets, Signs, Labels
}

impl Truth {
    /// Whether every value has a target.
    pub fn has_targets(self) -> bool {
        matches!(self, Self::Targets | Self::Signs)
    }

    /// Whether every row has a class.
    pub fn has_labels(self) -> bool {
        self == Self::Labels
    }
}

/// What [`Truth::Signs`] allows, in messages.
pub(crate) const SIGNS: &str = "-1 or +1";
