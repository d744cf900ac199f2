//! The pointwise losses: kernels against the reference at every size and at hard values, and every
//! error of host and GPU.

use support::adapters::one_by_one;
use support::agreement::Tally;
use support::buffers::upload;
use support::losses::pointwise;
use support::sample::{Layout, Recipe, Sample, Values};
use wgpu::BufferUsages;
use wgpu_metric_learning::{
    Batch, BinaryCrossEntropy, Context, CrossEntropy, ElasticNet, Error, Evaluation, Hinge, Huber,
    Input, Inputs, L1, L2, Loss, MeanSquaredError, Record, Reduction, Result, Shape,
    UniformEntropy, reference,
};

const REDUCTIONS: [Reduction; 3] = [Reduction::Mean, Reduction::Sum, Reduction::MeanNonZero];

/// N and D: around the workgroup of 256 and the run of 4,096 values, from both sides.
const SIZES: [[usize; 2]; 12] = [
    [1, 1],
    [1, 2],
    [2, 1],
    [5, 13],
    [3, 255],
    [3, 256],
    [3, 257],
    [1, 4095],
    [1, 4096],
    [1, 4097],
    [17, 241],
    [1, 65_537],
];

fn recipe([n, d]: [usize; 2], values: Values) -> Recipe {
    Recipe { n, m: 1, d, layout: Layout::Balanced(1), values, extreme_labels: false }
}

fn hold(tally: &mut Tally, losses: &[Loss], shape: [usize; 2], values: Values) {
    let sample = Sample::new(recipe(shape, values));
    for loss in losses {
        for batch in sample.batches(loss) {
            tally.hold(loss, &batch, &format!("{values:?}"));
        }
    }
}

#[test]
fn sizes_around_every_edge() {
    let mut tally = Tally::new();
    for (turn, shape) in SIZES.into_iter().enumerate() {
        let losses = pointwise(REDUCTIONS[turn % 3], 1.0);
        // Between -2 and 2: on both sides of every kink.
        hold(&mut tally, &losses, shape, Values::Scaled(2.0 * (shape[1] as f32).sqrt()));
    }
    tally.conclude(0.05);
}

#[test]
fn a_few_long_rows_and_many_short_ones() {
    let mut tally = Tally::new();
    let long: [Loss; 3] =
        [Huber::default().into(), ElasticNet::default().into(), CrossEntropy::default().into()];
    hold(&mut tally, &long, [3, 1_000_003], Values::Ordinary);
    hold(&mut tally, &pointwise(Reduction::Mean, 1.0), [65_600, 3], Values::Ordinary);
    tally.conclude(0.1);
}

#[test]
fn hard_values() {
    let mut tally = Tally::new();
    let values = [
        Values::Duplicates,
        Values::ZeroRows,
        Values::Mixed,
        Values::Scaled(1e15),
        Values::Scaled(1e30),
        Values::Scaled(1e-15),
        Values::Scaled(1e-25),
        Values::Scaled(1e-40),
    ];
    for values in values {
        for reduction in REDUCTIONS {
            hold(&mut tally, &pointwise(reduction, 1.0), [40, 19], values);
        }
    }
    assert!(tally.overflows() > 0, "squares of 1e30 do not fit into f32");
    tally.conclude(0.3);
}

/// Confident and wrong, confident and right, zeros, and what f32 may flush to 0.
#[test]
fn logits_from_subnormal_to_huge() {
    let magnitudes = [0.0, 1e-40, 1.2e-38, 1e-20, 1e-4, 0.5, 1.0, 17.0, 88.0, 104.0, 1e15, 1e30];
    let logits: Vec<f32> = magnitudes.into_iter().flat_map(|x| [x, -x]).collect();
    let n = logits.len();
    let mut tally = Tally::new();
    for target in [0.0, 1.0, 0.25] {
        let targets = vec![target; n];
        let batch = Batch::pointwise(&logits, [n, 1])
            .and_then(|batch| batch.with_targets(&targets))
            .unwrap();
        for reduction in REDUCTIONS {
            tally.hold(&BinaryCrossEntropy { reduction }.into(), &batch, "logits");
        }
    }
    for shift in 0..n {
        let row: Vec<_> = (0..3 * n).map(|at| logits[(at / 3 + shift * (at % 3)) % n]).collect();
        let labels: Vec<_> = (0..n as u32).map(|row| row % 3).collect();
        let batch = Batch::pointwise(&row, [n, 3]).unwrap();
        tally.hold(&UniformEntropy::default().into(), &batch, "logits");
        tally.hold(&CrossEntropy::default().into(), &batch.with_labels(&labels).unwrap(), "logits");
    }
    tally.conclude(0.1);
}

