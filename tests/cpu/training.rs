//! The optimisers, the projection and the memory bank of the host against the reference and a plain
//! ring.

use support::sample::Random;
use wgpu_metric_learning::training::{
    Adam, BalancedSampler, Checkpoint, CpuOptimizer, CpuTrainer, Linear, Mlp, Optimizer, Sgd,
    Training,
};
use wgpu_metric_learning::{
    Batch, Contrastive, Cpu, CpuMemoryBank, Error, Loss, Margin, MultiMargin, NtXent, Triplet,
    Weighted, reference,
};

fn numbers(count: usize, seed: u64, magnitude: f32) -> Vec<f32> {
    Random(seed).numbers(count, magnitude)
}

fn optimizers() -> Vec<Optimizer> {
    let [momentum, weight_decay] = [0.9, 0.01];
    vec![
        Sgd::default().into(),
        Adam::default().into(),
        Sgd { momentum, ..Default::default() }.into(),
        Sgd { learning_rate: 0.3, momentum: 0.5, weight_decay }.into(),
        Adam { weight_decay, ..Default::default() }.into(),
        Adam { beta_1: 0.0, beta_2: 0.0, epsilon: 0.5, ..Default::default() }.into(),
        Adam { beta_1: 0.5, beta_2: 0.99999, epsilon: 1e-15, ..Default::default() }.into(),
    ]
}

/// The gradients of so many steps. Those of a parameter stay at their magnitude, which is anything.
fn gradients(parameters: usize, steps: usize) -> Vec<Vec<f32>> {
    const MAGNITUDES: [f32; 7] = [1.0, 1e-3, 30.0, 0.0, 1e-20, 1e-42, 1e15];
    let scaled = |(at, number): (usize, f32)| number * MAGNITUDES[at % MAGNITUDES.len()];
    let of_step = |step| {
        numbers(parameters, step as u64 + 1, 1.0).into_iter().enumerate().map(scaled).collect()
    };
    (0..steps).map(of_step).collect()
}

#[test]
fn every_optimizer_agrees() {
    for optimizer in optimizers() {
        for [parameters, steps] in [[1, 3], [255, 1], [256, 2], [257, 40]] {
            let start = numbers(parameters, 77, 1.0);
            let gradients = gradients(parameters, steps);
            let slices: Vec<_> = gradients.iter().map(Vec::as_slice).collect();
            let expected = reference::optimize(optimizer, &start, &slices).unwrap();
            let mut steps_made = CpuOptimizer::new(optimizer, parameters).unwrap();
            let mut actual = start.clone();
            for (step, gradient) in (1..).zip(&gradients) {
                assert_eq!(steps_made.step(&mut actual, gradient), Ok(step));
            }
            let comparison = expected.compare(&actual);
            assert!(comparison.agrees(), "{optimizer:?}, {parameters} x {steps}\n{comparison}");
            assert_ne!(actual, start, "{optimizer:?} moves nothing");
            // From the beginning again: the same bits.
            steps_made.reset();
            let mut again = start;
            gradients.iter().for_each(|gradient| {
                steps_made.step(&mut again, gradient).expect("every step is made");
            });
            assert_eq!(again, actual);
        }
    }
}

#[test]
fn what_is_not_finite_is_left_out_and_told() {
    let sgd = Sgd { learning_rate: 1.0, momentum: 0.5, weight_decay: 0.0 };
    let mut optimizer = CpuOptimizer::new(sgd, 3).unwrap();
    let mut parameters = [-f32::MAX, 4.0, 1.0];
    let left_out = |first, steps| Err(Error::StepsLeftOut { left_out: 1, first, steps });
    assert_eq!(optimizer.step(&mut parameters, &[f32::NAN, 1.0, 0.0]), left_out(0, 1));
    assert_eq!(optimizer.step(&mut parameters, &[1.0, f32::INFINITY, 0.0]), left_out(1, 2));
    assert_eq!(optimizer.step(&mut parameters, &[f32::MAX, 1.0, 0.0]), left_out(0, 3));
    assert_eq!(parameters, [-f32::MAX - 1.0, 4.0 - 1.0 - 1.5, 1.0]);
    assert_eq!(optimizer.step(&mut parameters, &[0.0; 3]), Ok(4));
}

