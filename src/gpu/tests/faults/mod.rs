//! Every loss against the reference, and faults planted in the kernels that this comparison has to
//! catch.

mod replacements;

use std::collections::BTreeSet;

use self::replacements::{
    FAULTS, FAULTS_OF_COOPERATION, FAULTS_OF_EXPANSION, FAULTS_OF_SLICES, FAULTS_OF_SUMS,
    FAULTS_OF_THRESHOLDS, FAULTS_OF_WEIGHTS,
};
use super::{
    contexts, cooperative_context, first_context, first_contexts, one_of_each_kind, with_fault,
};
use crate::Error;
use crate::data::arithmetic::Arithmetic;
use crate::data::batch::Batch;
use crate::data::objective::Weighted;
use crate::gpu::kernel::Kernel;
use crate::gpu::kernel::catalogue::{finish_learned, over_pairs, pointwise, prepare_learned};
use crate::gpu::kernel::interface::Interface;
use crate::gpu::kernel::matrix::MatrixKind;
use crate::gpu::{Checks, Context, Options, Tier};
use crate::loss::{
    Clip, Contrastive, Distance, LiftedStructured, Loss, Margin, Mining, MultiMargin, NtXent,
    Reduction, Triplet,
};
use crate::reference::samples::{Sample, losses, representatives, thresholded};
use crate::reference::{evaluate_objective_with_bounds, evaluate_with_bounds_in};
use crate::wgsl::include::{compose, shader};

/// Whether the kernels agree with the reference on every batch of the sample that the loss can
/// take.
fn agrees(context: &Context, loss: &Loss, sample: &Sample) -> Result<(), String> {
    agrees_on(context, loss, sample.batches(loss))
}

/// The same on these batches.
fn agrees_on(context: &Context, loss: &Loss, batches: Vec<Batch>) -> Result<(), String> {
    for batch in batches {
        let arithmetic = context.options().arithmetic;
        let expected =
            evaluate_with_bounds_in(arithmetic, loss, &batch).map_err(|error| error.to_string())?;
        let actual = match context.evaluate(loss, &batch).wait() {
            Err(error @ Error::Overflow { .. }) => return Err(error.to_string()),
            // Anything else is no disagreement: a fault that does not compile, say.
            actual => actual.unwrap(),
        };
        let comparison = expected.compare(&actual);
        if !comparison.agrees() {
            return Err(format!("{loss:?} in {} mode:\n{comparison}", batch.shape().mode().name()));
        }
    }
    Ok(())
}

fn assert_agrees(context: &Context, losses: &[Loss]) {
    let sample = Sample::new(19, 6, 1.0);
    for loss in losses {
        if let Err(problem) = agrees(context, loss, &sample) {
            panic!("{:?}: {problem}", context.device().adapter_info().backend);
        }
    }
}

#[test]
fn every_setting_of_every_loss_agrees() {
    let context = &first_context(Options::default());
    assert_agrees(context, &losses());
    assert_has_every_kernel(context);
}

/// Every adapter and every tier but that of the test above, since drivers translate the same kernels
/// differently. (Every loss with every distance is held on every adapter in
/// `tests/gpu/agreement/shapes.rs`.)
#[test]
fn every_kernel_agrees_on_every_other_adapter() {
    for context in contexts(Options::default()).iter().skip(1) {
        assert_agrees(context, &one_of_each_kind());
        assert_has_every_kernel(context);
    }
}

/// One adapter, since the checks are written into the kernels before a driver sees them.
#[test]
fn every_kernel_agrees_with_run_time_checks() {
    let context = &first_context(Options::default().with_checks(Checks::Checked));
    assert_agrees(context, &one_of_each_kind());
    assert_has_every_kernel(context);
}

/// The kernels of a loss in all its modes, without those that all losses have.
fn kernels_of(loss: &Loss) -> Vec<Kernel> {
    let description = loss.description();
    let Some(distance) = loss.distance() else { return vec![pointwise(description)] };
    let of_mode = |&mode| {
        let arithmetic = Arithmetic::Exact;
        over_pairs(MatrixKind { mode, distance, arithmetic }, &description.terms_kernel())
    };
    let of_learned = description.learned().into_iter();
    let of_learned =
        of_learned.flat_map(|learned| [prepare_learned(learned), finish_learned(learned)]);
    loss.modes().iter().flat_map(of_mode).chain(of_learned).collect()
}