/// Losses far below the rounding of 1 keep their digits.
#[test]
fn confident_logits_keep_their_digits() {
    let logits = [20.0, 0.0, -1.0, 0.5, 25.0, 0.0];
    let classes =
        Batch::pointwise(&logits, [2, 3]).and_then(|batch| batch.with_labels(&[0, 1])).unwrap();
    let targets = [1.0, 1.0, 0.0, 1.0, 1.0, 0.0];
    let binary =
        Batch::pointwise(&logits, [2, 3]).and_then(|batch| batch.with_targets(&targets)).unwrap();
    for device in one_by_one() {
        for (loss, batch) in [
            (Loss::from(CrossEntropy::default()), classes),
            (BinaryCrossEntropy::default().into(), binary),
        ] {
            let actual = device.context.evaluate(&loss, &batch).wait().unwrap();
            let expected = reference::evaluate(&loss, &batch).unwrap();
            for (actual, expected) in actual.gradient.iter().zip(&expected.gradient) {
                assert!(
                    (f64::from(*actual) - expected).abs() <= 1e-5 * expected.abs(),
                    "{}: {loss:?}",
                    device.name
                );
            }
        }
    }
}

/// A hinge at its kink has derivative 0 and is not a non-zero term; so has |w| at 0.
#[test]
fn kinks_are_decided_as_the_conventions_say() {
    for device in one_by_one() {
        let evaluate = |loss: Loss, values: &[f32], targets: &[f32]| {
            let batch = Batch::pointwise(values, [1, values.len()]).unwrap();
            let batch = if targets.is_empty() { Ok(batch) } else { batch.with_targets(targets) };
            let Evaluation { gradient, nonzero_terms, .. } =
                device.context.evaluate(loss, &batch.unwrap()).wait().unwrap();
            (gradient, nonzero_terms)
        };
        let reduction = Reduction::Sum;
        let at_one = [1.0, -1.0, 0.5];
        assert_eq!(
            evaluate(Hinge { reduction }.into(), &at_one, &[1.0, -1.0, 1.0]),
            (vec![0.0, 0.0, -1.0], 1)
        );
        let delta = 0.5;
        assert_eq!(
            evaluate(Huber { reduction, delta }.into(), &at_one, &[0.5; 3]),
            (vec![0.5, -0.5, 0.0], 2)
        );
        let strength = 0.25;
        assert_eq!(
            evaluate(L1 { reduction, strength }.into(), &[0.0, -0.0, -3.0], &[]),
            (vec![0.0, 0.0, -0.25], 1)
        );
        assert_eq!(evaluate(L1 { reduction, strength: 0.0 }.into(), &[1.0], &[]), (vec![0.0], 0));
        assert_eq!(evaluate(UniformEntropy { reduction }.into(), &[3.0], &[]), (vec![0.0], 0));
    }
}

#[test]
fn every_run_gives_the_same_bits() {
    let sample = Sample::new(recipe([70, 67], Values::Ordinary));
    for device in one_by_one() {
        for loss in pointwise(Reduction::Mean, 1.0) {
            let batch = sample.batches(&loss)[0];
            let run = || device.context.evaluate(&loss, &batch).wait().unwrap();
            assert_eq!(run(), run(), "{}: {loss:?}", device.name);
        }
    }
}

#[test]
fn results_beyond_f32_are_an_overflow() {
    for device in one_by_one() {
        let overflows = |loss: Loss, values: &[f32], what| {
            let batch = Batch::pointwise(values, [1, values.len()]).unwrap();
            let result = device.context.evaluate(&loss, &batch).wait();
            assert_eq!(result.unwrap_err(), Error::Overflow { what }, "{}: {loss:?}", device.name);
        };
        let reduction = Reduction::Sum;
        overflows(L2::default().into(), &[1e30], "the loss");
        overflows(L1 { reduction, strength: 1.0 }.into(), &[3e38, -3e38], "the loss");
        overflows(L2 { reduction, strength: 3e38 }.into(), &[0.9], "the gradient");
    }
}