#[test]
fn what_does_not_fit_is_refused() {
    let length = |what, expected, actual| Error::Length { what, expected, actual };
    assert!(matches!(CpuOptimizer::new(Sgd::default(), 0), Err(Error::Empty { .. })));
    let wild = Sgd { momentum: 1.0, ..Default::default() };
    assert!(matches!(CpuOptimizer::new(wild, 1), Err(Error::Parameter { .. })));
    let mut optimizer = CpuOptimizer::new(Sgd::default(), 2).unwrap();
    let mut parameters = [1.0, 2.0];
    assert_eq!(optimizer.step(&mut parameters, &[0.5]), Err(length("gradient", 2, 1)));
    assert_eq!(parameters, [1.0, 2.0]);
    assert_eq!(optimizer.step(&mut [0.0], &[0.5; 2]), Err(length("parameters", 2, 1)));
    assert!(matches!(optimizer.set_learning_rate(f32::NAN), Err(Error::Parameter { .. })));
    assert_eq!(optimizer.optimizer().learning_rate(), 0.01);
    optimizer.set_learning_rate(0.5).unwrap();
    assert_eq!(optimizer.step(&mut parameters, &[1.0, 0.0]), Ok(1));
    assert_eq!((parameters, optimizer.parameters()), ([0.5, 2.0], 2));

    let linear = Linear { rows: 2, inputs: 3, outputs: 1 };
    let (cpu, six) = (Cpu::default(), [0.0; 6]);
    assert_eq!(cpu.project(&linear, &six[1..], &six[..3]), Err(length("inputs", 6, 5)));
    assert_eq!(cpu.project(&linear, &six, &six[..2]), Err(length("weights", 3, 2)));
    assert_eq!(cpu.project_back(&linear, &six, &[0.0]), Err(length("output gradient", 2, 1)));
    let empty = Linear { rows: 0, ..linear };
    assert!(matches!(cpu.project(&empty, &[], &six[..3]), Err(Error::Empty { .. })));

    let mut bank = CpuMemoryBank::new(4, 2).unwrap();
    assert!(matches!(CpuMemoryBank::new(0, 2), Err(Error::Empty { .. })));
    assert_eq!(bank.enqueue(&six, &[1, 2]), Err(length("embeddings", 4, 6)));
    let infinite = Err(Error::NotFinite { what: "embeddings", row: 1, column: 0 });
    assert_eq!(bank.enqueue(&[0.0, 1.0, f32::INFINITY, 0.0], &[1, 2]), infinite);
    assert!(bank.is_empty(), "nothing is changed by what is refused");
    let batch = Batch::new(&six, [3, 2], &[0, 1, 1]).unwrap();
    assert!(matches!(bank.against(batch), Err(Error::Empty { .. })));
}

/// Rows, inputs, hidden layers and outputs of perceptrons: around vectors of 8 and 16 numbers, and
/// layers of one number.
const PERCEPTRONS: [(usize, usize, &[usize], usize); 7] = [
    (1, 1, &[], 1),
    (3, 2, &[1], 2),
    (17, 15, &[16], 17),
    (33, 32, &[31], 8),
    (65, 64, &[63], 2),
    (9, 5, &[33, 7], 3),
    (130, 3, &[4, 5, 6], 66),
];

#[test]
fn perceptrons_agree() {
    for (rows, inputs, hidden, outputs) in PERCEPTRONS {
        let mlp = Mlp { inputs, hidden: hidden.to_vec(), outputs };
        for magnitude in [1.0, 1e-30, 1e10] {
            let given = numbers(rows * inputs, 1, magnitude);
            let parameters = mlp.initial_parameters(7).unwrap();
            let slopes = numbers(rows * outputs, 3, 1.0);
            let cpu = Cpu::default();
            let activations = cpu.forward(&mlp, rows, &given, &parameters).unwrap();
            let gradient =
                cpu.backward(&mlp, rows, &given, &parameters, &activations, &slopes).unwrap();
            let forward = reference::forward(&mlp, rows, &given, &parameters).unwrap();
            let comparison = forward.compare(activations.outputs());
            assert!(comparison.agrees(), "{mlp:?}\n{comparison}");
            let backward = reference::backward(&mlp, rows, &given, &parameters, &slopes).unwrap();
            let comparison = backward.compare(&gradient);
            assert!(comparison.agrees(), "{mlp:?}\n{comparison}");
            assert!(gradient.iter().any(|&slope| slope != 0.0), "{mlp:?}");
        }
    }
}

