//! What applications find on the GPU that never read back: a result that is valid, or a loss that is
//! not a number and gradients of 0.

use support::sample::Values;
use wgpu_metric_learning::status::{
    DISTANCES_BEYOND_F32, FAULTY_INPUTS, GRADIENT_BEYOND_F32, LOSS_BEYOND_F32, SIZES_BEYOND_PLAN,
    VALID,
};
use wgpu_metric_learning::{
    Batch, Contrastive, Count, Distance, Input, Loss, Record, Reduction, Weighted,
};

use super::caller::{Caller, POISON, callers, encoder, filled, read};
use super::guest::{Arena, Guest, everything, fullest, sample};

/// Records in a submission of its own, without a read-back.
fn run(caller: &Caller, guest: &Guest) {
    let mut encoder = encoder(caller);
    guest.plan.record(&mut encoder, &guest.binding).unwrap();
    caller.queue.submit([encoder.finish()]);
}

fn status(caller: &Caller, guest: &Guest) -> u32 {
    read(caller, guest.plan.status())[0]
}

fn gradients(caller: &Caller, guest: &Guest) -> Vec<f32> {
    let plan = &guest.plan;
    let all = [Some(plan.gradient()), plan.gradient_references(), plan.gradient_beta()];
    let words = all.into_iter().flatten().flat_map(|buffer| read(caller, buffer));
    words.map(f32::from_bits).collect()
}

fn loss_value(caller: &Caller, guest: &Guest) -> f32 {
    f32::from_bits(read(caller, guest.plan.loss_value())[0])
}

/// Makes the next recording an error.
type Spoiling = fn(&mut Arena, &Caller);

#[test]
fn a_fault_leaves_no_gradient_and_says_what_it_was() {
    let sample = sample(23, 5, Values::Ordinary);
    let spoil_a_value: Spoiling =
        |arena, caller| arena.write_word(&caller.queue, Input::Embeddings, 70, POISON);
    let spoil_a_reference: Spoiling =
        |arena, caller| arena.write_word(&caller.queue, Input::References, 3, POISON);
    let spoil_a_label: Spoiling =
        |arena, caller| arena.write_word(&caller.queue, Input::Labels, 3, u32::MAX);
    let enlarge_a_value: Spoiling =
        |arena, caller| arena.write_word(&caller.queue, Input::Embeddings, 0, 1e30_f32.to_bits());
    let squared: Loss =
        Contrastive { distance: Distance::SquaredEuclidean, ..Default::default() }.into();
    let beyond = LOSS_BEYOND_F32 | DISTANCES_BEYOND_F32 | GRADIENT_BEYOND_F32;
    let cases = [
        (Contrastive::default().into(), spoil_a_value, FAULTY_INPUTS),
        (everything(), spoil_a_reference, FAULTY_INPUTS),
        (everything(), spoil_a_label, FAULTY_INPUTS),
        (squared, enlarge_a_value, beyond),
    ];
    for caller in callers() {
        for (loss, spoil, wrong) in &cases {
            let batch = fullest(&sample, loss);
            let mut guest = Guest::new(&caller, loss, &batch);
            assert_eq!(status(&caller, &guest), 0, "{}: {loss:?} before", caller.name);
            run(&caller, &guest);
            assert_eq!(status(&caller, &guest), VALID, "{}: {loss:?}", caller.name);
            let [expected, loss_before] =
                [gradients(&caller, &guest), vec![loss_value(&caller, &guest)]];
            assert!(expected.iter().any(|&value| value != 0.0), "{}: {loss:?}", caller.name);

            spoil(&mut guest.arena, &caller);
            guest.poison_outputs(&caller);
            run(&caller, &guest);
            let found = status(&caller, &guest);
            assert!(found & VALID == 0 && found & wrong != 0, "{}: {loss:?} {found}", caller.name);
            assert!(found & !wrong & !beyond == 0, "{}: {loss:?} {found}", caller.name);
            assert!(gradients(&caller, &guest).iter().all(|&value| value == 0.0), "{loss:?}");
            assert!(loss_value(&caller, &guest).is_nan(), "{}: {loss:?}", caller.name);

            guest.arena.write(&caller.queue, &batch);
            run(&caller, &guest);
            assert_eq!(status(&caller, &guest), VALID, "{}: {loss:?} after", caller.name);
            assert_eq!(gradients(&caller, &guest), expected, "{}: {loss:?}", caller.name);
            assert_eq!(vec![loss_value(&caller, &guest)], loss_before, "{}: {loss:?}", caller.name);
        }
    }
}

