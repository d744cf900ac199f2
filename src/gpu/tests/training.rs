//! The optimisers, the linear projection and the perceptron against the reference, and faults planted in their
//! kernels that this comparison has to catch.

use super::{contexts, first_context, with_fault};
use crate::gpu::device::allocate::filled;
use crate::gpu::dispatch::readback::{Field, Pending, Sources};
use crate::gpu::{Context, Options, Record};
use crate::reference::{Comparison, backward, forward, optimize, project, project_back};
use crate::training::{Adam, Linear, Mlp, Optimizer, Sgd};
use crate::{Error, Shape};

/// What storage offsets are multiples of on every device, in numbers.
const ALIGNMENT: usize = 64;

/// Rows, inputs, hidden layers and outputs of perceptrons: around the kernels' tiles of 64 and steps
/// of 16, and layers of one number.
const PERCEPTRONS: [(usize, usize, &[usize], usize); 7] = [
    (1, 1, &[], 1),
    (3, 2, &[1], 2),
    (17, 15, &[16], 17),
    (65, 64, &[63], 2),
    (80, 64, &[128], 16),
    (9, 5, &[33, 7], 3),
    (130, 3, &[4, 5, 6], 66),
];

fn upload(context: &Context, numbers: &[f32]) -> wgpu::Buffer {
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC;
    filled(context, "numbers", bytemuck::cast_slice(numbers), usage).expect("a buffer")
}

/// Submits what is recorded, and reads the buffer back.
fn submit(context: &Context, mut encoder: wgpu::CommandEncoder, buffer: &wgpu::Buffer) -> Vec<f32> {
    let mut sources = Sources::default();
    sources.add(Shape::pointwise(1, 1), [(Field::Gradient, buffer)]);
    let parse = |read: &crate::gpu::dispatch::readback::Read<'_>| {
        Ok(read.staged(0).floats(Field::Gradient).unwrap_or_default())
    };
    let mut pending = Pending::new(context, &mut encoder, sources, parse).expect("a read-back");
    context.queue().submit([encoder.finish()]);
    pending.wait(context.options().timeout).expect("a result")
}

fn encoder(context: &Context) -> wgpu::CommandEncoder {
    context.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
}

/// Numbers between -`magnitude` and `magnitude`, the same on every machine.
fn numbers(count: usize, seed: u64, magnitude: f32) -> Vec<f32> {
    let mut state = seed;
    let mut number = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1 << 23) as f32 - 1.0) * magnitude
    };
    (0..count).map(|_| number()).collect()
}

