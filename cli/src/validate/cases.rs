//! The cases: every loss with every choice it has, in every mode, on every kind of values, and the
//! measures of retrieval and verification.

use serde_json::{Value, json};
use wgpu_metric_learning::measures::{Retrieval, Verification};
use wgpu_metric_learning::{
    Contrastive, Distance, Error, Huber, Loss, Margin, MeanSquaredError, Mode, NtXent, Reduction,
    Result, Triplet, Truth, reference,
};

use super::inputs::{Classes, Inputs, Recipe, Values, Weights, bits};
use super::settings::{sized, thresholded, variants};
use crate::objective;

/// N and D: both sides of the tiles of 16 and 64 rows, the workgroups of 64 and 256, the vectors of
/// 4, and primes.
const SIZES: [[usize; 2]; 28] = [
    [1, 1],
    [1, 67],
    [2, 1],
    [2, 4],
    [3, 3],
    [4, 5],
    [5, 521],
    [7, 2048],
    [15, 16],
    [16, 15],
    [16, 64],
    [17, 17],
    [31, 5],
    [63, 65],
    [64, 63],
    [64, 64],
    [65, 2],
    [65, 130],
    [67, 16],
    [97, 31],
    [127, 5],
    [129, 67],
    [131, 17],
    [255, 3],
    [256, 4],
    [257, 1],
    [257, 13],
    [19, 1031],
];

/// M, where there are references.
const REFERENCES: [usize; 8] = [1, 3, 17, 64, 65, 130, 256, 257];

/// N and D of the few large cases; 4,096 rows take several stripes of the default workspace.
const LARGE: [[usize; 2]; 5] = [[4096, 5], [2049, 33], [1024, 257], [520, 1025], [257, 2048]];

/// N and D of the pointwise losses beyond `SIZES`: their runs end at 4,096 values.
const LONG: [[usize; 2]; 4] = [[1, 4095], [1, 4096], [3, 4097], [4096, 17]];

/// A third of the cases has weights.
const WEIGHTS: [Weights; 6] = [
    Weights::None,
    Weights::None,
    Weights::None,
    Weights::None,
    Weights::OfRows,
    Weights::OfClasses,
];

/// How the classes of a case are made up. Those that leave most rows without a positive, or without
/// a negative, are the fewest.
const CLASSES: [Classes; 9] = [
    Classes::Balanced(2),
    Classes::Balanced(3),
    Classes::Balanced(5),
    Classes::Balanced(10),
    Classes::Balanced(17),
    Classes::Giant,
    Classes::Giant,
    Classes::Balanced(1),
    Classes::Distinct,
];

/// What is computed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Asked {
    Loss(Loss),
    /// A weighted sum over the same rows.
    Objective(Vec<(f32, Loss)>),
    Retrieval(Retrieval),
    Verification(Verification),
}

/// One comparison of the kernels with the reference.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub asked: Asked,
    recipe: Recipe,
    /// Margins, as a part of how large distances are.
    margin: f32,
    seed: u32,
}

/// Every case, always in the same order.
pub(crate) fn all() -> Vec<Case> {
    every(1)
}

/// A selection that is spread over all of them.
pub(crate) fn quick() -> Vec<Case> {
    // Prime, so that it is in step with none of the choices that make the order of the cases.
    const STEP: usize = 31;
    every(STEP)
}

/// Every so many-th case. What is not among them is not drawn either, which takes longest.
fn every(step: usize) -> Vec<Case> {
    let asked: Vec<_> = asked().collect();
    let with_modes = |asked| Asked::modes(asked).iter().map(move |&mode| (asked, mode));
    let ordinary = asked.iter().flat_map(with_modes);
    let ordinary = ordinary.flat_map(|one| Values::ALL.map(|values| (one, Some(values))));
    let large = asked.iter().filter(|asked| asked.is_plain()).flat_map(with_modes);
    let large = large.map(|one| (one, None));
    let draw = |(number, ((asked, mode), values))| match values {
        Some(values) => Case::new(asked, mode, values, number),
        None => Case::large(asked, mode, number),
    };
    ordinary.chain(large).enumerate().step_by(step).map(draw).collect()
}