#[test]
fn a_perceptron_begins_even_and_the_same_everywhere() {
    let mlp = Mlp { inputs: 96, hidden: vec![50], outputs: 2 };
    let parameters = mlp.initial_parameters(1).unwrap();
    assert_eq!(parameters.len(), 97 * 50 + 51 * 2);
    let (first, second) = parameters.split_at(97 * 50);
    let (weights, biases) = first.split_at(96 * 50);
    assert!(biases.iter().chain(&second[50 * 2..]).all(|&bias| bias == 0.0));
    // Even up to sqrt(6 / 96) = 0.25: a third of its square is the mean of squares.
    assert!(weights.iter().all(|weight| weight.abs() <= 0.25));
    let mean: f32 = weights.iter().map(|weight| weight * weight).sum::<f32>() / 4800.0;
    assert!((mean - 0.0625 / 3.0).abs() < 1e-3, "{mean}");
    assert_eq!(parameters, mlp.initial_parameters(1).unwrap());
    assert_ne!(parameters, mlp.initial_parameters(2).unwrap());
}

#[test]
fn perceptrons_that_do_not_fit_are_refused() {
    let mlp = Mlp { inputs: 2, hidden: vec![3], outputs: 1 };
    let (cpu, parameters) = (Cpu::default(), mlp.initial_parameters(0).unwrap());
    let length = |what, expected, actual| Error::Length { what, expected, actual };
    let inputs = [0.5; 4];
    let forward = |mlp: &Mlp, inputs: &[f32]| cpu.forward(mlp, 2, inputs, &parameters);
    assert_eq!(forward(&mlp, &inputs[1..]).unwrap_err(), length("inputs", 4, 3));
    let other = Mlp { hidden: vec![4], ..mlp.clone() };
    assert_eq!(forward(&other, &inputs).unwrap_err(), length("parameters", 17, 13));
    let none = Mlp { hidden: vec![0], ..mlp.clone() };
    let what = "the dimension of a hidden layer";
    assert_eq!(forward(&none, &inputs).unwrap_err(), Error::Empty { what });
    let large = Mlp { hidden: vec![usize::MAX], ..mlp.clone() };
    assert!(matches!(forward(&large, &inputs), Err(Error::TooLarge { .. })));

    let activations = forward(&mlp, &inputs).unwrap();
    let backward = |rows: usize, inputs: &[f32], slopes: &[f32]| {
        cpu.backward(&mlp, rows, inputs, &parameters, &activations, slopes).unwrap_err()
    };
    assert_eq!(backward(2, &inputs, &[1.0]), length("output gradient", 2, 1));
    let one_row = length("activations of a layer", 3, 6);
    assert_eq!(backward(1, &inputs[..2], &[1.0]), one_row);
}

fn training(loss: impl Into<Loss>) -> Training {
    Training {
        mlp: Mlp { inputs: 3, hidden: vec![5], outputs: 2 },
        objective: vec![Weighted::new(1.0, loss, ())],
        optimizer: Adam::default().into(),
        sampler: BalancedSampler { classes_per_batch: 2, samples_per_class: 2 },
        seed: 3,
    }
}

