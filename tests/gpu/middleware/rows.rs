//! Fewer rows than planned, as many as a buffer of the caller's says: to the bit what a plan for
//! that many gives.

use support::sample::Values;
use wgpu_metric_learning::measures::Retrieval;
use wgpu_metric_learning::{
    Arithmetic, Batch, Binding, Context, Contrastive, Count, Distance, Error, Evaluation, Inputs,
    Loss, Mining, Mode, NtXent, Options, Output, Outputs, Plan, Record, Result, Shape, Triplet,
    Weighted, reference,
};

use super::caller::{Caller, PATIENCE, callers, encoder, filled, read};
use super::guest::{Arena, every_loss, sample};

/// Rows that plans are made for: more than a tile.
const N: usize = 70;
const M: usize = 19;
const D: usize = 6;
/// Rows that recordings have: 1, all, and those around the steps of the gradient's sums and tiles.
const ROWS: [usize; 6] = [1, 2, 17, 64, 65, N];
const EXPANDED_ROWS: [usize; 2] = [33, 65];
/// Rows that plans of several stripes are made for, and that recordings have, which need fewer.
const CUT_N: usize = 200;
const CUT_ROWS: [usize; 2] = [129, 150];

/// A shape with so many of the planned rows, references and listed entries.
fn resized(shape: &Shape, [rows, references, listed]: [usize; 3]) -> Shape {
    let d = shape.dimensions();
    let resized = match shape.mode() {
        Mode::Batch => Shape::batch(rows, d),
        Mode::Reference => Shape::reference(rows, references, d),
        Mode::Prototypes => Shape::prototypes(rows, shape.references(), d),
        Mode::Scores => Shape::scores(rows, d),
        Mode::PairRows => Shape::pair_rows(rows, d),
        Mode::PairIndices => Shape::pair_indices(rows, d, listed),
        Mode::ScoredPairRows => Shape::scored_pair_rows(rows, d),
        Mode::ScoredPairIndices => Shape::scored_pair_indices(rows, d, listed),
        Mode::Triplets => Shape::triplets(rows, d, listed),
        _ => Shape::pointwise(rows, d),
    };
    let resized = resized.with_betas(shape.betas());
    let resized = if shape.has_scale() { resized.with_scale() } else { resized };
    if shape.has_bias() { resized.with_bias() } else { resized }
}

fn lists_indices(mode: Mode) -> bool {
    matches!(mode, Mode::PairIndices | Mode::ScoredPairIndices | Mode::Triplets)
}

/// The counts of `rows` of so many, and of everything else in proportion. Lists name every row, so
/// that all of those stay.
fn sizes_for(shape: &Shape, rows: usize, planned: usize) -> [usize; 3] {
    let share = |count: usize| (count * rows).div_ceil(planned).max(1);
    let rows = if lists_indices(shape.mode()) { shape.queries() } else { share(shape.queries()) };
    [rows, share(shape.references()), share(shape.listed())]
}

/// Numbers of rows, references and listed entries in a buffer of the caller's.
struct Numbers(wgpu::Buffer);

impl Numbers {
    fn new(caller: &Caller, numbers: [u32; 3]) -> Self {
        let mut words = vec![0; 192];
        (0..3).for_each(|at| words[at * 64] = numbers[at]);
        Self(filled(&caller.device, &words))
    }

    fn given<'a>(&'a self, shape: &Shape, inputs: Inputs<'a>) -> Inputs<'a> {
        let number = |at: u64| self.0.slice(at * 256..at * 256 + 4);
        let inputs = inputs.with_count(Count::Rows, number(0));
        match shape.mode() {
            Mode::Reference => inputs.with_count(Count::ReferenceRows, number(1)),
            mode if lists_indices(mode) => inputs.with_count(Count::Listed, number(2)),
            _ => inputs,
        }
    }
}

fn run(caller: &Caller, plan: &Plan, binding: &Binding) -> Result<Evaluation> {
    let mut encoder = encoder(caller);
    plan.record(&mut encoder, binding)?;
    let mut pending = plan.read_back(&mut encoder)?;
    caller.queue.submit([encoder.finish()]);
    pending.wait(PATIENCE)
}

