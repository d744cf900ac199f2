//! What is asked: one file per loss with its parameters, defaults, formula and source. Nothing in here knows wgpu.

mod contrastive;
mod distance;
mod lifted_structured;
mod margin;
mod mining;
mod multi_margin;
mod nt_xent;
mod pointwise;
mod reduction;
mod sampling;
mod sup_con;
mod triplet;

use serde::{Deserialize, Serialize};

pub use contrastive::Contrastive;
pub use distance::Distance;
pub use lifted_structured::{Form, LiftedStructured};
pub use margin::Margin;
pub use mining::Mining;
pub(crate) use mining::{Difficulty, Triplets};
pub use multi_margin::MultiMargin;
pub use nt_xent::NtXent;
pub use pointwise::*;
pub use reduction::Reduction;
pub use sampling::Sampling;
pub use sup_con::SupCon;
pub use triplet::Triplet;

use crate::shader::Shader;
use crate::shape::{Mode, Shape};
use crate::{Error, Result};

/// The list that names every loss: hands `$callback!` the names of their types, those over pairs before the pointwise ones.
macro_rules! for_every_loss {
    ($callback:ident) => {
        $callback! {
            Contrastive, Triplet, LiftedStructured, MultiMargin, Margin, NtXent, SupCon;
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
        /// Its serde form is the loss's own fields beside its name, `{"loss": "Triplet", "margin": 0.2}`: what is left out takes
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

            pub(crate) fn description(&self) -> &dyn Description {
                match self { $(Self::$name(loss) => loss),* }
            }
        }
    };
}
for_every_loss!(define_loss);

macro_rules! define_variants {
    ($($pairs:ident),*; $($pointwise:ident),*) => {
        impl Loss {
            /// Every loss with this distance and reduction, in every setting that its kernels depend on, allowed or not.
            #[allow(clippy::needless_update)]
            fn variants_with(distance: Distance, reduction: Reduction) -> Vec<Self> {
                let mut all: Vec<Self> = Vec::new();
                $(all.extend($pairs { distance, reduction, ..Default::default() }.variants().into_iter().map(Self::$pairs));)*
                $(all.extend($pointwise { reduction, ..Default::default() }.variants().into_iter().map(Self::$pointwise));)*
                all
            }
        }
    };
}
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
        self.description().beta().is_some()
    }

    /// What a pointwise loss compares its values with.
    pub fn truth(&self) -> Truth {
        self.description().truth()
    }

    /// The reductions it takes.
    pub fn reductions(&self) -> impl Iterator<Item = Reduction> + '_ {
        Reduction::ALL.into_iter().filter(|&reduction| self.description().allows(reduction))
    }

    /// Every loss in every setting that its kernels depend on.
    pub(crate) fn variants() -> Vec<Self> {
        let reductions = |distance| Reduction::ALL.map(|reduction| Self::variants_with(distance, reduction));
        let all = Distance::ALL.into_iter().flat_map(reductions).flatten();
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
    /// [`Error::Parameter`] for a parameter outside its range, [`Error::Unsupported`] for a mode or reduction the loss does
    /// not have or a sampling that its distance has not, [`Error::Missing`] or [`Error::Length`] for betas that do not fit.
    pub fn check(&self, shape: &Shape) -> Result<()> {
        self.description().check()?;
        if !self.description().allows(self.reduction()) {
            return Err(Error::Unsupported {
                loss: self.name(),
                what: format!("the reduction {:?}", self.reduction()),
                reason: format!("it takes {}", listed(self.reductions().map(|one| format!("{one:?}")))),
            });
        }
        if !self.modes().contains(&shape.mode()) {
            return Err(Error::Unsupported {
                loss: self.name(),
                what: format!("inputs in {} mode", shape.mode().name()),
                reason: format!("it takes {} mode", listed(self.modes().iter().map(|mode| mode.name().to_owned()))),
            });
        }
        match (self.description().beta(), shape.betas()) {
            (None, 0) | (Some(_), 1) | (Some(Beta { per_class: true, .. }), 2..) => Ok(()),
            (Some(Beta { per_class: false, .. }), 0) => Ok(()),
            (Some(Beta { per_class: true, .. }), 0) => {
                Err(Error::Missing { what: "beta", reason: "beta_per_class needs one beta for every class" })
            }
            (Some(Beta { per_class: false, .. }), actual) => Err(Error::Length { what: "beta", expected: 1, actual }),
            (None, _) => {
                Err(Error::Unsupported { loss: self.name(), what: "beta".into(), reason: "only Margin has one".into() })
            }
        }
    }
}

