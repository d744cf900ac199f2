//! Gradients in buffers of the caller's.

use support::sample::{Sample, Values};
use wgpu_metric_learning::{
    Batch, Contrastive, Error, Input, Loss, Output, Outputs, Plan, Record, Result, Triplet,
    Weighted,
};

use super::caller::{Caller, POISON, USAGE, callers, encoder, filled, poison, read};
use super::guest::{Arena, Guest, every_loss, everything, fullest, sample};

/// Numbers before and behind each range, which is aligned to as many.
const GUARD: usize = 64;
/// What ranges hold that are added to.
const START: f32 = 0.375;

/// Room for the four gradients that a plan has at most in one buffer, each between guards.
struct Room {
    buffer: wgpu::Buffer,
    /// First number and length of each.
    places: [(usize, usize); 4],
}

impl Room {
    fn new(caller: &Caller, plan: &Plan) -> Self {
        let learned = plan.gradient_beta().or(plan.gradient_scale());
        let gradients =
            [Some(plan.gradient()), plan.gradient_references(), learned, plan.gradient_bias()];
        let mut end = GUARD;
        let places = gradients.map(|gradient| {
            let place = (end, gradient.map_or(0, |gradient| gradient.size() as usize / 4));
            end = (place.0 + place.1).next_multiple_of(GUARD) + GUARD;
            place
        });
        let buffer = filled(&caller.device, &vec![POISON; end]);
        Self { buffer, places }
    }

    fn outputs(&self, loss: &Loss, accumulate: bool) -> Outputs<'_> {
        let [gradient, gradient_references, learned, gradient_bias] =
            self.places.map(|(first, length)| {
                let range = self.buffer.slice(first as u64 * 4..(first + length) as u64 * 4);
                let output = if accumulate { Output::add_to(range) } else { Output::write(range) };
                (length > 0).then_some(output)
            });
        let (gradient_beta, gradient_scale) =
            if loss.has_scale() { (None, learned) } else { (learned, None) };
        Outputs { gradient, gradient_references, gradient_beta, gradient_scale, gradient_bias }
    }

    fn fill(&self, caller: &Caller, value: f32) {
        for (first, length) in self.places {
            let values = vec![value; length];
            caller.queue.write_buffer(
                &self.buffer,
                first as u64 * 4,
                bytemuck::cast_slice(&values),
            );
        }
    }

    /// What the ranges hold; the guards have to be as they were.
    fn read(&self, caller: &Caller) -> [Vec<f32>; 4] {
        let mut words = read(caller, &self.buffer);
        let held = self.places.map(|(first, length)| {
            let range = &mut words[first..first + length];
            let values = range.iter().map(|&word| f32::from_bits(word)).collect();
            range.fill(POISON);
            values
        });
        assert!(words.iter().all(|&word| word == POISON), "{}: a guard was written", caller.name);
        held
    }
}

/// Records with these outputs in a submission of its own, and gives what read-back would.
fn run(caller: &Caller, guest: &Guest, outputs: &Outputs) -> Result<[Vec<f32>; 4]> {
    let binding = guest.plan.bind_to(&guest.arena.inputs(), outputs)?;
    let mut encoder = encoder(caller);
    guest.plan.record(&mut encoder, &binding)?;
    let mut pending = guest.plan.read_back(&mut encoder)?;
    caller.queue.submit([encoder.finish()]);
    let evaluation = pending.wait(super::caller::PATIENCE)?;
    let optional = Option::unwrap_or_default;
    Ok([
        evaluation.gradient,
        optional(evaluation.gradient_references),
        evaluation
            .gradient_beta
            .or(evaluation.gradient_scale.map(|slope| vec![slope]))
            .unwrap_or_default(),
        evaluation.gradient_bias.into_iter().collect(),
    ])
}

#[test]
fn gradients_are_written_or_added() {
    let sample = sample(23, 6, Values::Ordinary);
    for caller in callers() {
        for loss in every_loss() {
            for batch in sample.batches(&loss) {
                let guest = Guest::new(&caller, &loss, &batch);
                let room = Room::new(&caller, &guest.plan);
                room.fill(&caller, START);
                let gradients = run(&caller, &guest, &room.outputs(&loss, true)).unwrap();
                let sums = gradients
                    .clone()
                    .map(|values| values.iter().map(|value| START + value).collect::<Vec<_>>());
                assert_eq!(room.read(&caller), sums, "{}: {loss:?}", caller.name);
                run(&caller, &guest, &room.outputs(&loss, false)).unwrap();
                assert_eq!(room.read(&caller), gradients, "{}: {loss:?}", caller.name);
                guest.arena.is_untouched(&caller);
            }
        }
    }
}