/// The caller's device in a context with these options.
fn configured(caller: &Caller, options: Options, how: &str) -> Caller {
    let context = Context::configured(&caller.device, &caller.queue, options).unwrap();
    Caller { context, name: format!("{}, {how}", caller.name), ..caller.clone() }
}

/// A workspace for 64 rows of a matrix: several stripes, of which some are beyond the rows; and
/// dispatches that are split.
fn narrow(caller: &Caller) -> Caller {
    let options = Options::default()
        .with_workspace_bytes(64 * CUT_N as u64 * 8)
        .with_operations_per_dispatch(1 << 16);
    configured(caller, options, "narrow")
}

/// Distances whose centre and squares are of the rows that there are.
fn expanded(caller: &Caller) -> Caller {
    let options = Options::default().with_arithmetic(Arithmetic::Expanded);
    configured(caller, options, "expanded")
}

fn can_be_expanded(loss: &Loss, shape: &Shape) -> bool {
    let is_euclidean =
        matches!(loss.distance(), Some(Distance::Euclidean | Distance::SquaredEuclidean));
    is_euclidean && matches!(shape.mode(), Mode::Batch | Mode::Reference)
}

/// The gradient beyond the rows that there are.
fn surplus(caller: &Caller, plan: &Plan, rows: usize) -> Vec<u32> {
    read(caller, plan.gradient()).split_off(rows * plan.shape().dimensions())
}

#[test]
fn every_loss_on_fewer_rows_is_that_of_a_plan_for_them() {
    let [few, many] = [N, CUT_N].map(|rows| sample(rows, D, Values::Ordinary));
    for (nth, wide) in callers().iter().enumerate() {
        // The host cuts, and expanded distances are of the same sizes: one adapter shows it, and how
        // many rows there can be.
        let rows = if nth == 0 { &ROWS[..] } else { &ROWS[2..4] };
        let others = (nth == 0).then(|| (narrow(wide), expanded(wide)));
        for loss in every_loss() {
            for batch in few.batches(&loss) {
                hold(wide, &loss, &batch, N, rows);
                if let Some((_, expanded)) = &others {
                    if can_be_expanded(&loss, batch.shape()) {
                        hold(expanded, &loss, &batch, N, &EXPANDED_ROWS);
                    }
                }
            }
            if let Some((narrow, _)) = &others {
                many.batches(&loss).iter().for_each(|b| hold(narrow, &loss, b, CUT_N, &CUT_ROWS));
            }
        }
    }
}

/// A plan for so many rows gives for fewer what one for these gives, 0 beyond them, and for all of
/// them what the host's inputs give.
fn hold(caller: &Caller, loss: &Loss, batch: &Batch, planned: usize, all_rows: &[usize]) {
    let shape = *batch.shape();
    let arena = Arena::new(&caller.device, batch);
    let plan = caller.context.plan(loss, shape).unwrap();
    for &rows in all_rows {
        let what = format!("{}: {rows} rows of {loss:?} in {:?}", caller.name, shape.mode());
        let sizes = sizes_for(&shape, rows, planned);
        let exact = caller.context.plan(loss, resized(&shape, sizes)).unwrap();
        let expected = run(caller, &exact, &exact.bind(&arena.inputs()).unwrap());
        assert!(expected.is_ok(), "{what}: {expected:?}");
        let numbers = Numbers::new(caller, sizes.map(|size| size as u32));
        let inputs = plan.bind(&numbers.given(&shape, arena.inputs())).unwrap();
        assert_eq!(run(caller, &plan, &inputs), expected, "{what}");
        assert!(surplus(caller, &plan, sizes[0]).iter().all(|&word| word == 0), "{what}");
    }
    let expected = caller.context.evaluate(loss, batch).wait();
    let found = run(caller, &plan, &plan.bind(&arena.inputs()).unwrap());
    assert_eq!(found, expected, "{}", caller.name);
    arena.is_untouched(caller);
}