impl Loss {
    /// Checks that what the values are compared with is given, and nothing that the loss does not take. Labels of pairs are checked
    /// with their mode.
    pub(crate) fn check_truth(&self, mode: Mode, has_targets: bool, has_labels: bool) -> Result<()> {
        let truth = self.truth();
        let takes_targets = truth.has_targets();
        let takes_labels = truth.has_labels();
        let inputs = [
            ("targets", takes_targets, has_targets, "the loss compares every value with its target"),
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
                return Err(Error::Unsupported { loss: self.name(), what: what.into(), reason });
            }
        }
        Ok(())
    }
}

/// What a pointwise loss compares its values with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
// Their order is the number that `shaders/shared/elements.wgsl` knows them by.
#[non_exhaustive]
pub enum Truth {
    /// With nothing; so do the losses over pairs, which compare rows with each other.
    Nothing,
    /// Every value with a target: [`Batch::with_targets`](crate::Batch::with_targets).
    Targets,
    /// Every value with a target that is -1 or +1.
    Signs,
    /// Every row with a class: [`Batch::with_labels`](crate::Batch::with_labels).
    Labels,
}

impl Truth {
    /// Every kind.
    pub(crate) const ALL: [Self; 4] = [Self::Nothing, Self::Targets, Self::Signs, Self::Labels];

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

/// What a loss says of itself. Plain data: the GPU side runs it without knowing a formula, the reference without knowing the GPU.
pub(crate) trait Description {
    /// Its distance, if it has one, whether it normalizes, and its reduction.
    fn settings(&self) -> (Option<Distance>, bool, Reduction);

    /// What the inputs can stand for.
    fn modes(&self) -> &'static [Mode];

    /// Checks the parameters.
    fn check(&self) -> Result<()>;

    fn allows(&self, reduction: Reduction) -> bool {
        reduction != Reduction::HadsellMean
    }

    /// Whether an anchor's terms make a loss of its own; of pointwise losses, whether a term is a row.
    fn per_anchor(&self) -> bool {
        true
    }

    fn truth(&self) -> Truth {
        Truth::Nothing
    }

    fn beta(&self) -> Option<Beta> {
        None
    }

    fn terms(&self) -> Terms;

    /// The same with every value of the settings, beside distance and reduction, that its kernels depend on.
    fn variants(self) -> Vec<Self>
    where
        Self: Sized,
    {
        vec![self]
    }
}

/// A learnable boundary of the loss.
#[derive(Clone, Copy)]
pub(crate) struct Beta {
    pub per_class: bool,
    pub default: f32,
}

/// How the terms kernel of a loss is run.
pub(crate) struct Terms {
    /// Its file.
    pub shader: Shader,
    /// Roughly how many arithmetic operations a pair costs.
    pub operations_per_pair: u64,
    /// What must be known of all rows before the coefficients of one can be computed.
    pub statistics: Statistics,
    /// Whether c(i, j) = c(j, i) in batch mode, so that the gradient is twice its half by rows.
    pub symmetric: bool,
    /// How its kernels go through their row.
    pub walk: Walk,
    /// What the shader leaves out of every coefficient, where that could be beyond f32.
    pub gradient_factor: f32,
    /// The `override` constants of the shader.
    pub constants: Vec<(&'static str, f64)>,
    /// The members of its `Parameters` in their order: the bits of each.
    pub parameters: Vec<(&'static str, u32)>,
}

impl Terms {
    /// A kernel that needs nothing but its row, and has neither constants nor parameters.
    pub fn of(shader: Shader) -> Self {
        Self {
            shader,
            operations_per_pair: 32,
            statistics: Statistics::None,
            symmetric: false,
            walk: Walk::of(1),
            gradient_factor: 1.0,
            constants: Vec::new(),
            parameters: Vec::new(),
        }
    }
}

/// How the kernels of a row go through its columns, of which each invocation has every 256th: what decides how often its loops
/// go round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    /// How often the kernel that does so most often goes through the row, at most.
    pub reads: u64,
    /// What it does for every chunk of the row's positives beside, where it takes them so.
    pub chunks: Option<Chunks>,
}

impl Walk {
    /// Positives of a dispatch, where the row is not too long for them.
    pub fn usual_portion(&self) -> Option<u64> {
        self.chunks.map(|chunks| chunks.most * chunks.size)
    }

