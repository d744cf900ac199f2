//! Weighted sums of losses: on every adapter against the reference, against their parts, and bad
//! ones.

use std::time::Duration;

use support::adapters::{Device, contexts, one_by_one};
use support::buffers::upload;
use support::changed::changed;
use support::sample::Random;
use wgpu::BufferUsages;
use wgpu_metric_learning::{
    Batch, CoSent, Contrastive, CrossEntropy, Distance, Error, Inputs, L2, LiftedStructured,
    Margin, MeanSquaredError, Mining, MultiMargin, NtXent, ObjectiveEvaluation, Record, Result,
    Sampling, SupCon, Triplet, Weighted, reference,
};

const N: usize = 40;
const D: usize = 6;
const M: usize = 17;
const CLASSES: usize = 5;

/// Inputs of two sets: embeddings with all that can go with them, and logits.
struct World {
    embeddings: Vec<f32>,
    logits: Vec<f32>,
    references: Vec<f32>,
    targets: Vec<f32>,
    labels: Vec<u32>,
    reference_labels: Vec<u32>,
    pairs: Vec<[u32; 2]>,
    same: Vec<u32>,
    triplets: Vec<[u32; 3]>,
}

impl World {
    fn new() -> Self {
        let row = |at: usize| (at * 7 % N) as u32;
        Self {
            embeddings: Random(1).numbers(N * D, 0.7),
            logits: Random(2).numbers(N * CLASSES, 2.0),
            references: Random(3).numbers(M * D, 0.7),
            targets: Random(4).numbers(N * D, 1.0),
            labels: (0..N as u32).map(|row| row % CLASSES as u32).collect(),
            reference_labels: (0..M as u32).map(|row| row % 4).collect(),
            pairs: (0..30).map(|at| [row(at), row(at + 1)]).collect(),
            same: (0..30).map(|at| at % 2).collect(),
            triplets: (0..25).map(|at| [row(at), row(at + 2), row(3 * at + 4)]).collect(),
        }
    }

    fn rows(&self) -> Batch<'_> {
        Batch::new(&self.embeddings, [N, D], &self.labels).expect("valid rows")
    }

    fn logits(&self) -> Batch<'_> {
        Batch::pointwise(&self.logits, [N, CLASSES])
            .and_then(|logits| logits.with_labels(&self.labels))
            .expect("logits")
    }

    fn bank(&self) -> Batch<'_> {
        self.rows()
            .with_references(&self.references, M, &self.reference_labels)
            .expect("valid references")
    }

    fn values(&self) -> Batch<'_> {
        Batch::pointwise(&self.embeddings, [N, D]).expect("valid values")
    }

    /// Joint training; losses of every mode on the same embeddings; minings, margins and softmaxes
    /// that share their distances.
    fn objectives(&self) -> Vec<Vec<Weighted<Batch<'_>>>> {
        let normalize = true;
        let pairs = Batch::pair_indices(&self.embeddings, [N, D], &self.pairs, &self.same)
            .expect("valid pairs");
        let marks = &self.targets[..self.pairs.len()];
        let scored = Batch::scored_pair_indices(&self.embeddings, [N, D], &self.pairs, marks)
            .expect("valid pairs");
        let triplets =
            Batch::triplets(&self.embeddings, [N, D], &self.triplets).expect("valid triplets");
        let scores = Batch::scores(&self.logits, [N, CLASSES], &self.labels).expect("valid scores");
        let hard = Triplet { mining: Mining::Hard, ..Default::default() };
        let explicit = Triplet { mining: Mining::Explicit, ..Default::default() };
        let drawn = Margin {
            normalize,
            sampling: Sampling::DistanceWeighted,
            seed: 3,
            ..Default::default()
        };
        vec![
            vec![
                Weighted::new(1.0, CrossEntropy::default(), self.logits()),
                Weighted::new(0.5, Triplet::default(), self.rows()).over(1),
            ],
            vec![
                Weighted::new(0.3, Contrastive::default(), pairs),
                Weighted::new(2.0, explicit, triplets),
                Weighted::new(-0.25, L2::default(), self.values()),
                Weighted::new(
                    0.7,
                    MeanSquaredError::default(),
                    self.values().with_targets(&self.targets).unwrap(),
                ),
                Weighted::new(1.5, Contrastive::default(), self.bank()),
                Weighted::new(1.0, MultiMargin::default(), scores).over(1),
                Weighted::new(0.0, hard.clone(), self.rows()),
            ],
            vec![
                Weighted::new(1.0, Contrastive::default(), self.rows()),
                Weighted::new(0.5, Triplet::default(), self.rows()),
                Weighted::new(0.25, LiftedStructured::default(), self.rows()),
                Weighted::new(2.0, Margin::default(), self.rows()),
                Weighted::new(1.0, hard, self.rows()),
            ],
            vec![
                Weighted::new(1.0, NtXent::default(), self.rows()),
                Weighted::new(3.0, SupCon { temperature: 0.5, ..Default::default() }, self.rows()),
                Weighted::new(
                    1.0,
                    Triplet { distance: Distance::Cosine, ..Default::default() },
                    self.rows(),
                ),
                Weighted::new(1.0, drawn, self.rows()),
                Weighted::new(0.1, Margin { normalize, ..Default::default() }, self.bank()),
            ],
            vec![
                Weighted::new(-0.5, CoSent::default(), scored),
                Weighted::new(1.0, Contrastive::default(), self.rows()),
            ],
        ]
    }
}