/// The slices of a gradient, which plans for GPUs have, are as long as those of the plan: within the
/// bounds of the rows, not to the bit. In one stripe and in several.
#[test]
fn slices_of_fewer_rows_agree() {
    const PLANNED: usize = 600;
    let sample = sample(PLANNED, D, Values::Ordinary);
    let of_gpu = Options::default().with_planned_for(wgpu::DeviceType::DiscreteGpu);
    let cut = of_gpu.clone().with_workspace_bytes(8 * 64 * PLANNED as u64);
    for options in [of_gpu, cut] {
        let caller = &configured(&callers()[0], options, "sliced");
        let all = Triplet { mining: Mining::All, ..Triplet::default() };
        for loss in [Contrastive::default().into(), all.into(), NtXent::default().into()] {
            let loss: Loss = loss;
            let whole = sample.batches(&loss)[0];
            let arena = Arena::new(&caller.device, &whole);
            let plan = caller.context.plan(&loss, *whole.shape()).unwrap();
            for rows in [2, 100, 333] {
                let (embeddings, labels) =
                    (&whole.embeddings()[..rows * D], &whole.labels()[..rows]);
                let batch = Batch::new(embeddings, [rows, D], labels).unwrap();
                let numbers = Numbers::new(caller, [rows as u32, 0, 0]);
                let inputs = numbers.given(whole.shape(), arena.inputs());
                let found = run(caller, &plan, &plan.bind(&inputs).unwrap()).unwrap();
                let expected = reference::evaluate_with_bounds(&loss, &batch).unwrap();
                let comparison = expected.compare(&found);
                assert!(comparison.agrees(), "{rows} rows of {loss:?}:\n{comparison}");
                assert!(surplus(caller, &plan, rows).iter().all(|&word| word == 0), "{rows} rows");
            }
        }
    }
}

#[test]
fn recordings_of_several_sizes_in_one_submission() {
    let sample = sample(N, D, Values::Ordinary);
    let loss: Loss = Contrastive::default().into();
    for caller in callers() {
        for batch in sample.batches(&loss) {
            let shape = *batch.shape();
            let arena = Arena::new(&caller.device, &batch);
            let plan = caller.context.plan(&loss, shape).unwrap();
            let sizes = [33, N, 2].map(|rows| sizes_for(&shape, rows, N));
            let numbers = sizes.map(|sizes| Numbers::new(&caller, sizes.map(|size| size as u32)));
            let mut bindings: Vec<_> = numbers
                .iter()
                .map(|numbers| plan.bind(&numbers.given(&shape, arena.inputs())).unwrap())
                .collect();
            // One without a number, after one with.
            bindings.insert(1, plan.bind(&arena.inputs()).unwrap());
            let mut encoder = encoder(&caller);
            let pending: Vec<_> = bindings
                .iter()
                .map(|binding| {
                    plan.record(&mut encoder, binding).unwrap();
                    plan.read_back(&mut encoder).unwrap()
                })
                .collect();
            caller.queue.submit([encoder.finish()]);
            let all = [shape.queries(), shape.references(), shape.listed()];
            for (mut pending, sizes) in pending.into_iter().zip([sizes[0], all, sizes[1], sizes[2]])
            {
                let exact = caller.context.plan(&loss, resized(&shape, sizes)).unwrap();
                let expected = run(&caller, &exact, &exact.bind(&arena.inputs()).unwrap());
                assert_eq!(pending.wait(PATIENCE), expected, "{}: {sizes:?}", caller.name);
            }
        }
    }
}