    /// So many reads of the row, and no chunks.
    pub const fn of(reads: u64) -> Self {
        Self { reads, chunks: None }
    }
}

/// Chunks of a row's positives. Rows of more than a dispatch takes are worked on in as many dispatches as needed; how many it
/// takes is the `PORTION` of the shader.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunks {
    /// Positives of a chunk.
    pub size: u64,
    /// Chunks of a dispatch, where the row is not too long for that.
    pub most: u64,
    /// How often a chunk goes through the row, at most.
    pub reads: u64,
    /// Rounds of loops for a chunk however long the row is, at most.
    pub rounds: u64,
}

/// Rounds that `shaders/shared/sorting.wgsl` and `places.wgsl` take for a chunk, about 300, and some to spare.
pub(crate) const SORTING_ROUNDS: u64 = 400;

/// `CHUNK` of `shaders/shared/sorting.wgsl`.
pub(crate) const SORTED_CHUNK: u64 = 1024;

/// The name of the parameter that random numbers depend on, where a loss draws any.
pub(crate) const SEED: &str = "seed";

/// What a loss needs before its coefficients, if anything: the entry point `statistics` of its shader finds it out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Statistics {
    /// The row itself is enough.
    None,
    /// Something of every row, in a pass before the coefficients.
    Rows,
    /// Something of the row, and in one batch of the row at the other end of the pair. The coefficient of a pair is then
    /// c(i, j) + c(j, i), and no pass comes before: a stripe takes the pairs of its rows with each other and with earlier
    /// rows, for both ends, and leaves those with later rows to their stripes.
    Ends,
    /// The counts of the whole batch, in a pass before: the mean of the positives and of the negatives are taken apart.
    Totals,
}

/// `A, B and C`.
fn listed(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<_> = names.collect();
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) }
}

fn check_finite(loss: &'static str, parameter: &'static str, value: f32) -> Result<()> {
    if value.is_finite() {
        return Ok(());
    }
    Err(Error::Parameter { loss, parameter, value: value.to_string(), allowed: "any finite number" })
}

fn check_positive(loss: &'static str, parameter: &'static str, value: f32) -> Result<()> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(Error::Parameter { loss, parameter, value: value.to_string(), allowed: "any finite number above 0" })
}

fn check_strength(loss: &'static str, parameter: &'static str, value: f32) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(Error::Parameter { loss, parameter, value: value.to_string(), allowed: "any finite number of at least 0" })
}

/// Below the smallest normal number f32 may take it for 0.
fn check_temperature(loss: &'static str, value: f32) -> Result<()> {
    if value.is_normal() && value > 0.0 {
        return Ok(());
    }
    Err(Error::Parameter {
        loss,
        parameter: "temperature",
        value: value.to_string(),
        allowed: "any finite number greater than 0, and not subnormal",
    })
}

/// The `Parameters` of `shaders/shared/softmax.wgsl`.
fn softmax_parameters(temperature: f32) -> Vec<(&'static str, u32)> {
    vec![("temperature", temperature.to_bits()), ("inverse_temperature", (1.0 / temperature).to_bits())]
}

fn check_power(loss: &'static str, power: u32) -> Result<()> {
    if matches!(power, 1 | 2) {
        return Ok(());
    }
    Err(Error::Parameter { loss, parameter: "power", value: power.to_string(), allowed: "1 or 2" })
}