/// Whether the context has made every kernel of every loss: each file and entry point, those of
/// distances and gradients for every distance.
fn assert_has_every_kernel(context: &Context) {
    fn variant(kernel: &Kernel) -> (&'static str, &'static str, Option<u32>) {
        use Interface::{FinishedGradient, Gradient};
        let depends = matches!(kernel.interface, Interface::Distance | Gradient | FinishedGradient);
        let mut constants = kernel.constants.iter();
        let distance = constants.find(|(name, _)| depends && *name == "DISTANCE");
        (kernel.shader.path, kernel.entry, distance.map(|&(_, number)| number as u32))
    }
    let made: BTreeSet<_> = context.pipelines().kernels().iter().map(variant).collect();
    // The cosine is taken of unit rows, whose gradients are finished in a kernel of its own.
    let of_cosine = ("DISTANCE", f64::from(Distance::Cosine as u32));
    let is_planned = |kernel: &Kernel| {
        kernel.interface != Interface::FinishedGradient || !kernel.constants.contains(&of_cosine)
    };
    let all = Loss::variants().iter().flat_map(kernels_of).collect::<Vec<_>>();
    let all: BTreeSet<_> = all.iter().filter(|kernel| is_planned(kernel)).map(variant).collect();
    let missing: Vec<_> = all.difference(&made).collect();
    assert!(missing.is_empty(), "{missing:?} are not run");
}

/// One adapter, since whether a fault is noticed is for the comparison to show, and no driver's
/// doing.
#[test]
fn every_planted_fault_is_caught() {
    // Rows enough for a second step of the gradient's sums, and cut for a second stripe; and for
    // several tiles in one stripe, and invocations that own several columns.
    let samples = [Sample::new(19, 6, 1.0), Sample::new(600, 4, 1.0)];
    let contexts = first_contexts(
        [16 * 20 * 8, 32 << 20].map(|bytes| Options::default().with_workspace_bytes(bytes)),
    );
    let agrees = |(context, sample, loss): &(usize, usize, Loss)| {
        agrees(&contexts[*context], loss, &samples[*sample])
    };
    // Few see most of them. The others come last, for a fault that those do not see.
    let mut losses = one_of_each_kind();
    losses.extend(representatives());
    let mut witnesses: Vec<(&str, (usize, usize, Loss))> = Vec::new();
    for &(path, line, fault) in FAULTS {
        let is_of = |kernel: &Kernel| kernel.shader.path == path;
        losses.sort_by_key(|loss| !kernels_of(loss).iter().any(is_of));
        // Losses that have the kernel; of one that all have, all.
        let own = losses.iter().filter(|loss| kernels_of(loss).iter().any(is_of)).count();
        let concerned = if own > 0 { own } else { losses.len() };
        let whole = losses[..concerned].iter();
        let whole = whole.flat_map(|loss| [(0, 0, loss.clone()), (1, 0, loss.clone())]);
        let long = [losses[0].clone(), Contrastive::default().into()].map(|loss| (1, 1, loss));
        // Whoever has noticed one in a file may notice the next: most are compiled for nobody else.
        let known = witnesses.iter().rev().filter(|(of, _)| *of == path);
        let mut all = known.map(|(_, one)| one.clone()).chain(whole).chain(long);
        let find = || all.find(|one| agrees(one).is_err());
        let witness = with_fault(&contexts, [path, line, fault], find);
        let witness = witness.unwrap_or_else(|| panic!("nobody noticed `{fault}` in {path}"));
        if !witnesses.contains(&(path, witness.clone())) {
            witnesses.push((path, witness));
        }
    }
    for (_, witness) in &witnesses {
        assert_eq!(agrees(witness), Ok(()), "a fault is noticed where there is none");
    }
}

#[test]
fn every_planted_fault_in_expanded_kernels_is_caught() {
    // Of four dimensions, some pairs are near.
    let sample = &Sample::new(150, 4, 1.0);
    let expanded = Options::default().with_arithmetic(Arithmetic::Expanded);
    let contexts = first_contexts(
        [8 * 152 * 48, 32 << 20].map(|bytes| expanded.clone().with_workspace_bytes(bytes)),
    );
    let losses: [Loss; 3] = [
        Contrastive::default().into(),
        NtXent { distance: Distance::SquaredEuclidean, ..NtXent::default() }.into(),
        Triplet::default().into(),
    ];
    let is_seen = || {
        let on = |context| losses.iter().any(move |loss| agrees(context, loss, sample).is_err());
        contexts.iter().any(on)
    };
    assert!(!is_seen(), "kernels without a fault agree");
    let checked = &first_context(expanded.with_checks(Checks::Checked));
    for loss in &losses {
        assert_eq!(agrees(checked, loss, sample), Ok(()), "with run-time checks");
    }
    for &(path, line, fault) in FAULTS_OF_EXPANSION {
        let is_caught = with_fault(&contexts, [path, line, fault], is_seen);
        assert!(is_caught, "nobody noticed `{fault}` in {path}");
    }
}

/// Where no adapter has cooperative matrices, their kernel has the texts that faults are planted in.
#[test]
fn every_planted_fault_of_cooperative_matrices_is_caught() {
    let sample = &Sample::new(150, 4, 1.0);
    let options = Options::default().with_arithmetic(Arithmetic::Cooperative8);
    let context = cooperative_context(options);
    let losses: [Loss; 2] = [
        Contrastive::default().into(),
        NtXent { distance: Distance::SquaredEuclidean, ..NtXent::default() }.into(),
    ];
    let is_seen =
        |context: &Context| losses.iter().any(|loss| agrees(context, loss, sample).is_err());
    assert!(!context.iter().any(is_seen), "kernels without a fault agree");
    for &(path, line, fault) in FAULTS_OF_COOPERATION {
        let is_caught = match &context {
            Some(context) => with_fault([context], [path, line, fault], || is_seen(context)),
            None => compose(shader!("distance/cooperative8.wgsl"), Tier::Baseline).contains(line),
        };
        assert!(is_caught, "nobody noticed `{fault}` in {path}");
    }
}