#[test]
fn more_rows_than_planned_leave_no_gradient() {
    let sample = sample(23, 5, Values::Ordinary);
    let loss: Loss = Contrastive::default().into();
    let batch = sample.batches(&loss)[0];
    for caller in callers() {
        let mut guest = Guest::new(&caller, &loss, &batch);
        let count = filled(&caller.device, &[23]);
        let inputs = guest.arena.inputs().with_count(Count::Rows, count.slice(..));
        guest.binding = guest.plan.bind(&inputs).unwrap();
        for (rows, expected) in
            [(23_u32, VALID), (24, SIZES_BEYOND_PLAN), (0, SIZES_BEYOND_PLAN), (9, VALID)]
        {
            caller.queue.write_buffer(&count, 0, &rows.to_ne_bytes());
            guest.poison_outputs(&caller);
            run(&caller, &guest);
            assert_eq!(status(&caller, &guest), expected, "{}: {rows} rows", caller.name);
            let is_zero = gradients(&caller, &guest).iter().all(|&value| value == 0.0);
            assert_eq!(is_zero, expected != VALID, "{}: {rows} rows", caller.name);
            let is_number = !loss_value(&caller, &guest).is_nan();
            assert_eq!(is_number, expected == VALID, "{}: {rows} rows", caller.name);
        }
    }
}

/// One loss of two is at fault: nothing of the objective is left.
#[test]
fn an_objective_is_valid_where_every_loss_is() {
    let sample = sample(23, 5, Values::Ordinary);
    let [plain, with_beta]: [Loss; 2] = [Contrastive::default().into(), everything()];
    let batches: [Batch; 2] = [sample.batches(&plain)[0], fullest(&sample, &with_beta)];
    let objective =
        [Weighted::new(1.0, plain, batches[0]), Weighted::new(2.0, with_beta, batches[1]).over(1)];
    for caller in callers() {
        let plan =
            caller.context.plan_objective(&objective.each_ref().map(Weighted::shape)).unwrap();
        let mut arenas = batches.each_ref().map(|batch| Arena::new(&caller.device, batch));
        let binding = plan.bind(&arenas.each_ref().map(Arena::inputs)).unwrap();
        let run = || {
            let mut encoder = encoder(&caller);
            plan.record(&mut encoder, &binding).unwrap();
            caller.queue.submit([encoder.finish()]);
            let floats = |buffer| read(&caller, buffer).into_iter().map(f32::from_bits);
            let all = [plan.gradient(0), plan.gradient(1), plan.gradient_references(1)];
            let all = all.into_iter().chain([plan.gradient_beta(1)]).flatten();
            let gradients: Vec<_> = all.flat_map(floats).collect();
            (read(&caller, plan.status())[0], floats(plan.loss_value()).next().unwrap(), gradients)
        };
        let (status, loss, expected) = run();
        assert_eq!(status, VALID, "{}", caller.name);
        assert!(loss.is_finite() && expected.iter().any(|&value| value != 0.0));
        for (set, input) in [(0, Input::Embeddings), (1, Input::References)] {
            arenas[set].write_word(&caller.queue, input, 7, POISON);
            let (status, loss, gradients) = run();
            assert_eq!(status & (VALID | FAULTY_INPUTS), FAULTY_INPUTS, "{}", caller.name);
            assert!(
                loss.is_nan() && gradients.iter().all(|&value| value == 0.0),
                "{}",
                caller.name
            );
            arenas[set].write(&caller.queue, &batches[set]);
            let (status, _, gradients) = run();
            assert_eq!((status, &gradients), (VALID, &expected), "{}", caller.name);
        }
    }
}

/// The gradient alone is beyond f32: read-back and status both name it, and not the loss.
#[test]
fn a_gradient_beyond_f32_is_told_from_a_loss_beyond_it() {
    let sample = sample(23, 5, Values::Scaled(1e14));
    let loss: Loss = Contrastive {
        distance: Distance::SquaredEuclidean,
        power: 1,
        reduction: Reduction::Mean,
        ..Default::default()
    }
    .into();
    let objective = 1e30;
    for caller in callers() {
        let batch = sample.batches(&loss)[0];
        let weighted = [Weighted::new(objective, loss.clone(), batch)];
        let shapes = weighted.each_ref().map(Weighted::shape);
        let plan = caller.context.plan_objective(&shapes).unwrap();
        let arena = Arena::new(&caller.device, &batch);
        let binding = plan.bind(&[arena.inputs()]).unwrap();
        let mut encoder = encoder(&caller);
        plan.record(&mut encoder, &binding).unwrap();
        let mut pending = plan.read_back(&mut encoder).unwrap();
        caller.queue.submit([encoder.finish()]);
        let error = pending.wait(super::caller::PATIENCE).unwrap_err();
        assert_eq!(
            error,
            wgpu_metric_learning::Error::Overflow { what: "the gradient" },
            "{}",
            caller.name
        );
        assert_eq!(read(&caller, plan.status())[0], GRADIENT_BEYOND_F32, "{}", caller.name);
    }
}
