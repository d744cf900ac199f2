//! What is trained: a loss with the settings that can be changed while it goes on.

use clap::ValueEnum;
use wgpu_metric_learning::{
    Contrastive, Distance, LiftedStructured, Loss, Margin, Mining, NtXent, Reduction, SupCon,
    Triplet,
};

/// The losses to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Choice {
    Contrastive,
    Triplet,
    TripletHard,
    LiftedStructured,
    Margin,
    NtXent,
    SupCon,
}

/// The distances to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Measured {
    Euclidean,
    SquaredEuclidean,
    Manhattan,
    Cosine,
}

/// A loss with its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Objective {
    pub choice: Choice,
    pub distance: Measured,
    /// The margin, or the temperature of a loss that has one instead.
    pub margin: f32,
}

impl Choice {
    /// What the loss calls its number.
    pub(crate) fn margin_name(self) -> &'static str {
        match self {
            Self::Contrastive => "negative margin",
            Self::Triplet | Self::TripletHard | Self::LiftedStructured => "margin",
            Self::Margin => "alpha",
            Self::NtXent | Self::SupCon => "temperature",
        }
    }

    /// A number that goes well with two dimensions.
    pub(crate) fn usual_margin(self) -> f32 {
        match self {
            Self::Contrastive | Self::LiftedStructured => 2.0,
            Self::Triplet | Self::TripletHard => 1.0,
            Self::Margin => 0.6,
            Self::NtXent | Self::SupCon => 0.5,
        }
    }
}

impl Measured {
    fn distance(self) -> Distance {
        match self {
            Self::Euclidean => Distance::Euclidean,
            Self::SquaredEuclidean => Distance::SquaredEuclidean,
            Self::Manhattan => Distance::Manhattan,
            Self::Cosine => Distance::Cosine,
        }
    }
}

impl Objective {
    /// The loss as the library has it.
    pub(crate) fn loss(self) -> Loss {
        let Self { choice, margin, .. } = self;
        let (distance, reduction) = (self.distance.distance(), Reduction::MeanNonZero);
        let triplet = Triplet { distance, reduction, margin, ..Default::default() };
        match choice {
            Choice::Contrastive => {
                Contrastive { distance, reduction, negative_margin: margin, ..Default::default() }
                    .into()
            }
            Choice::Triplet => Triplet { mining: Mining::All, ..triplet }.into(),
            Choice::TripletHard => Triplet { mining: Mining::Hard, ..triplet }.into(),
            Choice::LiftedStructured => {
                LiftedStructured { distance, margin, ..Default::default() }.into()
            }
            Choice::Margin => Margin { distance, alpha: margin, ..Default::default() }.into(),
            Choice::NtXent => NtXent { distance, temperature: margin, ..Default::default() }.into(),
            Choice::SupCon => SupCon { distance, temperature: margin, ..Default::default() }.into(),
        }
    }
}

/// The name on the command line.
pub(crate) fn name(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
