//! What is trained: a loss with the settings that can be changed while it goes on.

use serde::{Deserialize, Serialize};
use wgpu_metric_learning::{
    Contrastive, Distance, LiftedStructured, Loss, Margin, Mining, NtXent, Reduction, SupCon,
    Triplet,
};

/// The losses to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Choice {
    /// [`Contrastive`].
    Contrastive,
    /// [`Triplet`], which alone mines.
    Triplet,
    /// [`LiftedStructured`].
    LiftedStructured,
    /// [`Margin`].
    Margin,
    /// [`NtXent`].
    NtXent,
    /// [`SupCon`].
    SupCon,
}

/// The distances to choose from: those that are never negative.
pub fn distances() -> impl Iterator<Item = Distance> {
    Distance::ALL.into_iter().filter(|&distance| distance != Distance::InnerProduct)
}

/// The minings to choose from: those that need no list.
pub fn minings() -> impl Iterator<Item = Mining> {
    Mining::ALL.into_iter().filter(|&mining| mining != Mining::Explicit)
}

/// A loss with its settings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// The loss.
    pub choice: Choice,
    /// Which triplets, where the loss is of triplets.
    pub mining: Mining,
    /// The distance it is made of.
    pub distance: Distance,
    /// The margin, or the temperature of a loss that has one instead.
    pub margin: f32,
}

impl Choice {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Contrastive,
        Self::Triplet,
        Self::LiftedStructured,
        Self::Margin,
        Self::NtXent,
        Self::SupCon,
    ];

    /// The name of the loss.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contrastive => "Contrastive",
            Self::Triplet => "Triplet",
            Self::LiftedStructured => "LiftedStructured",
            Self::Margin => "Margin",
            Self::NtXent => "NtXent",
            Self::SupCon => "SupCon",
        }
    }

    /// What the loss calls its number.
    pub const fn margin_name(self) -> &'static str {
        match self {
            Self::Contrastive => "negative margin",
            Self::Triplet | Self::LiftedStructured => "margin",
            Self::Margin => "alpha",
            Self::NtXent | Self::SupCon => "temperature",
        }
    }

    /// A number that goes well with two dimensions.
    pub const fn usual_margin(self) -> f32 {
        match self {
            Self::Contrastive | Self::LiftedStructured => 2.0,
            Self::Triplet => 1.0,
            Self::Margin => 0.6,
            Self::NtXent | Self::SupCon => 0.5,
        }
    }
}

impl Objective {
    /// The loss as the library has it.
    pub fn loss(self) -> Loss {
        let Self { choice, mining, distance, margin } = self;
        let reduction = Reduction::MeanNonZero;
        match choice {
            Choice::Contrastive => {
                Contrastive { distance, reduction, negative_margin: margin, ..Default::default() }
                    .into()
            }
            Choice::Triplet => {
                Triplet { distance, reduction, margin, mining, ..Default::default() }.into()
            }
            Choice::LiftedStructured => {
                LiftedStructured { distance, margin, ..Default::default() }.into()
            }
            Choice::Margin => Margin { distance, alpha: margin, ..Default::default() }.into(),
            Choice::NtXent => NtXent { distance, temperature: margin, ..Default::default() }.into(),
            Choice::SupCon => SupCon { distance, temperature: margin, ..Default::default() }.into(),
        }
    }
}
