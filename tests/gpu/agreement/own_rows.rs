//! References that contain the queries: no row is compared with itself, as in batch mode.

use std::time::Duration;

use support::adapters::contexts;
use support::agreement::Tally;
use support::buffers::upload;
use support::losses::{losses, reach};
use support::sample::Random;
use wgpu::BufferUsages;
use wgpu_metric_learning::measures::Retrieval;
use wgpu_metric_learning::{
    Batch, Clip, Contrastive, Cpu, Distance, Engine, Error, Input, Inputs, Loss, Mode, NtXent,
    Record, Result, Shape, Weighted, reference,
};

const N: usize = 37;
const D: usize = 6;

struct World {
    rows: Vec<f32>,
    labels: Vec<u32>,
}

impl World {
    fn new() -> Self {
        let labels = (0..N as u32).map(|row| row * 7 % 5).collect();
        Self { rows: Random(18).numbers(N * D, 0.8), labels }
    }

    fn batch(&self) -> Batch<'_> {
        Batch::new(&self.rows, [N, D], &self.labels).expect("a valid batch")
    }

    /// The batch of `count` rows from `first` on, against all rows.
    fn gathered(&self, first: usize, count: usize) -> Result<Batch<'_>> {
        Batch::new(
            &self.rows[first * D..][..count * D],
            [count, D],
            &self.labels[first..][..count],
        )?
        .with_references(&self.rows, N, &self.labels)?
        .with_reference_offset(first)
    }
}

/// Every loss over pairs of a batch and of references.
fn losses_of_both() -> impl Iterator<Item = Loss> {
    let all = Distance::ALL.into_iter().flat_map(|distance| {
        let normalize = distance == Distance::InnerProduct;
        losses(distance, normalize, reach(distance, normalize, D, 0.8))
    });
    // No betas are given.
    let has_default = |loss: &Loss| !matches!(loss, Loss::Margin(margin) if margin.beta_per_class);
    all.filter(has_default).filter(|loss| {
        [Mode::Batch, Mode::Reference].iter().all(|mode| loss.modes().contains(mode))
    })
}

#[test]
fn own_rows_against_all_rows_are_those_of_the_reference() {
    let world = World::new();
    let mut tallies = [Tally::new(), Tally::on_cpu(Cpu::default())];
    // A third of the losses; `all_rows_against_themselves` goes through all.
    for (turn, loss) in losses_of_both().step_by(3).enumerate() {
        let (first, count) = [(0, N), (11, 9), (N - 1, 1)][turn % 3];
        let gathered = world.gathered(first, count).expect("own rows");
        tallies.iter_mut().for_each(|tally| tally.hold(&loss, &gathered, "own rows"));
    }
    // Its columns look for themselves among the rows.
    for (first, count) in [(0, N), (11, 9), (N - 1, 1)] {
        let (loss, gathered) = (Clip::default().into(), world.gathered(first, count));
        let gathered = gathered.expect("own rows");
        tallies.iter_mut().for_each(|tally| tally.hold(&loss, &gathered, "own rows"));
    }
    tallies.into_iter().for_each(|tally| tally.conclude(0.02));
}

/// The whole batch against itself is the batch: the loss, and the gradients of a row as query and
/// as reference added up.
#[test]
fn all_rows_against_themselves_are_the_batch() {
    let world = World::new();
    let mut seen = 0;
    for loss in losses_of_both() {
        let whole = reference::evaluate(&loss, &world.batch()).expect("a batch");
        let against = reference::evaluate(&loss, &world.gathered(0, N).unwrap()).expect("own rows");
        let alike = |one: f64, other: f64| (one - other).abs() <= 1e-9 * one.abs().max(1.0);
        assert!(alike(whole.loss, against.loss), "{loss:?}: {} {}", whole.loss, against.loss);
        let references = against.gradient_references.expect("they are not fixed");
        let sums = against.gradient.iter().zip(&references).map(|(query, other)| query + other);
        for (expected, sum) in whole.gradient.iter().zip(sums) {
            assert!(alike(*expected, sum), "{loss:?}: {expected} {sum}");
        }
        seen += 1;
    }
    assert!(seen > 20, "{seen} losses");
}