/// A step is the parts that it is made of, and a run can be made again to the bit.
#[test]
fn trainings_are_their_parts() {
    let (cpu, labels) = (Cpu::default(), [1, 1, 2, 2, 3, 3]);
    let inputs = numbers(18, 5, 1.0);
    let mut training = training(Triplet::default());
    training.objective.push(Weighted::new(0.5, NtXent::default(), ()));
    let trainer = cpu.trainer(training.clone(), &inputs, &labels).unwrap();
    are_its_parts(&training, &inputs, trainer, None);
    let weights = [0.0, 2.0, 0.5, 1.0, 3.0, 1.5];
    let trainer = cpu.trainer(training.clone(), &inputs, &labels).unwrap();
    let trainer = trainer.with_weights(&weights).unwrap();
    are_its_parts(&training, &inputs, trainer, Some(&weights));
}

/// Of rows with the labels 1 to 3, two of each.
fn are_its_parts(
    training: &Training,
    inputs: &[f32],
    mut trainer: CpuTrainer,
    weights: Option<&[f32]>,
) {
    let (cpu, labels) = (Cpu::default(), [1, 1, 2, 2, 3, 3]);
    let mut parameters = training.mlp.initial_parameters(3).unwrap();
    let mut optimizer = CpuOptimizer::new(training.optimizer, parameters.len()).unwrap();
    for (step, rows) in training.sampler.draw(&labels, 3).unwrap().take(20).enumerate() {
        let drawn: Vec<f32> =
            rows.iter().flat_map(|&row| &inputs[3 * row..][..3]).copied().collect();
        let drawn_labels: Vec<u32> = rows.iter().map(|&row| labels[row]).collect();
        let made = cpu.forward(&training.mlp, 4, &drawn, &parameters).unwrap();
        let batch = Batch::new(made.outputs(), [4, 2], &drawn_labels).unwrap();
        let of_rows = |weights: &[f32]| rows.iter().map(|&row| weights[row]).collect();
        let drawn_weights: Option<Vec<f32>> = weights.map(of_rows);
        let batch = match &drawn_weights {
            Some(weights) => batch.with_weights(weights).unwrap(),
            None => batch,
        };
        let objective: Vec<_> = training
            .objective
            .iter()
            .map(|of| Weighted::new(of.weight, of.loss.clone(), batch))
            .collect();
        let expected = cpu.evaluate_objective(&objective).wait().unwrap();
        let gradient = cpu
            .backward(&training.mlp, 4, &drawn, &parameters, &made, &expected.gradients[0])
            .unwrap();
        if step == 10 {
            trainer.set_learning_rate(0.05).unwrap();
            optimizer.set_learning_rate(0.05).unwrap();
        }
        optimizer.step(&mut parameters, &gradient).unwrap();
        assert_eq!(trainer.step().unwrap(), expected, "step {step}");
        assert_eq!(trainer.parameters(), parameters, "step {step}");
    }
}

/// What was left off is gone on with, with the same bits.
#[test]
fn trainings_are_resumed() {
    let (inputs, labels) = (numbers(18, 5, 1.0), [1, 1, 2, 2, 3, 3]);
    let usual = || training(Contrastive::default());
    let momentum: Optimizer = Sgd { momentum: 0.9, ..Default::default() }.into();
    for training in [usual(), Training { optimizer: momentum, ..usual() }] {
        let begin = || Cpu::default().trainer(training.clone(), &inputs, &labels).unwrap();
        let mut trainer = begin();
        (0..7).for_each(|_| drop(trainer.step().unwrap()));
        let checkpoint = trainer.checkpoint();
        assert_eq!((checkpoint.steps, checkpoint.batches), (7, 7));
        let mut resumed = begin();
        resumed.resume(&checkpoint).unwrap();
        for _ in 0..5 {
            assert_eq!(resumed.step(), trainer.step());
        }
        assert_eq!(resumed.checkpoint(), trainer.checkpoint());

        let short = Checkpoint { parameters: vec![0.0], ..checkpoint.clone() };
        assert!(matches!(resumed.resume(&short), Err(Error::Length { what: "parameters", .. })));
        let short = Checkpoint { moments: vec![[0.0; 2]], ..checkpoint.clone() };
        assert!(matches!(resumed.resume(&short), Err(Error::Length { what: "moments", .. })));
        let mut infinite = checkpoint.clone();
        infinite.moments[3][1] = 1e300;
        let refused = Err(Error::NotFinite { what: "moments", row: 3, column: 1 });
        assert_eq!(resumed.resume(&infinite), refused);
        let refused = |moments: [f64; 2], moments_of_one: [f64; 2]| {
            let mut wrong = Checkpoint { moments_of_one, ..checkpoint.clone() };
            wrong.moments[1] = moments;
            let result = begin().resume(&wrong);
            let is_adam = matches!(training.optimizer, Optimizer::Adam(_));
            assert_eq!(matches!(result, Err(Error::Parameter { .. })), is_adam, "{result:?}");
        };
        refused([0.5, -1e-9], checkpoint.moments_of_one);
        refused([0.5, 0.5], [0.5, 1.5]);
        refused([0.5, 0.5], [0.0, 0.5]);
        let mut infinite = checkpoint;
        infinite.parameters[2] = f32::NAN;
        let refused = Err(Error::NotFinite { what: "parameters", row: 2, column: 0 });
        assert_eq!(resumed.resume(&infinite), refused);
        assert_eq!(resumed.checkpoint(), trainer.checkpoint(), "nothing was changed");
    }
}

