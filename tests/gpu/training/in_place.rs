//! Training in place: an embedding of the digits is fitted without anything being read back on the
//! way; what cannot be planned or bound is refused. (The kernels by themselves are held against the
//! reference in `src/gpu/tests/training.rs`.)

use std::time::Duration;

use npyz::NpyFile;
use support::adapters::{Device, contexts, one_by_one};
use support::buffers::upload;
use support::sample::Random;
use wgpu::BufferUsages;
use wgpu_metric_learning::measures::{MeasurePlan, Retrieval};
use wgpu_metric_learning::training::{Adam, Linear, LinearPlan, Optimizer, OptimizerPlan, Sgd};
use wgpu_metric_learning::{Binding, Error, Inputs, Plan, Record, Shape, Triplet};

const IMAGES: &[u8] = include_bytes!("../../../cli/data/digits.npy");
const LABELS: &[u8] = include_bytes!("../../../cli/data/digits-labels.npy");

/// The digits that are trained on, their pixels, and the dimensions that they are projected to.
const LINEAR: Linear = Linear { rows: 192, inputs: 64, outputs: 2 };
const PARAMETERS: usize = LINEAR.inputs * LINEAR.outputs;
const STEPS: u32 = 30;
const TIMEOUT: Duration = Duration::from_secs(60);

fn storage<T: bytemuck::NoUninit>(device: &Device, numbers: &[T]) -> wgpu::Buffer {
    upload(&device.context, bytemuck::cast_slice(numbers), BufferUsages::STORAGE)
}

fn encoder(device: &Device) -> wgpu::CommandEncoder {
    device.context.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
}

fn images() -> Vec<f32> {
    NpyFile::new(IMAGES).and_then(NpyFile::into_vec).expect("the digits are an array")
}

/// Everything that is planned and bound for fitting an embedding.
struct Training<'a> {
    device: &'a Device,
    linear: LinearPlan,
    loss: Plan,
    measures: MeasurePlan,
    optimizer: OptimizerPlan,
    /// What makes a step, in this order, each with its plan.
    forward: Binding,
    embeddings: Binding,
    backward: Binding,
    step: Binding,
    /// The inputs of digits that were not trained on.
    unseen: Binding,
    unseen_embeddings: Binding,
}

impl<'a> Training<'a> {
    fn new(device: &'a Device) -> Self {
        Self::on(device, &images())
    }

    fn on(device: &'a Device, images: &[f32]) -> Self {
        let labels: Vec<u32> =
            NpyFile::new(LABELS).and_then(NpyFile::into_vec).expect("their labels are one");
        let Linear { rows, inputs, outputs } = LINEAR;
        let [seen, unseen] =
            [0, rows].map(|first| storage(device, &images[first * inputs..][..rows * inputs]));
        let [labels, unseen_labels] =
            [0, rows].map(|first| storage(device, &labels[first..][..rows]));
        let weights = storage(device, &Random(3).numbers(PARAMETERS, 0.125));

        let context = &device.context;
        let shape = Shape::batch(rows, outputs);
        let linear = context.plan_linear(LINEAR).expect("valid sizes");
        let loss = context.plan(Triplet::default(), shape).expect("a valid loss");
        let measures = context.plan_measures(&Retrieval::default(), shape).expect("valid measures");
        let adam = Adam { learning_rate: 0.05, ..Default::default() };
        let optimizer = context.plan_optimizer(adam, PARAMETERS).expect("a valid optimiser");
        let bound = "valid buffers";
        Self {
            device,
            forward: linear.bind_forward(seen.slice(..), weights.slice(..)).expect(bound),
            embeddings: loss.bind(&Inputs::new(linear.outputs(), &labels)).expect(bound),
            backward: linear.bind_backward(seen.slice(..), loss.gradient().slice(..)).expect(bound),
            step: optimizer.bind(weights.slice(..), linear.gradient().slice(..)).expect(bound),
            unseen: linear.bind_forward(unseen.slice(..), weights.slice(..)).expect(bound),
            unseen_embeddings: measures
                .bind(&Inputs::new(linear.outputs(), &unseen_labels))
                .expect(bound),
            linear,
            loss,
            measures,
            optimizer,
        }
    }