#[test]
fn every_objective_agrees_with_the_reference() {
    let world = World::new();
    for objective in world.objectives() {
        let expected =
            reference::evaluate_objective_with_bounds(&objective).expect("a valid objective");
        for device in one_by_one() {
            let Device { name, context } = &*device;
            let actual = context
                .evaluate_objective(&objective)
                .wait()
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            let comparison = expected.compare(&actual);
            assert!(comparison.agrees(), "{name}\n{comparison}");
            assert!(
                actual
                    .gradients
                    .iter()
                    .all(|gradient| gradient.iter().any(|&number| number != 0.0))
            );
            // Another weight, or a wrong number anywhere, would be seen.
            for wrong in wrong(&actual) {
                assert!(!expected.compare(&wrong).agrees(), "{name}");
            }
        }
    }
}

fn wrong(right: &ObjectiveEvaluation) -> Vec<ObjectiveEvaluation> {
    let with = |change: fn(&mut ObjectiveEvaluation)| changed(right.clone(), change);
    vec![
        with(|wrong| wrong.loss *= 1.01),
        with(|wrong| wrong.gradients[0].iter_mut().for_each(|number| *number *= 1.01)),
        with(|wrong| wrong.losses[1].loss = 1.01 * wrong.losses[1].loss + 0.01),
        with(|wrong| _ = wrong.losses.pop()),
    ]
}

/// The reference by its parts, without its own way of adding them up.
#[test]
fn an_objective_is_the_weighted_sum_of_its_losses() {
    let world = World::new();
    for objective in world.objectives() {
        let whole = reference::evaluate_objective(&objective).expect("a valid objective");
        let parts: Vec<_> = objective
            .iter()
            .map(|weighted| {
                reference::evaluate(&weighted.loss, &weighted.inputs).expect("a valid loss")
            })
            .collect();
        let loss: f64 = objective
            .iter()
            .zip(&parts)
            .map(|(weighted, part)| f64::from(weighted.weight) * part.loss)
            .sum();
        assert!((whole.loss - loss).abs() <= 1e-12 * loss.abs());
        for (set, gradient) in whole.gradients.iter().enumerate() {
            for (at, number) in gradient.iter().enumerate() {
                let of_set =
                    objective.iter().zip(&parts).filter(|(weighted, _)| weighted.set == set);
                let sum: f64 = of_set
                    .map(|(weighted, part)| f64::from(weighted.weight) * part.gradient[at])
                    .sum();
                assert!((number - sum).abs() <= 1e-12 * sum.abs().max(1.0));
            }
        }
        for ((weighted, part), found) in objective.iter().zip(&parts).zip(&whole.losses) {
            assert_eq!((found.loss, found.terms, found.gradient.len()), (part.loss, part.terms, 0));
            let weighted = part
                .gradient_references
                .as_ref()
                .map(|gradient| gradient[0] * f64::from(weighted.weight));
            assert_eq!(found.gradient_references.as_ref().map(|gradient| gradient[0]), weighted);
        }
    }
}