#[test]
fn no_row_and_more_than_planned_are_errors() {
    let sample = sample(N, D, Values::Ordinary);
    let loss: Loss = Contrastive::default().into();
    let all = [N as u32, M as u32, 1];
    let beyond = |what, count: u32, limit| Error::BeyondPlan { what, count: count as usize, limit };
    let cases = [
        (0, 0, Error::Empty { what: "the number of embeddings" }),
        (0, N as u32 + 1, beyond("rows", N as u32 + 1, N)),
        (0, u32::MAX, beyond("rows", u32::MAX, N)),
        (1, 0, Error::Empty { what: "the number of references" }),
        (1, u32::MAX, beyond("reference rows", u32::MAX, M)),
    ];
    for caller in callers() {
        let batch = sample
            .batches(&loss)
            .into_iter()
            .find(|batch| batch.shape().mode() == Mode::Reference)
            .unwrap();
        let expected = caller.context.evaluate(&loss, &batch).wait();
        let arena = Arena::new(&caller.device, &batch);
        let plan = caller.context.plan(&loss, *batch.shape()).unwrap();
        let gradient = filled(&caller.device, &vec![1.0_f32.to_bits(); N * D]);
        let outputs = Outputs::gradient(Output::add_to(gradient.slice(..)));
        for (at, number, error) in &cases {
            let mut numbers = all;
            numbers[*at] = *number;
            let numbers = Numbers::new(&caller, numbers);
            let binding =
                plan.bind_to(&numbers.given(batch.shape(), arena.inputs()), &outputs).unwrap();
            assert_eq!(run(&caller, &plan, &binding).as_ref(), Err(error), "{}", caller.name);
            assert_eq!(
                run(&caller, &plan, &plan.bind(&arena.inputs()).unwrap()),
                expected,
                "{}",
                caller.name
            );
        }
        assert!(
            read(&caller, &gradient).iter().all(|&word| word == 1.0_f32.to_bits()),
            "{}",
            caller.name
        );

        let batch = &sample.batches(&loss)[0];
        let arena = Arena::new(&caller.device, batch);
        let plan = caller.context.plan(&loss, *batch.shape()).unwrap();
        let numbers = Numbers::new(&caller, all);
        let inputs = arena.inputs().with_count(Count::ReferenceRows, numbers.0.slice(..4));
        assert_eq!(plan.bind(&inputs).unwrap_err(), Error::NotTaken { what: "reference rows" });
    }
}

#[test]
fn objectives_and_measures_take_fewer_rows_too() {
    let sample = sample(N, D, Values::Ordinary);
    let losses: [Loss; 2] =
        [Contrastive::default().into(), wgpu_metric_learning::SupCon::default().into()];
    let batch = sample.batches(&losses[0])[0];
    let retrieval = Retrieval { recall_at: vec![1, 8], ..Retrieval::default() };
    let objective = |shape| losses.clone().map(|loss| Weighted::new(0.5, loss, shape));
    for caller in callers() {
        let arena = Arena::new(&caller.device, &batch);
        for rows in [1, 17, 65] {
            let numbers = Numbers::new(&caller, [rows as u32, 0, 0]);
            let evaluate = |shape, inputs: Inputs| {
                let plan = caller.context.plan_objective(&objective(shape)).unwrap();
                let binding = plan.bind(&[inputs]).unwrap();
                let mut encoder = encoder(&caller);
                plan.record(&mut encoder, &binding).unwrap();
                let mut pending = plan.read_back(&mut encoder).unwrap();
                caller.queue.submit([encoder.finish()]);
                pending.wait(PATIENCE).unwrap()
            };
            let measure = |shape, inputs: Inputs| {
                let plan = caller.context.plan_measures(&retrieval, shape).unwrap();
                let binding = plan.bind(&inputs).unwrap();
                let mut encoder = encoder(&caller);
                plan.record(&mut encoder, &binding).unwrap();
                let mut pending = plan.read_back(&mut encoder).unwrap();
                caller.queue.submit([encoder.finish()]);
                pending.wait(PATIENCE).unwrap()
            };
            let [exact, planned] = [Shape::batch(rows, D), *batch.shape()];
            let inputs = || numbers.given(&planned, arena.inputs());
            let expected = evaluate(exact, arena.inputs());
            assert_eq!(evaluate(planned, inputs()), expected, "{}: {rows} rows", caller.name);
            let expected = measure(exact, arena.inputs());
            assert_eq!(measure(planned, inputs()), expected, "{}: {rows} rows", caller.name);
        }
    }
}