impl Case {
    /// The case with this number; the number draws what is not given. Inputs without a term are
    /// drawn again but for every eighth: a result of 0 says only that nothing was divided by zero.
    fn new(asked: &Asked, mode: Mode, values: Values, number: usize) -> Self {
        let mut draws = (0..).map(|draw| Self::draw(asked, mode, values, number, draw));
        let may_be_empty = number.is_multiple_of(8);
        let is_wanted = |case: &Self| match &case.asked {
            Asked::Verification(asked) => case.has_both_kinds(asked),
            _ => may_be_empty || !case.recipe.is_empty(),
        };
        draws.find(is_wanted).expect("draws have no end")
    }

    /// Whether there are pairs that are the same and pairs that are different: without either nothing
    /// is verified.
    fn has_both_kinds(&self, verification: &Verification) -> bool {
        let inputs = Inputs::new(self.recipe, false, Truth::Nothing);
        let found = inputs.batch().and_then(|batch| reference::verify(verification, &batch));
        !matches!(found, Err(Error::Missing { .. }))
    }

    fn draw(asked: &Asked, mode: Mode, values: Values, number: usize, draw: usize) -> Self {
        const PURPOSES: usize = 8;
        let purpose = |purpose| purpose + PURPOSES * draw;
        let [n, d] = match mode {
            Mode::Pointwise => *pick(&[&SIZES[..], &LONG].concat(), number, purpose(0)),
            _ => *pick(&SIZES, number, purpose(0)),
        };
        let recipe = Recipe {
            mode,
            n,
            m: *pick(&REFERENCES, number, purpose(1)),
            d,
            classes: *pick(&CLASSES, number, purpose(2)),
            centers: 1,
            values,
            extreme_labels: *pick(&[false, true], number, purpose(3)),
            fixed_references: *pick(&[false, false, true], number, purpose(4)),
            own_rows: *pick(&[false, true], number, purpose(6)),
            weights: asked.weights(mode, *pick(&WEIGHTS, number, purpose(7))),
        };
        Self {
            asked: asked.clone(),
            recipe,
            margin: *pick(&[0.2, 1.0], number, purpose(5)),
            seed: number as u32,
        }
    }

    /// A case of a size that the reference takes its time for.
    fn large(asked: &Asked, mode: Mode, number: usize) -> Self {
        let ordinary = Self::new(asked, mode, Values::ALL[0], number);
        let [n, d] = LARGE[number % LARGE.len()];
        Self {
            recipe: Recipe { n, d, classes: Classes::Balanced(61), ..ordinary.recipe },
            ..ordinary
        }
    }

    /// The inputs in words, without their sizes.
    pub(crate) fn describe_inputs(&self) -> String {
        let Recipe { mode, classes, values, extreme_labels, .. } = self.recipe;
        let labels = if extreme_labels { ", extreme labels" } else { "" };
        let weights = match self.recipe.weights {
            Weights::None => "",
            Weights::OfRows => ", weights",
            Weights::OfClasses => ", class weights",
        };
        let own = if self.recipe.reference_offset().is_some() { ", own rows left out" } else { "" };
        let classes = classes.name();
        format!("{} mode, {}, {classes}{labels}{own}{weights}", mode.name(), values.name)
    }

    /// What is asked, with margins of the size of the distances, and the inputs.
    pub(crate) fn make(&self) -> Result<(Asked, Inputs)> {
        let loss = match &self.asked {
            Asked::Loss(loss) => loss,
            Asked::Objective(losses) => return self.make_objective(losses),
            Asked::Retrieval(_) | Asked::Verification(_) => {
                return Ok((self.asked.clone(), Inputs::new(self.recipe, false, Truth::Nothing)));
            }
        };
        let betas = match loss {
            Loss::Margin(Margin { beta_per_class, .. }) => Some(*beta_per_class),
            _ => None,
        };
        let labels_are_indices = betas == Some(true)
            || self.recipe.weights == Weights::OfClasses
            || matches!(self.recipe.mode, Mode::Prototypes | Mode::Scores);
        let recipe = Recipe { centers: loss.centers_per_class(), ..self.recipe };
        let inputs = Inputs::new(recipe, labels_are_indices, loss.truth());
        let reach = self.reach(loss, &inputs)?;
        let inputs = match betas {
            Some(per_class) => inputs.with_betas(per_class, reach),
            None => inputs,
        };
        Ok((Asked::Loss(sized(loss, self.margin * reach, self.seed)), inputs))
    }