/// One loss with weight 1 is that loss, to the bit, and so is any loss beside others.
#[test]
fn company_changes_no_bit_of_a_loss() {
    let world = World::new();
    for device in one_by_one() {
        let Device { name, context } = &*device;
        for objective in world.objectives() {
            let whole = context.evaluate_objective(&objective).wait().expect("a valid objective");
            let again = context.evaluate_objective(&objective).wait().expect("a valid objective");
            assert_eq!(whole, again, "{name}");
            for (weighted, found) in objective.iter().zip(&whole.losses) {
                let alone = context
                    .evaluate(&weighted.loss, &weighted.inputs)
                    .wait()
                    .expect("a valid loss");
                assert_eq!(
                    (found.loss, found.nonzero_terms),
                    (alone.loss, alone.nonzero_terms),
                    "{name}: {weighted:?}"
                );
                assert_eq!(found.per_anchor, alone.per_anchor, "{name}: {weighted:?}");
                let single = [Weighted { weight: 1.0, set: 0, ..weighted.clone() }];
                let single = context.evaluate_objective(&single).wait().expect("a valid objective");
                assert_eq!(
                    (single.loss, &single.gradients[0]),
                    (alone.loss, &alone.gradient),
                    "{name}: {weighted:?}"
                );
            }
        }
    }
}

/// What is shared is done once: the rows and the distances.
#[test]
fn losses_on_the_same_distances_share_them() {
    let world = World::new();
    let devices = contexts();
    let context = &devices[0].context;
    let dispatches = |objective: &[Weighted<Batch>]| {
        let shapes: Vec<_> = objective.iter().map(Weighted::shape).collect();
        let plan = context.plan_objective(&shapes).expect("a plan");
        let own = input(devices[0], bytemuck::cast_slice(&world.embeddings));
        let labels = input(devices[0], bytemuck::cast_slice(&world.labels));
        plan.dispatches(&plan.bind(&[Inputs::new(&own, &labels)]).expect("valid inputs"))
    };
    let contrastive = Contrastive { normalize: true, ..Default::default() };
    let unit = Triplet { normalize: true, ..hard() };
    let other = Triplet { distance: Distance::SquaredEuclidean, ..unit.clone() };
    let [both, apart] = [unit, other].map(|triplet| {
        [
            Weighted::new(1.0, contrastive.clone(), world.rows()),
            Weighted::new(1.0, triplet, world.rows()),
        ]
    });
    assert_eq!(dispatches(&apart), dispatches(&both) + 2, "prepare and distance");
}

fn hard() -> Triplet {
    Triplet { mining: Mining::Hard, ..Default::default() }
}

fn input(device: &Device, bytes: &[u8]) -> wgpu::Buffer {
    upload(&device.context, bytes, BufferUsages::STORAGE)
}

/// A plan records in the caller's encoder, with the caller's buffers: recorded twice, sums are not
/// added up twice.
#[test]
fn a_plan_records_into_the_callers_encoder() {
    let world = World::new();
    let objective = &world.objectives()[0];
    let shapes: Vec<_> = objective.iter().map(Weighted::shape).collect();
    for device in one_by_one() {
        let Device { name, context } = &*device;
        let [logits, embeddings] = [&world.logits, &world.embeddings]
            .map(|rows| input(&device, bytemuck::cast_slice(rows)));
        let labels = input(&device, bytemuck::cast_slice(&world.labels));
        let plan = context.plan_objective(&shapes).expect("a plan");
        let inputs = [Inputs::new(&logits, &labels), Inputs::new(&embeddings, &labels)];
        let binding = plan.bind(&inputs).expect("valid inputs");
        let mut encoder =
            context.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        plan.record(&mut encoder, &binding).expect("its own binding");
        plan.record(&mut encoder, &binding).expect("its own binding");
        let mut pending = plan.read_back(&mut encoder).expect("a read-back");
        context.queue().submit([encoder.finish()]);
        let found = pending.wait(Duration::from_secs(60)).expect("a result");
        assert_eq!(
            found,
            context.evaluate_objective(objective).wait().expect("a valid objective"),
            "{name}"
        );
        assert_eq!(plan.gradient(1).map(wgpu::Buffer::size), Some((N * D * 4) as u64));
        assert!(
            plan.gradient(2).is_none()
                && plan.loss_value_of(2).is_none()
                && plan.gradient_beta(0).is_none()
        );

        let error = plan.bind(&inputs[..1]).unwrap_err();
        assert_eq!(error, Error::Length { what: "the inputs of the sets", expected: 2, actual: 1 });
        let error = plan.bind(&[Inputs::unlabelled(&logits), inputs[1].clone()]).unwrap_err();
        assert!(matches!(error, Error::Missing { what: "labels", .. }), "{error}");
        assert!(matches!(
            plan.set_seed(1, 7).unwrap_err(),
            Error::Unsupported { of: "Triplet", .. }
        ));
        assert!(matches!(plan.set_seed(2, 7).unwrap_err(), Error::NoLoss { loss: 2, limit: 2 }));
    }
}

