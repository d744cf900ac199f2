//! Rows that are fields of vertices or particles, with other fields between them, and steps of
//! descent written back to where they came from.

use support::sample::{Sample, Values};
use wgpu_metric_learning::{
    Batch, Contrastive, Error, Evaluation, Input, Inputs, L2, Loss, Mode, NtXent, Output, Outputs,
    Plan, Record, RowLayout, Shape, Triplet, Weighted,
};

use super::caller::{Caller, PATIENCE, POISON, callers, encoder, filled, read};
use super::guest::{Arena, Guest, fullest, sample};

const COLUMNS: usize = 5;
/// A field of a particle of 11 numbers, the fourth of which it begins at.
const FIELD: RowLayout = RowLayout::new(3, 11);
/// Another field of the same particles.
const OTHER_FIELD: RowLayout = RowLayout::new(6, 11);

/// Where the numbers of rows lie.
fn places(rows: usize, columns: usize, layout: RowLayout) -> impl Iterator<Item = usize> {
    (0..rows).flat_map(move |row| {
        let begin = layout.offset as usize + row * layout.stride as usize;
        begin..begin + columns
    })
}

/// Particles with these rows in a field, and poison in all others.
fn particles(rows: &[f32], columns: usize, layout: RowLayout) -> Vec<u32> {
    let count = rows.len() / columns;
    let mut words = vec![POISON; count * layout.stride as usize + layout.offset as usize];
    for (place, value) in places(count, columns, layout).zip(rows) {
        words[place] = value.to_bits();
    }
    words
}

fn run(caller: &Caller, plan: &Plan, inputs: &Inputs, outputs: &Outputs) -> Evaluation {
    let binding = plan.bind_to(inputs, outputs).unwrap();
    let mut encoder = encoder(caller);
    plan.record(&mut encoder, &binding).unwrap();
    let mut pending = plan.read_back(&mut encoder).unwrap();
    caller.queue.submit([encoder.finish()]);
    pending.wait(PATIENCE).unwrap()
}

/// The batches of a loss in every mode that has rows.
fn batches<'a>(sample: &'a Sample, loss: &Loss) -> Vec<Batch<'a>> {
    let batches = sample.batches(loss).into_iter();
    batches.filter(|batch| batch.shape().mode() != Mode::Pointwise).collect()
}

#[test]
fn rows_in_fields_give_the_same_bits() {
    let sample = sample(23, COLUMNS, Values::Ordinary);
    let losses: [Loss; 3] =
        [Contrastive::default().into(), Triplet::default().into(), NtXent::default().into()];
    for caller in callers() {
        for loss in &losses {
            for batch in batches(&sample, loss) {
                let guest = Guest::new(&caller, loss, &batch);
                let expected = guest.run(&caller).unwrap();
                let embeddings = particles(batch.embeddings(), COLUMNS, FIELD);
                let embeddings = filled(&caller.device, &embeddings);
                let mut inputs = guest
                    .arena
                    .inputs()
                    .with(Input::Embeddings, embeddings.slice(..))
                    .with_rows(Input::Embeddings, FIELD);
                let references = particles(batch.references(), COLUMNS, OTHER_FIELD);
                let references = filled(&caller.device, &references);
                if !batch.references().is_empty() {
                    inputs = inputs
                        .with(Input::References, references.slice(..))
                        .with_rows(Input::References, OTHER_FIELD);
                }
                let found = run(&caller, &guest.plan, &inputs, &Outputs::default());
                assert_eq!(found, expected, "{}: {loss:?}, {:?}", caller.name, batch.shape());
            }
        }
    }
}

/// The gradient in another field of the particles that the embeddings are a field of.
#[test]
fn gradients_are_written_to_a_field_and_what_is_between_stays() {
    let sample = sample(23, COLUMNS, Values::Ordinary);
    let loss: Loss = Contrastive::default().into();
    let batch = sample.batches(&loss)[0];
    let rows = RowLayout::new(1, 11);
    let gradients = RowLayout::new(6, 11);
    for caller in callers() {
        let plan = caller.context.plan(&loss, *batch.shape()).unwrap();
        let mut words = particles(batch.embeddings(), COLUMNS, rows);
        let arena = Arena::new(&caller.device, &batch);
        let particles = filled(&caller.device, &words);
        let inputs = arena
            .inputs()
            .with(Input::Embeddings, particles.slice(..))
            .with_rows(Input::Embeddings, rows);
        for factor in [1.0, -0.25] {
            let output = Output::write(particles.slice(..)).in_rows(gradients).scaled(factor);
            let found = run(&caller, &plan, &inputs, &Outputs::gradient(output));
            for (place, value) in places(23, COLUMNS, gradients).zip(&found.gradient) {
                words[place] = (factor * value).to_bits();
            }
            assert!(read(&caller, &particles) == words, "{}: {factor}", caller.name);
        }
    }
}