#[test]
fn every_planted_fault_of_slices_is_caught() {
    // Several slices in one stripe, and of stripes of which the last is shorter than the others.
    let sample = &Sample::new(600, 4, 1.0);
    let of_gpu = Options::default().with_planned_for(wgpu::DeviceType::DiscreteGpu);
    let contexts = first_contexts(
        [8 * 600 * 352, 32 << 20].map(|bytes| of_gpu.clone().with_workspace_bytes(bytes)),
    );
    let losses: [Loss; 2] =
        [Triplet { mining: Mining::All, ..Triplet::default() }.into(), NtXent::default().into()];
    let is_seen = || {
        let on = |context| losses.iter().any(move |loss| agrees(context, loss, sample).is_err());
        contexts.iter().any(on)
    };
    assert!(!is_seen(), "kernels without a fault agree");
    for &(path, line, fault) in FAULTS_OF_SLICES {
        let is_caught = with_fault(&contexts, [path, line, fault], is_seen);
        assert!(is_caught, "nobody noticed `{fault}` in {path}");
    }
}

/// Losses of every kind that weighs its terms in its own way.
fn weighed_losses() -> Vec<Loss> {
    vec![
        Contrastive { reduction: Reduction::MeanNonZero, ..Contrastive::default() }.into(),
        Margin::default().into(),
        Triplet { mining: Mining::Hard, ..Triplet::default() }.into(),
        Triplet { mining: Mining::Explicit, ..Triplet::default() }.into(),
        NtXent::default().into(),
        LiftedStructured::default().into(),
        Clip::default().into(),
        MultiMargin::default().into(),
    ]
}

#[test]
fn every_planted_fault_of_weights_is_caught() {
    let sample = &Sample::new(19, 6, 1.0);
    are_caught(FAULTS_OF_WEIGHTS, &weighed_losses(), |loss| sample.weighted_batches(loss));
}

#[test]
fn every_planted_fault_of_thresholds_is_caught() {
    let sample = &Sample::new(19, 6, 1.0);
    are_caught(FAULTS_OF_THRESHOLDS, &thresholded(), |loss| sample.batches(loss));
}

/// On these batches the losses agree, and every one of the faults is noticed.
fn are_caught<'a>(
    faults: &[(&'static str, &'static str, &'static str)],
    losses: &[Loss],
    batches: impl Fn(&Loss) -> Vec<Batch<'a>>,
) {
    let context = &first_context(Options::default());
    let checked = &first_context(Options::default().with_checks(Checks::Checked));
    let agrees = |context: &Context, loss: &Loss| agrees_on(context, loss, batches(loss));
    for loss in losses {
        assert_eq!([context, checked].map(|context| agrees(context, loss)), [Ok(()), Ok(())]);
    }
    for &(path, line, fault) in faults {
        let has = |loss: &Loss| kernels_of(loss).iter().any(|kernel| kernel.shader.path == path);
        // Those that have the kernel see it, or all, of one that no loss is alone with.
        let is_of_some = losses.iter().any(has);
        let concerned = || losses.iter().filter(|loss| !is_of_some || has(loss));
        let is_seen = || concerned().any(|loss| agrees(context, loss).is_err());
        let is_caught = with_fault([context], [path, line, fault], is_seen);
        assert!(is_caught, "nobody noticed `{fault}` in {path}");
    }
}

/// A sum of two losses over one set of rows.
fn objective_agrees(context: &Context, sample: &Sample) -> bool {
    let losses: [Loss; 2] = [Contrastive::default().into(), Triplet::default().into()];
    let batches = losses.each_ref().map(|loss| sample.batches(loss).swap_remove(0));
    let weighted = losses.iter().zip(batches).zip([0.5, -2.0]);
    let objective: Vec<_> =
        weighted.map(|((loss, batch), weight)| Weighted::new(weight, loss, batch)).collect();
    let expected = evaluate_objective_with_bounds(&objective).expect("a valid objective");
    expected
        .compare(&context.evaluate_objective(&objective).wait().expect("kernels that compile"))
        .agrees()
}

#[test]
fn every_planted_fault_in_a_sum_is_caught() {
    let sample = Sample::new(19, 6, 1.0);
    let context = first_context(Options::default());
    assert!(objective_agrees(&context, &sample), "kernels without a fault agree");
    for &(path, line, fault) in FAULTS_OF_SUMS {
        let is_seen = || !objective_agrees(&context, &sample);
        let is_caught = with_fault([&context], [path, line, fault], is_seen);
        assert!(is_caught, "nobody noticed `{fault}` in {path}");
    }
}