    fn record_step(&self, encoder: &mut wgpu::CommandEncoder) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        let own = "its own binding";
        self.linear.record_into(&mut pass, &self.forward).expect(own);
        self.loss.record_into(&mut pass, &self.embeddings).expect(own);
        self.linear.record_into(&mut pass, &self.backward).expect(own);
        self.optimizer.record_into(&mut pass, &self.step).expect(own);
    }

    /// The loss of the digits that are trained on, and Precision@1 among the others.
    fn success(&self) -> [f32; 2] {
        let own = "its own binding";
        let mut encoder = encoder(self.device);
        self.linear.record(&mut encoder, &self.forward).expect(own);
        self.loss.record(&mut encoder, &self.embeddings).expect(own);
        self.linear.record(&mut encoder, &self.unseen).expect(own);
        self.measures.record(&mut encoder, &self.unseen_embeddings).expect(own);
        let mut loss = self.loss.read_back(&mut encoder).expect("a read-back");
        let mut measures = self.measures.read_back(&mut encoder).expect("a read-back");
        self.device.context.queue().submit([encoder.finish()]);
        [
            loss.wait(TIMEOUT).expect("a loss").loss,
            measures.wait(TIMEOUT).expect("measures").precision_at_1,
        ]
    }
}

#[test]
fn an_embedding_of_the_digits_is_fitted_in_one_submission() {
    for device in one_by_one() {
        let training = Training::new(&device);
        let before = training.success();
        let mut encoder = encoder(&device);
        (0..STEPS).for_each(|_| training.record_step(&mut encoder));
        let mut pending = training.optimizer.read_back(&mut encoder).expect("a read-back");
        device.context.queue().submit([encoder.finish()]);
        assert_eq!(pending.wait(TIMEOUT), Ok(STEPS), "{}", device.name);

        let after = training.success();
        println!("{}: loss and Precision@1 from {before:?} to {after:?}", device.name);
        assert!(
            after[0] < 0.3 * before[0],
            "{}: the loss fell from {} to {}",
            device.name,
            before[0],
            after[0]
        );
        assert!(
            after[1] > 0.55 && before[1] < 0.45,
            "{}: Precision@1 from {} to {}",
            device.name,
            before[1],
            after[1]
        );

        // Step by step, submitted one by one, the host between them: the same to the bit.
        let again = Training::new(&device);
        for _ in 0..STEPS {
            let mut encoder = self::encoder(&device);
            again.record_step(&mut encoder);
            device.context.queue().submit([encoder.finish()]);
        }
        assert_eq!(again.success().map(f32::to_bits), after.map(f32::to_bits), "{}", device.name);
    }
}

/// The input is found with the embeddings, and every step that it would have spoilt is left out.
#[test]
fn an_input_that_is_not_finite_spoils_no_weight() {
    for device in one_by_one() {
        for planted in [f32::NAN, f32::INFINITY] {
            let mut images = images();
            images[5 * LINEAR.inputs + 7] = planted;
            let training = Training::on(&device, &images);
            let mut encoder = encoder(&device);
            training.record_step(&mut encoder);
            let mut loss = training.loss.read_back(&mut encoder).expect("a read-back");
            let mut steps = training.optimizer.read_back(&mut encoder).expect("a read-back");
            training.linear.record(&mut encoder, &training.unseen).expect("its own binding");
            training
                .measures
                .record(&mut encoder, &training.unseen_embeddings)
                .expect("its own binding");
            let mut measures = training.measures.read_back(&mut encoder).expect("a read-back");
            device.context.queue().submit([encoder.finish()]);
            let found = Error::NotFinite { what: "embeddings", row: 5, column: 0 };
            assert_eq!(loss.wait(TIMEOUT).unwrap_err(), found, "{}", device.name);
            match steps.wait(TIMEOUT).unwrap_err() {
                Error::StepsLeftOut { left_out, steps: 1, .. } => {
                    assert!(left_out >= 2, "{}", device.name)
                }
                other => panic!("{}: {other}", device.name),
            }
            measures.wait(TIMEOUT).expect("weights that are finite");
        }
    }
}