#[test]
fn trainings_that_cannot_be_are_refused() {
    let begin = |training: Training, inputs: &[f32], labels: &[u32]| {
        Cpu::default().trainer(training, inputs, labels).map(drop).unwrap_err()
    };
    let (inputs, labels) = ([0.5; 12], [1, 1, 2, 2]);
    let usual = || training(Contrastive::default());
    let length = Error::Length { what: "inputs", expected: 12, actual: 11 };
    assert_eq!(begin(usual(), &inputs[1..], &labels), length);
    let weighed = |weights: &[f32]| {
        let trainer = Cpu::default().trainer(usual(), &inputs, &labels).unwrap();
        trainer.with_weights(weights).map(drop).unwrap_err()
    };
    assert_eq!(weighed(&[1.0]), Error::Length { what: "weights", expected: 4, actual: 1 });
    let below_0 = weighed(&[1.0, 1.0, -0.5, 1.0]);
    assert!(matches!(below_0, Error::Target { what: "weights", row: 2, .. }), "{below_0}");
    let mut infinite = inputs;
    infinite[7] = f32::INFINITY;
    let not_finite = Error::NotFinite { what: "inputs", row: 2, column: 1 };
    assert_eq!(begin(usual(), &infinite, &labels), not_finite);
    assert!(matches!(begin(usual(), &inputs[..9], &[1, 1, 2]), Error::Parameter { .. }));
    let wild =
        Training { optimizer: Sgd { momentum: 1.0, ..Default::default() }.into(), ..usual() };
    assert!(matches!(begin(wild, &inputs, &labels), Error::Parameter { .. }));
    let none = Training { mlp: Mlp { outputs: 0, ..usual().mlp }, ..usual() };
    assert!(matches!(begin(none, &inputs, &labels), Error::Empty { .. }));
    let mut apart = usual();
    apart.objective.push(Weighted::new(1.0, NtXent::default(), ()).over(1));
    assert!(matches!(begin(apart, &inputs, &labels), Error::Parameter { parameter: "set", .. }));
    let nothing = Training { objective: vec![], ..usual() };
    assert!(matches!(begin(nothing, &inputs, &labels), Error::Empty { .. }));
    // A loss of scores, and one that needs betas.
    let scores = training(MultiMargin::default());
    assert!(matches!(begin(scores, &inputs, &labels), Error::Unsupported { .. }));
    let betas = training(Margin { beta_per_class: true, ..Default::default() });
    assert!(matches!(begin(betas, &inputs, &labels), Error::Missing { what: "beta", .. }));
}