#[test]
fn measures_do_not_retrieve_the_query_itself() {
    let world = World::new();
    let retrieval = Retrieval::default();
    let hold = |name: &str, engine: Engine| {
        let measure = |batch: &Batch| engine.measure(&retrieval, batch).wait().unwrap();
        assert_eq!(measure(&world.gathered(0, N).unwrap()), measure(&world.batch()));
        let part = world.gathered(9, 12).unwrap();
        let expected = reference::measure_with_bounds(&retrieval, &part).unwrap();
        let comparison = expected.compare(&measure(&part));
        assert!(comparison.agrees(), "{name}\n{comparison}");
        assert!(expected.measures.precision_at_1 < 1.0, "no row finds itself");
    };
    for device in contexts().iter() {
        hold(&device.name, Engine::Gpu(device.context.clone()));
    }
    hold("the CPU engine", Engine::Cpu(Cpu::default()));
}

#[test]
fn objectives_leave_own_rows_out() {
    let world = World::new();
    let against = world.gathered(5, 20).unwrap();
    let losses = || [NtXent::default().into(), Contrastive::default().into()];
    let objective = losses().map(|loss: Loss| Weighted::new(0.5, loss, against));
    let expected = reference::evaluate_objective_with_bounds(&objective).expect("own rows");
    for device in contexts().iter() {
        let actual = device.context.evaluate_objective(&objective).wait().expect("a result");
        let comparison = expected.compare(&actual);
        assert!(comparison.agrees(), "{}\n{comparison}", device.name);
    }
}

/// Rows inside the gathered ones, on the GPU: the plan that is made for them.
#[test]
fn a_plan_takes_the_offset_with_its_shape() {
    let world = World::new();
    let (first, count) = (16, 8);
    let shape = Shape::reference(count, N, D).with_reference_offset(first);
    assert_eq!(shape.reference_offset(), Some(first));
    for device in contexts().iter() {
        let context = &device.context;
        let batch = world.gathered(first, count).unwrap();
        let expected = context.evaluate(NtXent::default(), &batch).wait().unwrap();
        let buffer = |bytes| upload(context, bytes, BufferUsages::STORAGE);
        let [queries, rows] =
            [batch.embeddings(), &world.rows].map(|numbers| buffer(bytemuck::cast_slice(numbers)));
        let [labels, all] =
            [batch.labels(), &world.labels].map(|numbers| buffer(bytemuck::cast_slice(numbers)));
        let inputs = Inputs::new(&queries, &labels)
            .with(Input::References, rows.slice(..))
            .with(Input::ReferenceLabels, all.slice(..));
        let plan = context.plan(NtXent::default(), shape).expect("a plan");
        let binding = plan.bind(&inputs).expect("valid inputs");
        let mut encoder = context.device().create_command_encoder(&Default::default());
        plan.record(&mut encoder, &binding).unwrap();
        let mut pending = plan.read_back(&mut encoder).unwrap();
        context.queue().submit([encoder.finish()]);
        assert_eq!(pending.wait(Duration::from_secs(60)), Ok(expected), "{}", device.name);
    }
}

#[test]
fn offsets_that_leave_queries_without_a_reference_are_refused() {
    let world = World::new();
    let error = world.batch().with_reference_offset(0).unwrap_err();
    assert_eq!(error, Error::NotInMode { what: "reference offset", mode: "batch" });
    for offset in [N - 8, usize::MAX] {
        let shape = Shape::reference(9, N, D).with_reference_offset(offset);
        let error = contexts()[0].context.plan(NtXent::default(), shape).unwrap_err();
        let expected = format!(
            "reference mode: reference_offset is {offset}, allowed is from 0 to the number of \
            references less that of queries"
        );
        assert_eq!(error.to_string(), expected);
    }
}
