//! Any of the optimisers, and what each says of itself.

use serde::{Deserialize, Serialize};

use super::{Adam, Sgd};
use crate::error::Result;
use crate::loss::parameters::check_strength;
#[cfg(feature = "gpu")]
use crate::wgsl::include::Shader;

/// The name of the parameter that may change from step to step.
pub(crate) const LEARNING_RATE: &str = "learning_rate";

/// How an optimiser is run. Plain data, as the terms of a loss.
#[cfg(feature = "gpu")]
pub(crate) struct Rule {
    pub name: &'static str,
    pub shader: Shader,
    /// The members of its `Settings` after the count, in their order: the bits of each.
    pub settings: Vec<(&'static str, u32)>,
    /// Numbers that are remembered of every parameter.
    pub moments: usize,
}

#[cfg(feature = "gpu")]
impl Rule {
    /// Checks a learning rate.
    pub(crate) fn check_learning_rate(&self, value: f32) -> Result<()> {
        check_strength(self.name, LEARNING_RATE, value)
    }
}

macro_rules! define_optimizer {
    ($($name:ident),*) => {
        /// Any of the optimisers. Each converts into it.
        ///
        /// The serde form is the optimiser's own fields beside its name, `{"optimizer": "Adam",
        /// "learning_rate": 0.01}`: what is left out takes the default, an unknown key is an error
        /// that lists the known ones.
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "optimizer")]
        #[non_exhaustive]
        pub enum Optimizer {
            $(#[doc = concat!("See [`", stringify!($name), "`].")] $name($name),)*
        }

        $(
            impl From<$name> for Optimizer {
                fn from(optimizer: $name) -> Self {
                    Self::$name(optimizer)
                }
            }
        )*

        impl Optimizer {
            /// Every optimiser with its defaults.
            #[cfg(feature = "gpu")]
            pub(crate) fn all() -> Vec<Self> {
                vec![$($name::default().into()),*]
            }

            #[cfg(feature = "gpu")]
            pub(crate) fn rule(&self) -> Rule {
                match self { $(Self::$name(optimizer) => optimizer.rule()),* }
            }

            /// Checks the parameters.
            ///
            /// # Errors
            ///
            /// [`Error::Parameter`](crate::Error::Parameter) for one outside its range.
            pub fn check(&self) -> Result<()> {
                match self { $(Self::$name(optimizer) => {
                    check_strength($name::NAME, LEARNING_RATE, optimizer.learning_rate)?;
                    optimizer.check()
                })* }
            }

            /// The same with another learning rate.
            pub(crate) fn with_learning_rate(self, learning_rate: f32) -> Self {
                match self { $(Self::$name(optimizer) => Self::$name($name { learning_rate, ..optimizer })),* }
            }

            /// The learning rate.
            pub fn learning_rate(&self) -> f32 {
                match self { $(Self::$name(optimizer) => optimizer.learning_rate),* }
            }
        }
    };
}
define_optimizer!(Sgd, Adam);