/// What is recorded takes the rate that is set when it is submitted.
#[test]
fn the_learning_rate_may_change_between_submissions() {
    for device in one_by_one() {
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC;
        let parameters = upload(&device.context, bytemuck::cast_slice(&[8.0_f32; 3]), usage);
        let gradient = storage(&device, &[1.0_f32, 2.0, -4.0]);
        let sgd = Sgd { learning_rate: 0.5, ..Default::default() };
        let plan = device.context.plan_optimizer(sgd, 3).expect("a valid optimiser");
        let binding = plan.bind(parameters.slice(..), gradient.slice(..)).expect("valid buffers");
        let staging = device.context.device().create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 12,
            usage: BufferUsages::MAP_READ | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        for rate in [0.5, 0.25, 0.0] {
            let mut encoder = encoder(&device);
            plan.record(&mut encoder, &binding).expect("its own binding");
            encoder.copy_buffer_to_buffer(&parameters, 0, &staging, 0, 12);
            plan.set_learning_rate(rate).expect("a valid rate");
            device.context.queue().submit([encoder.finish()]);
        }
        staging.map_async(wgpu::MapMode::Read, .., |mapped| mapped.expect("it can be mapped"));
        device.context.device().poll(wgpu::PollType::wait_indefinitely()).expect("it is done");
        let bytes = staging.slice(..).get_mapped_range().expect("it is mapped").to_vec();
        assert_eq!(
            bytemuck::pod_collect_to_vec::<u8, f32>(&bytes),
            [7.25, 6.5, 11.0],
            "{}",
            device.name
        );
        assert_eq!(plan.optimizer().learning_rate(), 0.5);
        assert!(matches!(
            plan.set_learning_rate(-1.0),
            Err(Error::Parameter { parameter: "learning_rate", .. })
        ));
    }
}

#[test]
fn parameters_outside_their_range_are_refused() {
    let sgd = Sgd::default;
    let adam = Adam::default;
    let refused: [(Optimizer, _); 8] = [
        (Sgd { learning_rate: -0.1, ..sgd() }.into(), "learning_rate"),
        (Sgd { momentum: 1.0, ..sgd() }.into(), "momentum"),
        (Sgd { weight_decay: f32::NAN, ..sgd() }.into(), "weight_decay"),
        (Adam { learning_rate: f32::INFINITY, ..adam() }.into(), "learning_rate"),
        (Adam { beta_1: -0.1, ..adam() }.into(), "beta_1"),
        (Adam { beta_2: 1.0, ..adam() }.into(), "beta_2"),
        (Adam { epsilon: 1e-16, ..adam() }.into(), "epsilon"),
        (Adam { weight_decay: -1.0, ..adam() }.into(), "weight_decay"),
    ];
    let context = &contexts()[0].context;
    for (optimizer, name) in refused {
        match context.plan_optimizer(optimizer, 1).unwrap_err() {
            Error::Parameter { parameter, .. } => assert_eq!(parameter, name),
            other => panic!("{other}"),
        }
    }
    let error = context.plan_optimizer(sgd(), 0).unwrap_err();
    assert_eq!(error, Error::Empty { what: "the number of parameters" });
    assert!(matches!(context.plan_optimizer(adam(), usize::MAX), Err(Error::TooLarge { .. })));
}