    /// The losses of an objective take the same rows and compare them with the same.
    fn make_objective(&self, losses: &[(f32, Loss)]) -> Result<(Asked, Inputs)> {
        let inputs = Inputs::new(self.recipe, false, losses[0].1.truth());
        let with_sizes = |(weight, loss): &(f32, Loss)| {
            Ok((*weight, sized(loss, self.margin * self.reach(loss, &inputs)?, self.seed)))
        };
        let losses = losses.iter().map(with_sizes).collect::<Result<_>>()?;
        Ok((Asked::Objective(losses), inputs))
    }

    /// How large the distances or values of a loss are.
    fn reach(&self, loss: &Loss, inputs: &Inputs) -> Result<f32> {
        match loss.distance() {
            Some(distance) => inputs.reach(distance, loss.normalize()),
            None => Ok(self.recipe.values.scale()),
        }
    }
}

impl Asked {
    /// These weights, where it is a loss that takes them in the mode.
    fn weights(&self, mode: Mode, weights: Weights) -> Weights {
        use Mode::{Batch, PairIndices, PairRows, Prototypes, Reference, Scores, Triplets};
        match (self, mode) {
            (Self::Loss(loss), _) if !loss.takes_weights() => Weights::None,
            (Self::Loss(_), Batch | Reference | Prototypes | Scores) => weights,
            (Self::Loss(_), PairRows | PairIndices | Triplets) if weights == Weights::OfRows => {
                weights
            }
            _ => Weights::None,
        }
    }

    fn modes(&self) -> &'static [Mode] {
        match self {
            Self::Loss(loss) => loss.modes(),
            Self::Objective(losses) if losses[0].1.distance().is_none() => &[Mode::Pointwise],
            Self::Objective(_) => &[Mode::Batch, Mode::Reference],
            Self::Retrieval(_) => &[Mode::Batch, Mode::Reference],
            Self::Verification(_) => {
                &[Mode::Batch, Mode::Reference, Mode::PairRows, Mode::PairIndices]
            }
        }
    }

    /// The case as JSON, every setting written out, and the key that it has in reports.
    pub(crate) fn json(&self) -> (&'static str, Value) {
        match self {
            Self::Loss(loss) => ("objective", objective::to_json(loss)),
            Self::Objective(losses) => ("objective", losses.iter().map(weighted_json).collect()),
            Self::Retrieval(retrieval) => ("retrieval", json!(retrieval)),
            Self::Verification(verification) => ("verification", json!(verification)),
        }
    }

    /// Whether distance and reduction are the plainest ones: large cases are of these.
    fn is_plain(&self) -> bool {
        match self {
            Self::Loss(loss) => {
                let is_euclidean =
                    loss.distance().is_none_or(|distance| distance == Distance::Euclidean);
                is_euclidean && !loss.normalize() && loss.reduction() == Reduction::Mean
            }
            Self::Objective(_) => false,
            Self::Retrieval(retrieval) => retrieval.distance == Distance::Euclidean,
            Self::Verification(_) => false,
        }
    }
}

fn asked() -> impl Iterator<Item = Asked> {
    let losses = Loss::NAMES.iter().flat_map(|name| variants(name)).map(Asked::Loss);
    let retrievals = Distance::ALL.into_iter().flat_map(|distance| {
        [false, true].map(|normalize| Retrieval {
            distance,
            normalize,
            recall_at: vec![1, 3, 100],
            precision_at: vec![5],
            ndcg_at: vec![2, 10],
        })
    });
    losses
        .chain(retrievals.map(Asked::Retrieval))
        .chain(objectives().map(Asked::Objective))
        .chain(thresholded().map(Asked::Loss))
        .chain(verifications().map(Asked::Verification))
}

/// Verification by every distance; rates that no pair, some and every pair reach.
fn verifications() -> impl Iterator<Item = Verification> {
    Distance::ALL.into_iter().map(|distance| Verification {
        distance,
        normalize: distance == Distance::Manhattan,
        tpr_at_fpr: vec![0.0, 0.1, 0.5, 1.0],
    })
}