fn optimizers() -> Vec<Optimizer> {
    let mut all = Optimizer::all();
    let [momentum, weight_decay] = [0.9, 0.01];
    all.push(Sgd { momentum, ..Default::default() }.into());
    all.push(Sgd { learning_rate: 0.3, momentum: 0.5, weight_decay }.into());
    all.push(Adam { weight_decay, ..Default::default() }.into());
    all.push(Adam { beta_1: 0.0, beta_2: 0.0, epsilon: 0.5, ..Default::default() }.into());
    all.push(Adam { beta_1: 0.5, beta_2: 0.99999, epsilon: 1e-15, ..Default::default() }.into());
    all
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

/// The parameters after all steps in one submission.
fn stepped(
    context: &Context,
    optimizer: Optimizer,
    start: &[f32],
    gradients: &[Vec<f32>],
) -> Vec<f32> {
    let plan = context.plan_optimizer(optimizer, start.len()).expect("a valid optimiser");
    let parameters = upload(context, start);
    let pitch = start.len().next_multiple_of(ALIGNMENT);
    let mut all = vec![0.0; pitch * gradients.len()];
    all.chunks_mut(pitch)
        .zip(gradients)
        .for_each(|(place, gradient)| place[..start.len()].copy_from_slice(gradient));
    let all = upload(context, &all);
    let mut encoder = encoder(context);
    for step in 0..gradients.len() as u64 {
        let gradient = all.slice(step * pitch as u64 * 4..);
        let binding = plan.bind(parameters.slice(..), gradient).expect("valid buffers");
        plan.record(&mut encoder, &binding).expect("its own binding");
    }
    submit(context, encoder, &parameters)
}

fn compare_steps(
    context: &Context,
    optimizer: Optimizer,
    parameters: usize,
    steps: usize,
) -> Comparison {
    let start = numbers(parameters, 77, 1.0);
    let gradients = gradients(parameters, steps);
    let slices: Vec<_> = gradients.iter().map(Vec::as_slice).collect();
    let expected = optimize(optimizer, &start, &slices).expect("valid parameters");
    let actual = stepped(context, optimizer, &start, &gradients);
    assert_eq!(
        bits(&actual),
        bits(&stepped(context, optimizer, &start, &gradients)),
        "other bits in the second run"
    );
    expected.compare(&actual)
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

/// Compares both ways through a projection with the reference.
fn compare_linear(context: &Context, linear: Linear, magnitude: f32) -> [Comparison; 2] {
    let Linear { rows, inputs: dimensions, outputs } = linear;
    let inputs = numbers(rows * dimensions, 1, magnitude);
    let weights = numbers(dimensions * outputs, 2, 1.0);
    let slopes = numbers(rows * outputs, 3, 1.0);
    let plan = context.plan_linear(linear).expect("valid sizes");
    let [of_inputs, of_weights, of_slopes] =
        [&inputs, &weights, &slopes].map(|numbers| upload(context, numbers));
    let run = || {
        let forward =
            plan.bind_forward(of_inputs.slice(..), of_weights.slice(..)).expect("valid buffers");
        let backward =
            plan.bind_backward(of_inputs.slice(..), of_slopes.slice(..)).expect("valid buffers");
        [(&forward, plan.outputs()), (&backward, plan.gradient())].map(|(binding, result)| {
            let mut encoder = encoder(context);
            plan.record(&mut encoder, binding).expect("its own binding");
            submit(context, encoder, result)
        })
    };
    let [outputs, gradient] = run();
    assert_eq!(
        [&outputs, &gradient].map(|found| bits(found)),
        run().map(|found| bits(&found)),
        "{linear:?}"
    );
    let expected = project(&linear, &inputs, &weights).expect("valid sizes");
    let expected_gradient = project_back(&linear, &inputs, &slopes).expect("valid sizes");
    [expected.compare(&outputs), expected_gradient.compare(&gradient)]
}

/// Compares both ways through a perceptron with the reference.
fn compare_mlp(context: &Context, mlp: &Mlp, rows: usize, magnitude: f32) -> [Comparison; 2] {
    let inputs = numbers(rows * mlp.inputs, 1, magnitude);
    let parameters = mlp.initial_parameters(7).expect("valid sizes");
    let slopes = numbers(rows * mlp.outputs, 3, 1.0);
    let plan = context.plan_mlp(mlp.clone(), rows).expect("valid sizes");
    let [of_inputs, of_parameters, of_slopes] =
        [&inputs, &parameters, &slopes].map(|numbers| upload(context, numbers));
    let forth = plan.bind_forward(of_inputs.slice(..), of_parameters.slice(..));
    let back =
        plan.bind_backward(of_inputs.slice(..), of_parameters.slice(..), of_slopes.slice(..));
    let bindings = [forth, back].map(|binding| binding.expect("valid buffers"));
    let run = || {
        [plan.outputs(), plan.gradient()].map(|result| {
            let mut encoder = encoder(context);
            for binding in &bindings {
                plan.record(&mut encoder, binding).expect("its own binding");
            }
            submit(context, encoder, result)
        })
    };
    let [outputs, gradient] = run();
    assert_eq!([&outputs, &gradient].map(|found| bits(found)), run().map(|found| bits(&found)));
    let expected = forward(mlp, rows, &inputs, &parameters).expect("valid sizes");
    let expected_gradient =
        backward(mlp, rows, &inputs, &parameters, &slopes).expect("valid sizes");
    [expected.compare(&outputs), expected_gradient.compare(&gradient)]
}

#[test]
fn every_optimizer_agrees_on_every_adapter() {
    for context in contexts(Options::default()) {
        for optimizer in optimizers() {
            for [parameters, steps] in [[1, 3], [255, 1], [256, 2], [257, 40]] {
                let comparison = compare_steps(&context, optimizer, parameters, steps);
                assert!(
                    comparison.agrees(),
                    "{optimizer:?}, {parameters} parameters, {steps} steps\n{comparison}"
                );
            }
        }
    }
}

/// The moments forget what is 1 / (1 - beta) steps old; their errors have to as well.
#[test]
fn the_bounds_stay_narrow_over_a_thousand_steps() {
    let context = &first_context(Options::default());
    for optimizer in Optimizer::all() {
        let comparison = compare_steps(context, optimizer, 21, 1000);
        assert!(comparison.agrees(), "{optimizer:?}\n{comparison}");
        let start = numbers(21, 77, 1.0);
        let gradients = gradients(21, 1000);
        let slices: Vec<_> = gradients.iter().map(Vec::as_slice).collect();
        let expected = optimize(optimizer, &start, &slices).expect("valid parameters");
        for (at, bound) in expected.bounds.iter().enumerate() {
            let moved = (expected.numbers[at] - f64::from(start[at])).abs();
            assert!(
                *bound < 1e-2 * moved.max(0.1),
                "{optimizer:?}: {bound:.1e} of {moved:.1e} at {at}"
            );
        }
    }
}

#[test]
fn both_ways_of_a_projection_agree_on_every_adapter() {
    const SIZES: [[usize; 3]; 9] = [
        [1, 1, 1],
        [3, 2, 1],
        [15, 16, 17],
        [63, 65, 64],
        [64, 15, 65],
        [65, 64, 63],
        [129, 7, 2],
        [2, 130, 129],
        [1, 5000, 3],
    ];
    for context in contexts(Options::default()) {
        for ([rows, inputs, outputs], magnitude) in
            SIZES.into_iter().zip([1.0, 1e-20, 1e15].into_iter().cycle())
        {
            let linear = Linear { rows, inputs, outputs };
            for comparison in compare_linear(&context, linear, magnitude) {
                assert!(comparison.agrees(), "{linear:?}\n{comparison}");
                let bound = comparison.worst().bound;
                let largest = f64::from(magnitude) * rows.max(inputs) as f64;
                assert!(bound < 2e-6 * largest, "{linear:?}: a wide bound\n{comparison}");
            }
        }
    }
}

#[test]
fn both_ways_of_a_perceptron_agree_on_every_adapter() {
    for context in contexts(Options::default()) {
        for (rows, inputs, hidden, outputs) in PERCEPTRONS {
            let mlp = Mlp { inputs, hidden: hidden.to_vec(), outputs };
            for magnitude in [1.0, 1e-30, 1e10] {
                for comparison in compare_mlp(&context, &mlp, rows, magnitude) {
                    assert!(comparison.agrees(), "{mlp:?}, {rows} rows\n{comparison}");
                }
            }
        }
    }
}

#[test]
fn buffers_that_a_perceptron_cannot_take_are_refused() {
    let context = first_context(Options::default());
    let mlp = Mlp { inputs: 4, hidden: vec![8], outputs: 2 };
    let plan = context.plan_mlp(mlp.clone(), 16).expect("valid sizes");
    let [inputs, parameters, slopes] = [64, mlp.parameters(), 32].map(|count| vec![0.0; count]);
    let [inputs, parameters, slopes] =
        [inputs, parameters, slopes].map(|numbers| upload(&context, &numbers));
    let refused = |binding: crate::Result<crate::Binding>| match binding {
        Err(Error::Buffer { what, .. }) => what,
        other => panic!("{other:?}"),
    };
    let [of_inputs, of_parameters] = [inputs.slice(..), parameters.slice(..)];
    assert_eq!(refused(plan.bind_forward(slopes.slice(..), of_parameters)), "inputs");
    assert_eq!(refused(plan.bind_forward(of_inputs, slopes.slice(..))), "parameters");
    assert_eq!(refused(plan.bind_forward(of_inputs, plan.outputs().slice(..))), "parameters");
    let own = plan.gradient().slice(..);
    assert_eq!(refused(plan.bind_backward(of_inputs, own, slopes.slice(..))), "parameters");
    assert_eq!(refused(plan.bind_backward(of_inputs, of_parameters, own)), "output gradient");
    let none = Mlp { outputs: 0, ..mlp.clone() };
    assert!(matches!(context.plan_mlp(none, 16), Err(Error::Empty { .. })));
    let long = Mlp { inputs: 1 << 21, ..mlp };
    assert!(matches!(context.plan_mlp(long, 1), Err(Error::TooLong { .. })));
}

/// Some drivers stop long loops in silence.
#[test]
fn the_longest_sums_are_whole() {
    const LIMIT: usize = 1_040_000;
    for context in contexts(Options::default()) {
        let linear = Linear { rows: 1, inputs: LIMIT, outputs: 1 };
        let plan = context.plan_linear(linear).expect("as long as it may be");
        let [inputs, weights] = [1.0, 0.5].map(|number| upload(&context, &vec![number; LIMIT]));
        let binding =
            plan.bind_forward(inputs.slice(..), weights.slice(..)).expect("valid buffers");
        let mut encoder = encoder(&context);
        plan.record(&mut encoder, &binding).expect("its own binding");
        assert_eq!(submit(&context, encoder, plan.outputs()), [0.5 * LIMIT as f32]);
    }
}

/// A line of a kernel and what it is replaced with.
const FAULTS: &[(&str, &str, &str)] = &[
    (
        "training/sgd.wgsl",
        "settings.momentum * velocities[index] + g",
        "settings.momentum * velocities[index] - g",
    ),
    ("training/sgd.wgsl", "velocities[index] = velocity;", "velocities[index] = g;"),
    ("training/sgd.wgsl", "slope + settings.weight_decay * w", "slope"),
    ("training/adam.wgsl", "betas * earlier", "betas.yx * earlier"),
    ("training/adam.wgsl", "progress.means_of_one, vec2(1.0)", "progress.means_of_one, vec2(1.01)"),
    ("training/adam.wgsl", "moment / progress.means_of_one", "moment"),
    ("training/adam.wgsl", "sqrt(mean.y) + settings.epsilon", "sqrt(mean.y + settings.epsilon)"),
    ("training/adam.wgsl", "moments[index] = moment;", "moments[index] = vec2(g, g * g);"),
    ("training/linear.wgsl", "vec2(k, row)", "vec2(k, row / 2u * 2u)"),
    ("training/linear.wgsl", "part(k + 3u, invocation)", "part(k + 2u, invocation)"),
    ("training/linear.wgsl", "first < size.summands", "first + STEP < size.summands"),
    ("training/linear.wgsl", "column + 3u, values.w", "column + 3u, values.z"),
    ("training/linear.wgsl", "max(left[at], 0.0)", "abs(left[at])"),
    ("training/linear.wgsl", "select(number, 1.0, is_one)", "number"),
    (
        "training/linear.wgsl",
        "select(vec2(row, k), vec2(k, row)",
        "select(vec2(row, k), vec2(row, k)",
    ),
    ("training/linear.wgsl", "size.right_begin + place", "place"),
    ("training/linear.wgsl", "size.product_begin + row", "row"),
    ("training/linear.wgsl", "column * size.summands + k", "k * size.columns + column"),
    ("training/rectified.wgsl", "values[index] <= 0.0", "values[index] <= -1.0"),
];

/// Whether everything that the faults are in agrees.
fn agrees(context: &Context) -> bool {
    let steps =
        optimizers().into_iter().all(|optimizer| compare_steps(context, optimizer, 9, 5).agrees());
    let linear = Linear { rows: 20, inputs: 37, outputs: 8 };
    let mlp = Mlp { inputs: 9, hidden: vec![20, 7], outputs: 3 };
    steps
        && compare_linear(context, linear, 1.0).iter().all(Comparison::agrees)
        && compare_mlp(context, &mlp, 12, 1.0).iter().all(Comparison::agrees)
}

#[test]
fn planted_faults_are_caught() {
    let context = first_context(Options::default());
    assert!(agrees(&context));
    for &(path, text, fault) in FAULTS {
        let is_missed = with_fault([&context], [path, text, fault], || agrees(&context));
        assert!(!is_missed, "{path}: `{fault}` is not noticed");
    }
}

/// Every step leaves other parameters out, for a gradient or for what would come of it.
#[test]
fn what_is_not_finite_is_left_out_and_counted() {
    let start = [1.0, 2.0, 3.0, f32::MAX, 5.0];
    let gradients: [[f32; 5]; 3] = [
        [f32::NAN, 1.0, 1.0, 1.0, 1.0],
        [1.0, f32::INFINITY, f32::NEG_INFINITY, -f32::MAX, 1.0],
        [1.0, 1.0, 1.0, 1.0, f32::from_bits(0xffff_ffff)],
    ];
    for context in contexts(Options::default()) {
        for optimizer in [
            Optimizer::from(Sgd { learning_rate: 1.0, ..Default::default() }),
            Adam::default().into(),
        ] {
            let plan = context.plan_optimizer(optimizer, 5).expect("a valid optimiser");
            let parameters = upload(&context, &start);
            let bindings = gradients.map(|gradient| {
                let gradient = upload(&context, &gradient);
                plan.bind(parameters.slice(..), gradient.slice(..)).expect("valid buffers")
            });
            let mut encoder = encoder(&context);
            bindings
                .iter()
                .for_each(|binding| plan.record(&mut encoder, binding).expect("its own binding"));
            let mut pending = plan.read_back(&mut encoder).expect("a read-back");
            let actual = submit(&context, encoder, &parameters);
            let slices: Vec<_> = gradients.iter().map(|gradient| gradient.as_slice()).collect();
            let comparison =
                optimize(optimizer, &start, &slices).expect("valid parameters").compare(&actual);
            assert!(comparison.agrees(), "{optimizer:?}\n{comparison}");
            let error = pending.wait(context.options().timeout).unwrap_err();
            assert_eq!(
                error,
                Error::StepsLeftOut { left_out: 5, first: 0, steps: 3 },
                "{optimizer:?}"
            );

            // What was forgotten is no fault of what comes after it.
            let mut encoder = self::encoder(&context);
            plan.reset(&mut encoder);
            let mut pending = plan.read_back(&mut encoder).expect("a read-back");
            let kept = submit(&context, encoder, &parameters);
            assert_eq!(pending.wait(context.options().timeout), Ok(0));
            assert_eq!(bits(&kept), bits(&actual));
        }
    }
}