#[test]
fn projections_agree() {
    for [rows, inputs, outputs] in [[1, 1, 1], [3, 65, 2], [40, 17, 33], [129, 8, 16]] {
        for magnitude in [1.0, 1e-30, 1e15] {
            let linear = Linear { rows, inputs, outputs };
            let given = numbers(rows * inputs, 1, magnitude);
            let weights = numbers(inputs * outputs, 2, 1.0);
            let slopes = numbers(rows * outputs, 3, 1.0);
            let cpu = Cpu::default();
            let expected = reference::project(&linear, &given, &weights).unwrap();
            let comparison = expected.compare(&cpu.project(&linear, &given, &weights).unwrap());
            assert!(comparison.agrees(), "{linear:?}\n{comparison}");
            let expected = reference::project_back(&linear, &given, &slopes).unwrap();
            let comparison = expected.compare(&cpu.project_back(&linear, &given, &slopes).unwrap());
            assert!(comparison.agrees(), "{linear:?}\n{comparison}");
        }
    }
}

/// A projection is fitted, as on a GPU: forward, the loss, backward, the optimiser.
#[test]
fn a_training_brings_the_loss_down() {
    let linear = Linear { rows: 60, inputs: 12, outputs: 3 };
    let labels: Vec<u32> = (0..60).map(|row| row % 4).collect();
    let noise = numbers(60 * 12, 5, 1.0);
    let inputs: Vec<_> = noise
        .iter()
        .enumerate()
        .map(|(at, noise)| noise + if at % 12 == at / 12 % 4 { 2.0 } else { 0.0 })
        .collect();
    let cpu = Cpu::default();
    let mut weights = numbers(12 * 3, 6, 0.3);
    let mut optimizer =
        CpuOptimizer::new(Adam { learning_rate: 0.03, ..Default::default() }, 36).unwrap();
    let mut losses = Vec::new();
    for _ in 0..40 {
        let embeddings = cpu.project(&linear, &inputs, &weights).unwrap();
        let batch = Batch::new(&embeddings, [60, 3], &labels).unwrap();
        let evaluation = cpu.evaluate(Contrastive::default(), &batch).wait().unwrap();
        let gradient = cpu.project_back(&linear, &inputs, &evaluation.gradient).unwrap();
        optimizer.step(&mut weights, &gradient).unwrap();
        losses.push(evaluation.loss);
    }
    assert!(losses[39] < 0.7 * losses[0], "{losses:?}");
}

/// Batches smaller than the bank, as large, larger, and one that goes round its end.
#[test]
fn the_bank_holds_the_last_rows_of_all_batches() {
    const CAPACITY: usize = 20;
    const D: usize = 5;
    let mut bank = CpuMemoryBank::new(CAPACITY, D).unwrap();
    let mut all: Vec<(Vec<f32>, u32)> = Vec::new();
    for (number, rows) in [7, 1, 8, 9, 20, 45, 3, 19].into_iter().enumerate() {
        let labels: Vec<_> = (0..rows as u32).map(|row| (row + number as u32) % 3).collect();
        let embeddings = numbers(rows * D, number as u64 + 1, 1.0);
        let batch = Batch::new(&embeddings, [rows, D], &labels).unwrap();
        if !bank.is_empty() {
            let (held, of_held): (Vec<_>, Vec<_>) =
                all[all.len().saturating_sub(CAPACITY)..].iter().cloned().unzip();
            let held = held.concat();
            let against = batch.with_references(&held, of_held.len(), &of_held).unwrap();
            let against = against.with_fixed_references();
            for loss in [Loss::from(Contrastive::default()), Triplet::default().into()] {
                let expected = reference::evaluate_with_bounds(&loss, &against).unwrap();
                let batch = bank.against(batch).unwrap();
                let actual = Cpu::default().evaluate(&loss, &batch).wait().unwrap();
                let comparison = expected.compare(&actual);
                assert!(comparison.agrees(), "before batch {number}\n{comparison}");
                assert!(actual.loss > 0.0 && actual.gradient_references.is_none());
            }
        }
        bank.enqueue(&embeddings, &labels).unwrap();
        all.extend(embeddings.chunks(D).map(<[f32]>::to_vec).zip(labels));
        assert_eq!((bank.len(), bank.is_full()), (CAPACITY.min(all.len()), all.len() >= CAPACITY));
        assert_eq!((bank.embeddings().len(), bank.labels().len()), (bank.len() * D, bank.len()));
        assert_eq!(bank.capacity(), CAPACITY);
    }
}
