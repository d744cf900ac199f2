//! What the training can be asked for.

use clap::builder::{PossibleValuesParser, RangedU64ValueParser, TypedValueParser};
use live_embedding::{Choice, Controls, DIGITS, Objective, distances, minings};
use wgpu_metric_learning::{Distance, Mining};

/// What the training can be asked for; a part of the command line.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Training {
    /// The loss.
    #[arg(long, ignore_case = true, default_value = "Contrastive", value_parser = one_of(Choice::ALL, Choice::name))]
    pub loss: Choice,

    /// Which triplets, where the loss is of triplets.
    #[arg(long, ignore_case = true, default_value = "All", value_parser = one_of(minings(), Mining::name))]
    pub mining: Mining,

    /// The distance it is made of.
    #[arg(long, ignore_case = true, default_value = "Euclidean", value_parser = one_of(distances(), Distance::name))]
    pub distance: Distance,

    /// Its margin or, where it has one instead, its temperature; left out, one that goes well with
    /// the loss.
    #[arg(long, value_name = "X")]
    pub margin: Option<f32>,

    /// The learning rate of Adam.
    #[arg(long, value_name = "X", default_value = "0.002")]
    pub learning_rate: f32,

    /// Dimensions of the embedding.
    #[arg(long, value_name = "D", default_value = "2", value_parser = RangedU64ValueParser::<usize>::new().range(2..=3))]
    pub dimensions: usize,

    /// How many digits; left out all 1797, and 600 where the CPU stands in for a GPU.
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(10..=DIGITS as u64))]
    pub digits: Option<usize>,

    /// What the first weights and the features depend on.
    #[arg(long, value_name = "S", default_value = "1")]
    pub seed: u32,
}

impl Training {
    /// The controls at the beginning.
    pub(crate) fn controls(&self) -> Controls {
        let &Self { loss: choice, mining, distance, learning_rate, dimensions, .. } = self;
        let margin = self.margin.unwrap_or(choice.usual_margin());
        let objective = Objective { choice, mining, distance, margin };
        Controls { objective, learning_rate, dimensions, restarts: 0 }
    }
}

/// Parses the names of these, in any case.
fn one_of<T: Copy + Send + Sync + 'static>(
    all: impl IntoIterator<Item = T>,
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let all: Vec<_> = all.into_iter().collect();
    PossibleValuesParser::new(all.iter().map(|&one| name(one))).try_map(move |text| {
        let named = |one: &&T| name(**one).eq_ignore_ascii_case(&text);
        all.iter().find(named).copied().ok_or("is not in the list")
    })
}
