//! Trainings on a GPU: the same as on the host within what rounding explains, the same bits when
//! made again, and faults that are told.

use support::adapters::contexts;
use support::sample::Random;
use wgpu_metric_learning::training::{Adam, BalancedSampler, Checkpoint, Mlp, Training};
use wgpu_metric_learning::{Contrastive, Cpu, Engine, Error, NtXent, Trainer, Weighted};

const INPUTS: usize = 20;
const LABELS: [u32; 24] = [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4];

fn training(learning_rate: f32) -> Training {
    Training {
        mlp: Mlp { inputs: INPUTS, hidden: vec![33], outputs: 3 },
        objective: vec![
            Weighted::new(1.0, Contrastive::default(), ()),
            Weighted::new(0.25, NtXent::default(), ()),
        ],
        optimizer: Adam { learning_rate, ..Default::default() }.into(),
        sampler: BalancedSampler { classes_per_batch: 3, samples_per_class: 4 },
        seed: 11,
    }
}

#[test]
fn every_engine_trains() {
    const STEPS: usize = 40;
    let inputs = Random(9).numbers(LABELS.len() * INPUTS, 1.0);
    let losses = |trainer: &mut Trainer| -> Vec<f32> {
        (0..STEPS).map(|_| trainer.step().expect("a step").loss).collect()
    };
    let begin =
        |engine: &Engine| engine.trainer(training(0.01), &inputs, &LABELS).expect("a training");
    let mut on_cpu = begin(&Engine::Cpu(Cpu::default()));
    let expected = losses(&mut on_cpu);
    assert!(expected[STEPS - 1] < 0.3 * expected[0], "{expected:?}");
    for device in contexts() {
        let engine = Engine::Gpu(device.context.clone());
        let mut trainer = begin(&engine);
        let found = losses(&mut trainer);
        // The first losses differ by rounding alone; later ones by what it has grown to.
        for (step, (found, expected)) in found.iter().zip(&expected).take(5).enumerate() {
            assert!((found - expected).abs() < 1e-4 * expected, "{}: step {step}", device.name);
        }
        assert!(found[STEPS - 1] < 0.3 * found[0], "{}: {found:?}", device.name);
        let parameters = trainer.parameters().expect("a read-back");
        let mut again = begin(&engine);
        assert_eq!(losses(&mut again), found, "{}: the same bits", device.name);
        assert_eq!(again.parameters().as_ref(), Ok(&parameters), "{}", device.name);
        assert_ne!(parameters, training(0.01).mlp.initial_parameters(11).unwrap());
    }
}

/// Rows with weights: as on the host, and otherwise than without.
#[test]
fn every_engine_trains_with_weights() {
    let inputs = Random(9).numbers(LABELS.len() * INPUTS, 1.0);
    let weights: Vec<f32> = (0..LABELS.len()).map(|row| (row % 5) as f32 / 2.0).collect();
    let losses = |mut trainer: Trainer| -> Vec<f32> {
        (0..5).map(|_| trainer.step().expect("a step").loss).collect()
    };
    let begin =
        |engine: &Engine| engine.trainer(training(0.01), &inputs, &LABELS).expect("a training");
    let weighed = |engine: &Engine| losses(begin(engine).with_weights(&weights).expect("weights"));
    let cpu = Engine::Cpu(Cpu::default());
    let (expected, plain) = (weighed(&cpu), losses(begin(&cpu)));
    assert!(expected.iter().zip(&plain).all(|(with, without)| with != without));
    for device in contexts() {
        let engine = Engine::Gpu(device.context.clone());
        for (found, expected) in weighed(&engine).iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-4 * expected, "{}: {found}", device.name);
        }
        // From where a training stands, with new weights.
        let mut trainer = begin(&engine);
        trainer.step().expect("a step");
        let before = trainer.parameters();
        let trainer = trainer.with_weights(&[0.0; 24]).expect("weights");
        assert_eq!(trainer.parameters(), before, "{}", device.name);
        let mut trainer = trainer.with_weights(&weights).expect("other weights");
        assert!(trainer.step().expect("a step").loss > 0.0, "{}", device.name);
        let refused = trainer.with_weights(&[1.0]).map(drop);
        assert!(matches!(refused, Err(Error::Length { what: "weights", .. })), "{refused:?}");
    }
}

