//! What can be asked of the particles, and what they are at the beginning, all from one seed.

use canvas::Random;
use clap::builder::RangedU64ValueParser;

/// The most kinds: the palette has a colour for each.
const KINDS: u64 = canvas::PALETTE.len() as u64;
/// Half the side of the square, or cube, that the particles are scattered in; the same of their
/// velocities.
const SCATTERED: f32 = 0.9;
const SPEED: f32 = 0.5;

/// What can be asked for.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many particles; left out, 20000, and 3000 where the CPU stands in for a GPU.
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(2..=1 << 20))]
    pub particles: Option<usize>,

    /// How many kinds of them.
    #[arg(long, value_name = "K", default_value = "7", value_parser = RangedU64ValueParser::<u32>::new().range(1..=KINDS))]
    pub kinds: u32,

    /// In how many dimensions they move.
    #[arg(long, value_name = "D", default_value = "2", value_parser = RangedU64ValueParser::<usize>::new().range(2..=3))]
    pub dimensions: usize,

    /// What the beginning depends on.
    #[arg(long, value_name = "S", default_value = "1")]
    pub seed: u32,

    #[command(flatten)]
    pub controls: Controls,
}

/// What can be changed while the particles move.
#[derive(Clone, Copy, PartialEq, clap::Args)]
pub(crate) struct Controls {
    /// Particles of one kind attract each other from this distance on.
    #[arg(long, value_name = "X", default_value = "0.05")]
    pub reach: f32,

    /// Particles of different kinds repel each other up to this distance.
    #[arg(long, value_name = "X", default_value = "0.6")]
    pub margin: f32,

    /// How strong the force is.
    #[arg(long, value_name = "X", default_value = "12")]
    pub strength: f32,

    /// How soon a particle without a force has its own speed.
    #[arg(long, value_name = "X", default_value = "2")]
    pub drive: f32,

    /// That speed; the border is 1 from the centre.
    #[arg(long, value_name = "X", default_value = "0.3")]
    pub speed: f32,
}

/// The particles at the beginning.
pub(crate) struct Flock {
    /// N x D, row by row.
    pub positions: Vec<f32>,
    /// N x D, row by row.
    pub velocities: Vec<f32>,
    /// A kind for each.
    pub kinds: Vec<u32>,
}

impl Flock {
    /// Scattered evenly, without order.
    pub(crate) fn new(arguments: &Arguments, particles: usize) -> Self {
        let mut random = Random::new(arguments.seed);
        let mut scattered = |reach: f32| -> Vec<f32> {
            (0..particles * arguments.dimensions)
                .map(|_| reach * (2.0 * random.even() - 1.0))
                .collect()
        };
        Self {
            positions: scattered(SCATTERED),
            velocities: scattered(SPEED),
            kinds: (0..particles as u32).map(|particle| particle % arguments.kinds).collect(),
        }
    }
}