const VALUES: [f32; 6] = [0.5, -1.0, 2.0, 0.25, 4.0, -0.5];
const SIGNS: [f32; 6] = [1.0, -1.0, 1.0, 1.0, -1.0, -1.0];

fn values() -> Batch<'static> {
    Batch::pointwise(&VALUES, [2, 3]).unwrap()
}

fn unsupported(loss: &Loss, what: &str) -> Error {
    Error::Unsupported {
        of: loss.name(),
        what: what.into(),
        reason: "it does not compare with them".into(),
    }
}

#[test]
fn the_truth_is_given_and_nothing_else() {
    let targets = values().with_targets(&SIGNS).unwrap();
    let labels = values().with_labels(&[2, 0]).unwrap();
    let missing = |what, reason| Err(Error::Missing { what, reason });
    for loss in pointwise(Reduction::Mean, 1.0) {
        let given = [values(), targets, labels].map(|batch| batch.check(&loss));
        let expected = match loss {
            Loss::CrossEntropy(_) => {
                let reason = "the loss compares every row with its class";
                [missing("labels", reason), Err(unsupported(&loss, "targets")), Ok(())]
            }
            Loss::UniformEntropy(_) | Loss::L1(_) | Loss::L2(_) | Loss::ElasticNet(_) => {
                [Ok(()), Err(unsupported(&loss, "targets")), Err(unsupported(&loss, "labels"))]
            }
            _ => {
                let reason = "the loss compares every value, or every pair, with its target";
                [missing("targets", reason), Ok(()), missing("targets", reason)]
            }
        };
        assert_eq!(given, expected, "{loss:?}");
    }
    let rows = Batch::new(&VALUES, [2, 3], &[0, 1]).unwrap();
    assert_eq!(
        rows.with_targets(&SIGNS).unwrap_err(),
        Error::NotInMode { what: "targets", mode: "batch" }
    );
}

#[test]
fn wrong_targets_labels_and_parameters_are_named() {
    let not_finite = |row, column| Error::NotFinite { what: "targets", row, column };
    let targets = [1.0, 1.0, 1.0, 1.0, f32::NAN, 1.0];
    assert_eq!(values().with_targets(&targets).unwrap_err(), not_finite(1, 1));
    let class = Error::LabelOutOfRange { what: "class", row: 1, label: Some(3), limit: 3 };
    assert_eq!(values().with_labels(&[2, 3]).unwrap_err(), class);
    let targets = [1.0, -1.0, 1.0, 1.0, 1.0, 0.0];
    let error =
        values().with_targets(&targets).unwrap().check(&Hinge::default().into()).unwrap_err();
    assert_eq!(error, Error::Target { what: "targets", row: 1, column: 2, allowed: "-1 or +1" });
    assert_eq!(error.to_string(), "targets at row 1, column 2 is not -1 or +1");

    let refused =
        |loss: Loss| matches!(loss.check(&Shape::pointwise(2, 3)), Err(Error::Parameter { .. }));
    for value in [f32::NAN, f32::INFINITY, -1.0] {
        assert!(refused(Huber { delta: value, ..Default::default() }.into()), "{value}");
        assert!(refused(L1 { strength: value, ..Default::default() }.into()), "{value}");
        assert!(refused(L2 { strength: value, ..Default::default() }.into()), "{value}");
        assert!(refused(ElasticNet { l1_strength: value, ..Default::default() }.into()), "{value}");
        assert!(refused(ElasticNet { l2_strength: value, ..Default::default() }.into()), "{value}");
    }
    assert!(refused(Huber { delta: 0.0, ..Default::default() }.into()));
    assert!(!refused(L1 { strength: 0.0, ..Default::default() }.into()));
}