/// x -= rate * gradient on the embeddings themselves, in tight rows and in a field.
#[test]
fn a_step_of_descent_is_written_onto_the_embeddings() {
    const RATE: f32 = 0.3;
    let sample = sample(23, COLUMNS, Values::Ordinary);
    let loss: Loss = Contrastive::default().into();
    let batch = sample.batches(&loss)[0];
    for caller in callers() {
        let plan = caller.context.plan(&loss, *batch.shape()).unwrap();
        let arena = Arena::new(&caller.device, &batch);
        for layout in [None, Some(FIELD)] {
            let tight = RowLayout::new(0, COLUMNS as u32);
            let words = particles(batch.embeddings(), COLUMNS, layout.unwrap_or(tight));
            let embeddings = filled(&caller.device, &words);
            let mut inputs = arena.inputs().with(Input::Embeddings, embeddings.slice(..));
            let mut step = Output::add_to(embeddings.slice(..)).scaled(-RATE);
            if let Some(layout) = layout {
                inputs = inputs.with_rows(Input::Embeddings, layout);
                step = step.in_rows(layout);
            }
            let mut rows = batch.embeddings().to_vec();
            let mut losses = Vec::new();
            for _ in 0..5 {
                let found = run(&caller, &plan, &inputs, &Outputs::gradient(step.clone()));
                losses.push(found.loss);
                let after = read(&caller, &embeddings);
                let places: Vec<_> = places(23, COLUMNS, layout.unwrap_or(tight)).collect();
                for ((&place, before), gradient) in places.iter().zip(&mut rows).zip(found.gradient)
                {
                    let exact = f64::from(*before) - f64::from(RATE) * f64::from(gradient);
                    let bound = 2f64.powi(-23) * (exact.abs() + f64::from(gradient.abs()));
                    let value = f32::from_bits(after[place]);
                    assert!((f64::from(value) - exact).abs() <= bound, "{}", caller.name);
                    *before = value;
                }
                let others = (0..after.len()).filter(|place| !places.contains(place));
                assert!(others.into_iter().all(|place| after[place] == POISON), "{}", caller.name);
            }
            assert!(losses.is_sorted_by(|one, next| next < one), "{}: {losses:?}", caller.name);
        }
    }
}

#[test]
fn layouts_that_do_not_fit_are_errors() {
    let sample = sample(9, 3, Values::Ordinary);
    let loss: Loss = Contrastive::default().into();
    let batch = sample.batches(&loss)[0];
    for caller in callers() {
        let guest = Guest::new(&caller, &loss, &batch);
        let fails = |inputs: Inputs, outputs: Outputs, expected: &str| {
            let error = guest.plan.bind_to(&inputs, &outputs).unwrap_err();
            assert_eq!(error.to_string(), expected, "{}", caller.name);
        };
        let inputs = || guest.arena.inputs();
        let rows = |input, rows| inputs().with_rows(input, rows);
        let none = Outputs::default;
        fails(
            rows(Input::Embeddings, RowLayout::new(0, 2)),
            none(),
            "buffer embeddings: its rows are 2 numbers apart and have 3",
        );
        fails(
            rows(Input::Embeddings, RowLayout::new(1, 3)),
            none(),
            "buffer embeddings: the range has 108 bytes, 112 are needed",
        );
        fails(
            rows(Input::Embeddings, RowLayout::new(u32::MAX, 3)),
            none(),
            "buffer embeddings: its rows reach to number 4294967322, beyond 2^32",
        );
        fails(
            rows(Input::Labels, RowLayout::new(0, 2)),
            none(),
            "buffer labels: only embeddings and references have rows of a layout",
        );
        let buffer = filled(&caller.device, &[0; 27]);
        let output = || Output::write(buffer.slice(..));
        fails(
            inputs(),
            Outputs::gradient(output().in_rows(RowLayout::new(0, 4))),
            "buffer gradient: the range has 108 bytes, 140 are needed",
        );
        fails(
            inputs(),
            Outputs::gradient(output().scaled(f32::NAN)),
            "buffer gradient: its factor is NaN, not a finite number",
        );

        let weights: Loss = L2::default().into();
        let pointwise = Guest::new(&caller, &weights, &fullest(&sample, &weights));
        let inputs = pointwise.arena.inputs().with_rows(Input::Embeddings, RowLayout::new(0, 3));
        let error = pointwise.plan.bind(&inputs).unwrap_err();
        let what = "embeddings";
        let problem = "a pointwise loss takes its rows one after the other".into();
        assert_eq!(error, Error::Buffer { what, problem }, "{}", caller.name);

        let shape: Shape = *batch.shape();
        let objective = [Weighted::new(1.0, loss.clone(), shape)];
        let plan = caller.context.plan_objective(&objective).unwrap();
        let inputs = guest.arena.inputs().with_rows(Input::Embeddings, RowLayout::new(0, 2));
        let error = plan.bind(&[inputs]).unwrap_err();
        let expected = "buffer embeddings: its rows are 2 numbers apart and have 3";
        assert_eq!(error.to_string(), expected, "{}", caller.name);
    }
}