/// What is awaited is what is waited for, to the bit.
#[test]
fn steps_are_awaited() {
    let inputs = Random(9).numbers(LABELS.len() * INPUTS, 1.0);
    let engines = contexts().into_iter().map(|device| Engine::Gpu(device.context.clone()));
    for engine in engines.chain([Engine::Cpu(Cpu::default())]) {
        let begin = || engine.trainer(training(0.01), &inputs, &LABELS).expect("a training");
        let [mut waiting, mut awaiting] = [begin(), begin()];
        for _ in 0..3 {
            assert_eq!(pollster::block_on(awaiting.step_async()), waiting.step());
        }
        let checkpoint = pollster::block_on(awaiting.checkpoint_async());
        assert_eq!((&checkpoint, checkpoint.is_ok()), (&waiting.checkpoint(), true));
        assert_eq!(pollster::block_on(awaiting.parameters_async()), waiting.parameters());
    }
}

/// What was left off is gone on with: on the same device with the same bits, and from one device to
/// another.
#[test]
fn every_engine_resumes() {
    let inputs = Random(9).numbers(LABELS.len() * INPUTS, 1.0);
    let begin =
        |engine: &Engine| engine.trainer(training(0.01), &inputs, &LABELS).expect("a training");
    let steps = |trainer: &mut Trainer, count| -> Vec<f32> {
        (0..count).map(|_| trainer.step().expect("a step").loss).collect()
    };
    let cpu = Engine::Cpu(Cpu::default());
    for device in contexts() {
        let engine = Engine::Gpu(device.context.clone());
        let mut trainer = begin(&engine);
        steps(&mut trainer, 6);
        let checkpoint = trainer.checkpoint().expect("a read-back");
        assert_eq!((checkpoint.steps, checkpoint.batches), (6, 6));
        let expected = steps(&mut trainer, 6);
        let mut resumed = begin(&engine);
        resumed.resume(&checkpoint).expect("a checkpoint of the training");
        assert_eq!(resumed.checkpoint().as_ref(), Ok(&checkpoint), "{}", device.name);
        assert_eq!(steps(&mut resumed, 6), expected, "{}", device.name);
        assert_eq!(resumed.checkpoint(), trainer.checkpoint(), "{}", device.name);

        let mut there = begin(&cpu);
        there.resume(&checkpoint).expect("a checkpoint of the training");
        let found = steps(&mut there, 6);
        let mut back = begin(&engine);
        back.resume(&there.checkpoint().expect("a checkpoint")).expect("one of the training");
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-3 * expected, "{}: {found}", device.name);
        }
        let [onward, expected] = [&mut back, &mut trainer].map(|trainer| steps(trainer, 1)[0]);
        assert!((onward - expected).abs() < 1e-3 * expected, "{}: {onward}", device.name);
        let refused = back.resume(&Checkpoint { moments: vec![], ..checkpoint });
        assert!(matches!(refused, Err(Error::Length { what: "moments", .. })), "{refused:?}");
    }
}

/// A learning rate of 10^30 takes the outputs beyond f32 within some steps.
#[test]
fn numbers_that_grow_beyond_f32_are_told() {
    let inputs = Random(9).numbers(LABELS.len() * INPUTS, 1.0);
    let told = |engine: Engine| {
        let mut trainer = engine.trainer(training(1e30), &inputs, &LABELS).expect("a training");
        let error = (0..10).find_map(|_| trainer.step().err()).expect("an error");
        assert!(
            matches!(
                error,
                Error::NotFinite { .. } | Error::Overflow { .. } | Error::StepsLeftOut { .. }
            ),
            "{error}"
        );
        assert!(trainer.parameters().unwrap().iter().all(|parameter| parameter.is_finite()));
    };
    told(Engine::Cpu(Cpu::default()));
    contexts().iter().for_each(|device| told(Engine::Gpu(device.context.clone())));
}