/// A buffer of the caller's.
fn words(context: &Context, words: &[u32]) -> wgpu::Buffer {
    upload(context, bytemuck::cast_slice(words), BufferUsages::STORAGE)
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Runs the loss on buffers that the host has not seen.
fn run(
    context: &Context,
    plan: &wgpu_metric_learning::Plan,
    values: &[f32],
    truth: &[u32],
) -> Result<Evaluation> {
    let (values, truth) = (words(context, &bits(values)), words(context, truth));
    let given = match plan.loss() {
        Loss::CrossEntropy(_) => Input::Labels,
        _ => Input::Targets,
    };
    let inputs = Inputs::unlabelled(&values).with(given, truth.slice(..));
    let binding = plan.bind(&inputs)?;
    let mut encoder =
        context.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    plan.record(&mut encoder, &binding)?;
    let mut pending = plan.read_back(&mut encoder)?;
    context.queue().submit([encoder.finish()]);
    pending.wait(std::time::Duration::from_secs(600))
}

/// More values than a workgroup has in its run.
const ROWS: usize = 3;
const COLUMNS: usize = 5000;

#[test]
fn faults_that_only_the_gpu_sees_are_named() {
    let right = vec![0.5; ROWS * COLUMNS];
    let with = |place: usize, value: f32| {
        let mut values = right.clone();
        values[place] = value;
        values
    };
    let signs = vec![1.0_f32.to_bits(); ROWS * COLUMNS];
    let place = COLUMNS + 4321;
    let not_finite = |what| Error::NotFinite { what, row: 1, column: 4321 };
    for device in one_by_one() {
        let context = &device.context;
        let plan = context.plan(Hinge::default(), Shape::pointwise(ROWS, COLUMNS)).unwrap();
        for poison in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let error = run(context, &plan, &with(place, poison), &signs).unwrap_err();
            assert_eq!(error, not_finite("embeddings"), "{}", device.name);
            let error = run(context, &plan, &right, &bits(&with(place, poison))).unwrap_err();
            assert_eq!(error, not_finite("targets"), "{}", device.name);
        }
        let mut wrong = signs.clone();
        wrong[place] = 0.5_f32.to_bits();
        let error = run(context, &plan, &right, &wrong).unwrap_err();
        assert_eq!(
            error,
            Error::Target { what: "targets", row: 1, column: 4321, allowed: "-1 or +1" }
        );
        // The next recording knows nothing of it.
        assert_eq!(run(context, &plan, &right, &signs).unwrap().loss, 0.5, "{}", device.name);

        let plan = context.plan(CrossEntropy::default(), Shape::pointwise(ROWS, COLUMNS)).unwrap();
        let error = run(context, &plan, &right, &[4999, 0, 5000]).unwrap_err();
        let limit = COLUMNS;
        assert_eq!(
            error,
            Error::LabelOutOfRange { what: "class", row: 2, label: None, limit },
            "{}",
            device.name
        );
        let error = run(context, &plan, &with(place, f32::NAN), &[4999, 0, 1]).unwrap_err();
        assert_eq!(error, not_finite("embeddings"), "{}", device.name);
    }
}

#[test]
fn binding_checks_what_is_given() {
    for device in one_by_one() {
        let context = &device.context;
        let shape = Shape::pointwise(2, 3);
        let (values, labels) = (words(context, &bits(&VALUES)), words(context, &[2, 0]));
        let bind = |loss: Loss, inputs: &Inputs| {
            context.plan(loss, shape).unwrap().bind(inputs).map(|_| ()).unwrap_err()
        };
        let plain = Inputs::unlabelled(&values);
        let reason = "the loss compares every value, or every pair, with its target";
        let missing = Error::Missing { what: "targets", reason };
        assert_eq!(bind(MeanSquaredError::default().into(), &plain), missing, "{}", device.name);
        let loss = Loss::from(L2::default());
        let targets = plain.clone().with(Input::Targets, values.slice(..));
        assert_eq!(bind(loss.clone(), &targets), unsupported(&loss, "targets"), "{}", device.name);
        assert_eq!(
            bind(loss.clone(), &Inputs::new(&values, &labels)),
            unsupported(&loss, "labels"),
            "{}",
            device.name
        );
        let short = plain.with(Input::Targets, labels.slice(..));
        assert!(matches!(
            bind(Hinge::default().into(), &short),
            Error::Buffer { what: "targets", .. }
        ));
    }
}