/// Sums of losses that share their distances, and one that has its own; and of losses of single
/// values.
fn objectives() -> impl Iterator<Item = Vec<(f32, Loss)>> {
    let of_pairs = Distance::ALL.into_iter().flat_map(|distance| {
        [false, true].map(|normalize| {
            let contrastive = Contrastive { distance, normalize, ..Default::default() };
            let triplet = Triplet { distance, normalize, ..Default::default() };
            vec![
                (1.0, contrastive.into()),
                (0.5, triplet.into()),
                (-0.25, NtXent::default().into()),
            ]
        })
    });
    of_pairs
        .chain([vec![(1.0, Huber::default().into()), (-0.5, MeanSquaredError::default().into())]])
}

/// A weighted loss as `evaluate --objective` takes it.
fn weighted_json((weight, loss): &(f32, Loss)) -> Value {
    let mut settings = objective::to_json(loss);
    settings["weight"] = json!(weight);
    settings
}

/// One of the choices, drawn for the case with this number.
fn pick<T>(choices: &[T], number: usize, purpose: usize) -> &T {
    const CASES: u64 = 6;
    &choices[(bits(CASES, number, purpose) % choices.len() as u64) as usize]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wgpu_metric_learning::Mining;

    use super::*;

    /// Everything that is chosen in any of the cases: settings, modes, kinds of values and of
    /// classes.
    fn choices_of(cases: &[Case]) -> BTreeSet<String> {
        let choices = cases.iter().flat_map(|case| {
            let (key, settings) = case.asked.json();
            let settings = settings.as_object().cloned().unwrap_or_default();
            let is_choice = |value: &Value| value.is_string() || value.is_boolean();
            let chosen = settings.into_iter().filter(move |(_, value)| is_choice(value));
            let inputs = case.describe_inputs();
            let inputs: Vec<_> = inputs.split(", ").map(str::to_string).collect();
            chosen
                .map(|(setting, value)| format!("{setting} {value}"))
                .chain([key.to_string()])
                .chain(inputs)
        });
        choices.collect()
    }

    #[test]
    fn every_choice_is_in_the_cases_and_in_the_quick_selection() {
        let all = choices_of(&all());
        for name in Loss::NAMES {
            assert!(all.contains(&format!("loss {}", json!(name))), "{name}");
        }
        for choice in
            Mining::ALL.map(|one| json!(one)).iter().chain(&Distance::ALL.map(|one| json!(one)))
        {
            assert!(all.iter().any(|chosen| chosen.ends_with(&choice.to_string())), "{choice}");
        }
        for values in Values::ALL {
            assert!(values.name.split(", ").all(|part| all.contains(part)), "{}", values.name);
        }
        assert_eq!(choices_of(&quick()), all);
        for cases in [super::all(), quick()] {
            let sums = cases.iter().filter(|case| matches!(case.asked, Asked::Objective(_)));
            assert!(sums.count() >= 7);
        }
    }

    /// A setting with a name, of a loss yet to come, must be in the list of choices.
    #[test]
    fn every_named_setting_has_several_choices() {
        for name in Loss::NAMES {
            let settings: Vec<_> = variants(name).iter().map(objective::to_json).collect();
            for (key, value) in settings[0].as_object().unwrap() {
                let is_other = |settings: &Value| settings[key] != *value;
                let is_the_only_one = ["Circle", "ArcFace"].contains(name) && key == "distance";
                assert!(
                    key == "loss"
                        || !value.is_string()
                        || is_the_only_one
                        || settings.iter().any(is_other),
                    "{key} of {name}"
                );
            }
        }
    }

    #[test]
    fn every_case_is_valid() {
        for case in all().iter().step_by(7).filter(|case| case.recipe.n * case.recipe.d < 10_000) {
            let (asked, inputs) = case.make().unwrap();
            let batch = inputs.batch().unwrap();
            match asked {
                Asked::Loss(loss) => batch.check(&loss).unwrap(),
                Asked::Objective(losses) => {
                    losses.iter().for_each(|(_, loss)| batch.check(loss).unwrap())
                }
                Asked::Retrieval(retrieval) => retrieval.check(batch.shape()).unwrap(),
                Asked::Verification(asked) => asked.check(batch.shape()).unwrap(),
            }
        }
    }
}