#[test]
fn sizes_of_a_projection_that_cannot_be_computed_are_refused() {
    let context = &contexts()[0].context;
    let refused =
        |rows, inputs, outputs| context.plan_linear(Linear { rows, inputs, outputs }).unwrap_err();
    assert_eq!(refused(0, 1, 1), Error::Empty { what: "the number of rows" });
    assert_eq!(refused(1, 0, 1), Error::Empty { what: "the dimension of the inputs" });
    assert_eq!(refused(1, 1, 0), Error::Empty { what: "the dimension of the outputs" });
    assert!(matches!(refused(usize::MAX, 2, 1), Error::TooLarge { what: "inputs", .. }));
    assert!(matches!(refused(1, 1 << 20, 1 << 20), Error::TooLarge { what: "weights", .. }));
    assert!(matches!(refused(1 << 20, 1, 1 << 20), Error::TooLarge { what: "outputs", .. }));
    let limit = 1_040_000;
    assert!(
        matches!(refused(1, 1 << 20, 1), Error::TooLong { what: "dimensions", limit: l, .. } if l == limit)
    );
    assert!(
        matches!(refused(1 << 20, 1, 1), Error::TooLong { what: "rows", limit: l, .. } if l == limit)
    );
}

#[test]
fn buffers_that_do_not_fit_are_refused() {
    let devices = contexts();
    let device = &devices[0];
    let [good, other, small] = [8, 8, 5].map(|count| storage(device, &vec![0.0_f32; count]));
    let fixed = upload(&device.context, &[0; 32], BufferUsages::COPY_SRC);
    let problem = |error: Error| match error {
        Error::Buffer { what, problem } => (what, problem),
        other => panic!("{other}"),
    };
    let optimizer = device.context.plan_optimizer(Adam::default(), 6).expect("a valid optimiser");
    let refused = |parameters: &wgpu::Buffer, gradient: &wgpu::Buffer| {
        problem(optimizer.bind(parameters.slice(..), gradient.slice(..)).unwrap_err())
    };
    assert_eq!(
        refused(&small, &good),
        ("parameters", "the range has 20 bytes, 24 are needed".into())
    );
    assert_eq!(
        refused(&good, &small),
        ("gradient", "the range has 20 bytes, 24 are needed".into())
    );
    assert_eq!(refused(&good, &good), ("gradient", "it is in the buffer that is written".into()));
    assert!(refused(&fixed, &good).1.contains("STORAGE is needed"));

    let linear =
        device.context.plan_linear(Linear { rows: 4, inputs: 2, outputs: 3 }).expect("valid sizes");
    let forward = |inputs: &wgpu::Buffer, weights: &wgpu::Buffer| {
        problem(linear.bind_forward(inputs.slice(..), weights.slice(..)).unwrap_err())
    };
    assert_eq!(forward(&small, &good), ("inputs", "the range has 20 bytes, 32 are needed".into()));
    assert_eq!(forward(&good, &small), ("weights", "the range has 20 bytes, 24 are needed".into()));
    assert_eq!(
        forward(linear.outputs(), &good),
        ("inputs", "it is in the buffer that is written".into())
    );
    let backward = linear.bind_backward(good.slice(..), other.slice(..)).unwrap_err();
    assert_eq!(
        problem(backward),
        ("output gradient", "the range has 32 bytes, 48 are needed".into())
    );

    // A binding of another plan.
    let binding = optimizer.bind(good.slice(..), other.slice(..)).expect("valid buffers");
    let error = linear.record(&mut encoder(device), &binding).unwrap_err();
    assert_eq!(problem(error), ("binding", "it was made by another plan".into()));
}

#[test]
fn optimizers_are_read_from_json() {
    let adam: Optimizer = serde_json::from_str(r#"{"optimizer": "Adam", "learning_rate": 0.25}"#)
        .expect("valid JSON");
    assert_eq!(adam, Adam { learning_rate: 0.25, ..Default::default() }.into());
    let unknown =
        serde_json::from_str::<Optimizer>(r#"{"optimizer": "Sgd", "nesterov": true}"#).unwrap_err();
    assert!(unknown.to_string().contains("momentum"), "{unknown}");
}