/// The kernels find them in whichever loss's inputs they are.
#[test]
fn faults_of_any_set_are_found_on_the_gpu() {
    let world = World::new();
    let objective = &world.objectives()[0];
    let shapes: Vec<_> = objective.iter().map(Weighted::shape).collect();
    let devices = contexts();
    let device = &devices[0];
    let plan = device.context.plan_objective(&shapes).expect("a plan");
    let labels = input(device, bytemuck::cast_slice(&world.labels));
    let run = |logits: &[f32], embeddings: &[f32]| -> Result<ObjectiveEvaluation> {
        let [logits, embeddings] =
            [logits, embeddings].map(|rows| input(device, bytemuck::cast_slice(rows)));
        let binding =
            plan.bind(&[Inputs::new(&logits, &labels), Inputs::new(&embeddings, &labels)])?;
        let mut encoder = device
            .context
            .device()
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        plan.record(&mut encoder, &binding)?;
        let mut pending = plan.read_back(&mut encoder)?;
        device.context.queue().submit([encoder.finish()]);
        pending.wait(Duration::from_secs(60))
    };
    let with = |rows: &[f32], at: usize| {
        let mut rows = rows.to_vec();
        rows[at] = f32::NAN;
        rows
    };
    assert!(run(&world.logits, &world.embeddings).is_ok());
    let error = run(&world.logits, &with(&world.embeddings, 2 * D + 3)).unwrap_err();
    assert_eq!(error, Error::NotFinite { what: "embeddings", row: 2, column: 3 });
    let error = run(&with(&world.logits, CLASSES + 4), &world.embeddings).unwrap_err();
    assert_eq!(error, Error::NotFinite { what: "embeddings", row: 1, column: 4 });
    assert!(run(&world.logits, &world.embeddings).is_ok(), "the next one is right again");
}

#[test]
fn objectives_that_are_none() {
    let world = World::new();
    let rows = || Weighted::new(1.0, Contrastive::default(), world.rows());
    let check =
        |objective: &[Weighted<Batch>]| reference::evaluate_objective(objective).unwrap_err();
    assert_eq!(check(&[]), Error::Empty { what: "the number of losses" });
    let error = Error::Empty { what: "the number of losses over a set" };
    assert_eq!(check(&[rows().over(1)]), error);
    assert_eq!(check(&[rows(), rows().over(usize::MAX)]), error);
    assert_eq!(check(&[rows(), rows().over(2), rows().over(2)]), error);
    let error = check(&[Weighted { weight: f32::NAN, ..rows() }]);
    assert!(
        matches!(error, Error::Parameter { of: "Contrastive", parameter: "weight", .. }),
        "{error}"
    );
    assert_eq!(
        check(&[rows(), Weighted::new(1.0, CrossEntropy::default(), world.logits())]),
        EMBEDDINGS
    );

    let mut copy = world.embeddings.clone();
    let other = Batch::new(&copy, [N, D], &world.labels).expect("valid rows");
    assert!(
        reference::evaluate_objective(&[rows(), Weighted::new(1.0, Triplet::default(), other)])
            .is_ok()
    );
    copy[7] += 1.0;
    let other = Batch::new(&copy, [N, D], &world.labels).expect("valid rows");
    let error = check(&[rows(), Weighted::new(1.0, Triplet::default(), other)]);
    assert_eq!(error, EMBEDDINGS);
    assert_eq!(error.to_string(), "two losses over the same set have different embeddings");
    let mut labels = world.labels.clone();
    labels[3] += 1;
    let other = Batch::new(&world.embeddings, [N, D], &labels).expect("valid rows");
    assert_eq!(
        check(&[rows(), Weighted::new(1.0, Triplet::default(), other)]),
        Error::Set { what: "labels" }
    );
    let scores = Batch::scores(&world.logits, [N, CLASSES], &world.labels).expect("valid scores");
    let error = check(&[Weighted::new(1.0, Contrastive::default(), scores)]);
    assert!(matches!(error, Error::Unsupported { of: "Contrastive", .. }), "{error}");
    for device in one_by_one() {
        assert_eq!(
            device.context.evaluate_objective(&[]).wait().unwrap_err(),
            Error::Empty { what: "the number of losses" }
        );
    }
}

const EMBEDDINGS: Error = Error::Set { what: "embeddings" };