#[test]
fn nothing_is_added_and_zeros_are_written_where_the_evaluation_is_an_error() {
    let [good, huge] = [Values::Ordinary, Values::Scaled(1e30)].map(|values| sample(23, 5, values));
    let squared = Contrastive {
        distance: wgpu_metric_learning::Distance::SquaredEuclidean,
        ..Default::default()
    };
    let spoil_a_value: Spoiling =
        |arena, caller, _| arena.write_word(&caller.queue, Input::Embeddings, 70, POISON);
    let spoil_a_label: Spoiling =
        |arena, caller, _| arena.write_word(&caller.queue, Input::Labels, 3, u32::MAX);
    let overflow: Spoiling = |arena, caller, huge| arena.write(&caller.queue, huge);
    let cases: [(Loss, Spoiling); 3] = [
        (Contrastive::default().into(), spoil_a_value),
        (everything(), spoil_a_label),
        (squared.into(), overflow),
    ];
    for caller in callers() {
        for (loss, spoil) in &cases {
            let mut guest = Guest::new(&caller, loss, &fullest(&good, loss));
            let room = Room::new(&caller, &guest.plan);
            room.fill(&caller, START);
            let gradients = run(&caller, &guest, &room.outputs(loss, false)).unwrap();
            room.fill(&caller, START);
            spoil(&mut guest.arena, &caller, &fullest(&huge, loss));
            for (accumulate, left) in [(true, START), (false, 0.0)] {
                run(&caller, &guest, &room.outputs(loss, accumulate)).unwrap_err();
                let expected = room.places.map(|(_, length)| vec![left; length]);
                assert_eq!(room.read(&caller), expected, "{}: {loss:?}", caller.name);
            }
            guest.arena.write(&caller.queue, &fullest(&good, loss));
            run(&caller, &guest, &room.outputs(loss, false)).unwrap();
            assert_eq!(room.read(&caller), gradients, "{}: {loss:?}", caller.name);
        }
    }
}

/// Makes an evaluation an error, perhaps with the contents of another batch.
type Spoiling = fn(&mut Arena, &Caller, &Batch);

#[test]
fn outputs_that_do_not_fit_are_errors() {
    let sample = sample(9, 3, Values::Ordinary);
    let loss = everything();
    for caller in callers() {
        let guest = Guest::new(&caller, &loss, &fullest(&sample, &loss));
        let buffer = filled(&caller.device, &[0; 1024]);
        let fails = |outputs: Outputs, what: &str, problem: &str| {
            let error = guest.plan.bind_to(&guest.arena.inputs(), &outputs).unwrap_err();
            assert_eq!(error.to_string(), format!("buffer {what}: {problem}"), "{}", caller.name);
        };
        let gradient = |range| Outputs::gradient(Output::write(range));
        fails(gradient(buffer.slice(..32)), "gradient", "the range has 32 bytes, 108 are needed");
        let misaligned = "the range begins at byte 4, which is no multiple of 256";
        fails(gradient(buffer.slice(4..)), "gradient", misaligned);
        fails(gradient(guest.plan.gradient().slice(..)), "gradient", "it is the plan's own");
        fails(
            gradient(guest.arena.buffer.slice(..)),
            "gradient",
            "the range overlaps that of labels",
        );
        let both = Outputs {
            gradient_beta: Some(Output::write(buffer.slice(..12))),
            ..gradient(buffer.slice(..))
        };
        fails(both, "gradient of beta", "the range overlaps that of gradient");
        let descriptor = wgpu::BufferDescriptor {
            label: None,
            size: 4096,
            usage: USAGE - wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        };
        let copied = caller.device.create_buffer(&descriptor);
        fails(
            gradient(copied.slice(..)),
            "gradient",
            "its usage is BufferUsages(COPY_SRC | COPY_DST), STORAGE is needed",
        );

        let other = Guest::new(
            &caller,
            &Contrastive::default().into(),
            &sample.batches(&Contrastive::default().into())[0],
        );
        let outputs =
            Outputs { gradient_beta: Some(Output::write(buffer.slice(..))), ..Outputs::default() };
        let error = other.plan.bind_to(&other.arena.inputs(), &outputs).unwrap_err();
        assert_eq!(error.to_string(), "buffer gradient of beta: the plan has no such gradient");
        assert!(guest.run(&caller).is_ok(), "{}: no error spoils the plan", caller.name);
    }
}

/// Two losses against the same references, which get the sum of both gradients.
#[test]
fn an_objective_hands_on_the_gradients_of_its_sets() {
    let sample = sample(23, 6, Values::Ordinary);
    let losses: [Loss; 2] = [Contrastive::default().into(), Triplet::default().into()];
    let batch = against_references(&sample);
    let objective = losses.clone().map(|loss| Weighted::new(0.5, loss, batch));
    for caller in callers() {
        let expected = caller.context.evaluate_objective(&objective).wait().unwrap();
        let plan =
            caller.context.plan_objective(&objective.each_ref().map(Weighted::shape)).unwrap();
        let arena = Arena::new(&caller.device, &batch);
        let [gradient, of_references] =
            [23, 19].map(|rows| filled(&caller.device, &vec![POISON; rows * 6]));
        let outputs = Outputs {
            gradient_references: Some(Output::write(of_references.slice(..))),
            ..Outputs::gradient(Output::write(gradient.slice(..)))
        };
        let binding = plan.bind_to(&[arena.inputs()], &[outputs]).unwrap();
        let mut encoder = encoder(&caller);
        plan.record(&mut encoder, &binding).unwrap();
        caller.queue.submit([encoder.finish()]);
        let floats =
            |buffer| read(&caller, buffer).into_iter().map(f32::from_bits).collect::<Vec<_>>();
        assert_eq!(floats(&gradient), expected.gradients[0], "{}", caller.name);
        let parts = [0, 1].map(|loss| expected.losses[loss].gradient_references.clone().unwrap());
        let sum: Vec<_> = parts[0].iter().zip(&parts[1]).map(|(one, other)| one + other).collect();
        assert_eq!(floats(&of_references), sum, "{}", caller.name);
        poison(&caller, &gradient);
        let error = plan.bind_to(&[arena.inputs()], &[]).unwrap_err();
        assert_eq!(
            error,
            Error::Length { what: "the outputs of the sets", expected: 1, actual: 0 }
        );
    }
}

fn against_references(sample: &Sample) -> Batch<'_> {
    let batches = sample.batches(&Contrastive::default().into());
    batches
        .into_iter()
        .find(|batch| !batch.reference_labels().is_empty())
        .expect("contrastive has references")
}
