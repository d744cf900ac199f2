//! Losses and inputs in modes that they do not have.

use wgpu_metric_learning::measures::Verification;
use wgpu_metric_learning::{
    ArcFace, Batch, Circle, Clip, CoSent, Contrastive, CosFace, Distance, Error, FastAp, Form,
    GeneralizedLiftedStructured, LiftedStructured, Loss, Margin, Mode, MultiMargin,
    MultiSimilarity, Nca, NormalizedSoftmax, NtXent, ProxyAnchor, Reduction, SigLip, SmoothAp,
    SoftTriple, SupCon, Triplet,
};

use super::{LABELS, ROWS, batch, fails};

#[test]
fn every_loss_takes_its_own_modes_only() {
    let references = batch().with_references(&ROWS, 3, &LABELS).unwrap();
    let prototypes = batch().with_prototypes(&ROWS, 3).unwrap();
    let scores = Batch::scores(&ROWS, [3, 2], &LABELS).unwrap();
    let classes = MultiMargin::default().into();
    let matrix = "batch and reference mode";
    let lists = "batch, reference, pair rows and pair indices mode";
    let pairs: Vec<(Loss, &str)> = vec![
        (Contrastive::default().into(), lists),
        (Margin::default().into(), lists),
        (Margin { beta_per_class: true, ..Default::default() }.into(), matrix),
        (Triplet::default().into(), matrix),
        (NtXent::default().into(), matrix),
        (SupCon::default().into(), matrix),
        (SmoothAp::default().into(), matrix),
        (FastAp::default().into(), matrix),
        (Circle::default().into(), matrix),
        (MultiSimilarity::default().into(), matrix),
        (Nca::default().into(), matrix),
        (GeneralizedLiftedStructured::default().into(), matrix),
        (SigLip::default().into(), matrix),
    ];
    let lifted =
        LiftedStructured { form: Form::Exact, distance: Distance::Cosine, ..Default::default() }
            .into();
    let rejected = |loss: &Loss, batch: &Batch, reason: &str| {
        let what = format!("inputs in {} mode", batch.shape().mode().name());
        let message = format!("{} cannot take {what}: {reason}", loss.name());
        fails(
            batch.check(loss),
            Error::Unsupported { of: loss.name(), what, reason: reason.into() },
            &message,
        );
    };
    let betas = [1.0; 10];
    for (loss, modes) in &pairs {
        let own = |batch: &Batch| match loss {
            Loss::Margin(Margin { beta_per_class: true, .. }) => {
                batch.with_beta(&betas).unwrap().check(loss)
            }
            _ => batch.check(loss),
        };
        assert!(own(&batch()).is_ok() && own(&references).is_ok(), "{loss:?}");
        rejected(loss, &prototypes, &format!("it takes {modes}"));
        rejected(loss, &scores, &format!("it takes {modes}"));
        assert_eq!(loss.modes()[..2], [Mode::Batch, Mode::Reference]);
    }
    for batch in [&batch(), &references] {
        rejected(&classes, batch, "it takes scores and prototypes mode");
    }
    assert!(scores.check(&classes).is_ok() && prototypes.check(&classes).is_ok());
    let softmax: [Loss; 3] =
        [NormalizedSoftmax::default().into(), CosFace::default().into(), ArcFace::default().into()];
    for loss in &softmax {
        for batch in [&batch(), &references, &scores] {
            rejected(loss, batch, "it takes prototypes mode");
        }
        assert!(prototypes.check(loss).is_ok());
        assert!(prototypes.with_scale(&3.0).unwrap().check(loss).is_ok());
        let beta = prototypes.with_beta(&[1.0]).unwrap().check(loss).unwrap_err().to_string();
        assert_eq!(beta, format!("{} cannot take beta: only Margin has one", loss.name()));
    }
    // Three prototypes are those of one class, or of three.
    let centers = CosFace { centers_per_class: 2, ..Default::default() }.into();
    let error = prototypes.check(&centers).unwrap_err().to_string();
    let allowed = "a divisor of the number of prototypes";
    assert_eq!(error, format!("CosFace: centers_per_class is 2, allowed is {allowed}"));
    let centers = CosFace { centers_per_class: 3, ..Default::default() }.into();
    let error = prototypes.check(&centers).unwrap_err();
    assert!(matches!(error, Error::LabelOutOfRange { what: "prototype", limit: 1, .. }));
    let others: [Loss; 2] = [
        ProxyAnchor::default().into(),
        SoftTriple { centers_per_class: 1, ..Default::default() }.into(),
    ];
    for loss in &others {
        for batch in [&batch(), &references, &scores] {
            rejected(loss, batch, "it takes prototypes mode");
        }
        assert!(prototypes.check(loss).is_ok());
        let scale = prototypes.with_scale(&3.0).unwrap().check(loss).unwrap_err();
        assert!(matches!(scale, Error::Unsupported { .. }));
    }
    let scale = prototypes.with_scale(&3.0).unwrap().check(&classes).unwrap_err().to_string();
    let reason = "only SigLip, Clip and the softmax losses over classes have one";
    assert_eq!(scale, format!("MultiMargin cannot take scale: {reason}"));
    for scale in [0.0, -1.0, 1e-40, f32::NAN, f32::INFINITY] {
        let error = prototypes.with_scale(&scale).unwrap_err().to_string();
        let allowed = "any finite number greater than 0, and not subnormal";
        assert_eq!(error, format!("scale at row 0, column 0 is not {allowed}"));
    }
    let bias = prototypes.with_bias(&3.0).unwrap().check(&softmax[0]).unwrap_err().to_string();
    assert_eq!(bias, "NormalizedSoftmax cannot take bias: only SigLip has one");
    for bias in [f32::NAN, f32::INFINITY] {
        let error = references.with_bias(&bias).unwrap_err().to_string();
        assert_eq!(error, "bias is not finite at row 0, column 0");
    }
    let sig_lip = SigLip::default().into();
    for batch in [&batch(), &references] {
        // Each may be given without the other.
        assert!(batch.with_scale(&3.0).unwrap().check(&sig_lip).is_ok());
        assert!(batch.with_bias(&-3.0).unwrap().check(&sig_lip).is_ok());
    }
    let clip = Clip::default().into();
    for batch in [&batch(), &prototypes, &scores] {
        rejected(&clip, batch, "it takes reference mode");
    }
    assert!(references.with_scale(&3.0).unwrap().check(&clip).is_ok());
    let bias = references.with_bias(&3.0).unwrap().check(&clip).unwrap_err().to_string();
    assert_eq!(bias, "Clip cannot take bias: only SigLip has one");
    for batch in [&references, &prototypes, &scores] {
        rejected(&lifted, batch, "it takes batch mode");
    }
}

#[test]
fn pairs_are_the_same_or_have_targets() {
    let pairs = [[0, 1], [2, 1]];
    let same = Batch::pair_indices(&ROWS, [3, 2], &pairs, &[1, 0]).unwrap();
    let scored = Batch::scored_pair_indices(&ROWS, [3, 2], &pairs, &[0.5, -1e30]).unwrap();
    let cosent: Loss = CoSent::default().into();
    let contrastive: Loss = Contrastive::default().into();
    let aligned = Batch::scored_pair_rows(&ROWS, &ROWS, [3, 2], &[0.0, 1.0, 2.0]).unwrap();
    assert!(scored.check(&cosent).is_ok() && aligned.check(&cosent).is_ok());
    for (loss, batch, modes) in [
        (&cosent, &same, "scored pair rows and scored pair indices mode"),
        (&contrastive, &scored, "batch, reference, pair rows and pair indices mode"),
    ] {
        let error = batch.check(loss).unwrap_err().to_string();
        let mode = batch.shape().mode().name();
        let (name, what) = (loss.name(), format!("inputs in {mode} mode"));
        assert_eq!(error, format!("{name} cannot take {what}: it takes {modes}"));
    }
    let verification = Verification::default().check(scored.shape()).unwrap_err().to_string();
    assert!(verification.contains("inputs in scored pair indices mode"), "{verification}");
    let mean = CoSent { reduction: Reduction::MeanNonZero, ..Default::default() }.into();
    let error = scored.check(&mean).unwrap_err().to_string();
    assert_eq!(error, "CoSent cannot take the reduction MeanNonZero: it takes Sum and Mean");
    let of_pairs = |pairs: &[[u32; 2]], targets: &[f32]| {
        Batch::scored_pair_indices(&ROWS, [3, 2], pairs, targets).unwrap_err()
    };
    let of_rows = |targets| Batch::scored_pair_rows(&ROWS, &ROWS, [3, 2], targets).unwrap_err();
    assert_eq!(of_pairs(&[[1, 1]], &[0.0]), Error::PairWithItself { row: 0 });
    let length = |expected, actual| Error::Length { what: "targets", expected, actual };
    assert_eq!(of_pairs(&pairs, &[0.0]), length(2, 1));
    assert_eq!(of_rows(&[0.0; 4]), length(3, 4));
    let not_finite = Error::NotFinite { what: "targets", row: 1, column: 0 };
    assert_eq!(of_rows(&[0.0, f32::NAN, f32::INFINITY]), not_finite);
}

#[test]
fn the_mean_of_hadsell_is_for_contrastive_and_beta_for_margin() {
    let reduction = Reduction::HadsellMean;
    assert!(batch().check(&Contrastive { reduction, ..Default::default() }.into()).is_ok());
    let scores = Batch::scores(&ROWS, [3, 2], &LABELS).unwrap();
    let losses: [(Loss, &Batch); 4] = [
        (Triplet { reduction, ..Default::default() }.into(), &batch()),
        (LiftedStructured { reduction, ..Default::default() }.into(), &batch()),
        (Margin { reduction, ..Default::default() }.into(), &batch()),
        (MultiMargin { reduction, ..Default::default() }.into(), &scores),
    ];
    for (loss, batch) in losses {
        let error = batch.check(&loss).unwrap_err();
        let message = error.to_string();
        assert!(
            matches!(error, Error::Unsupported { of: name, .. } if name == loss.name()),
            "{message}"
        );
        let (what, allowed) = message.split_once(": it takes ").expect("what it takes instead");
        assert_eq!(what, format!("{} cannot take the reduction HadsellMean", loss.name()));
        assert!(
            loss.reductions().all(|reduction| allowed.contains(&format!("{reduction:?}"))),
            "{message}"
        );
        assert!(!allowed.contains("HadsellMean"), "{message}");
    }
    for loss in [
        Loss::from(Contrastive::default()),
        Triplet::default().into(),
        LiftedStructured::default().into(),
    ] {
        let (what, reason) = ("beta".to_string(), "only Margin has one");
        let message = format!("{} cannot take beta: {reason}", loss.name());
        let batch = batch().with_beta(&[1.0]).unwrap();
        fails(
            batch.check(&loss),
            Error::Unsupported { of: loss.name(), what, reason: reason.into() },
            &message,
        );
    }
}

#[test]
fn inputs_of_another_mode_are_refused() {
    let triplets = Batch::triplets(&ROWS, [3, 2], &[[0, 1, 2]]).unwrap();
    let pairs = Batch::pair_indices(&ROWS, [3, 2], &[[0, 1]], &[1]).unwrap();
    let values = Batch::pointwise(&ROWS, [3, 2]).unwrap();
    let of = |what, mode| Error::NotInMode { what, mode };
    for (batch, mode) in [(triplets, "triplets"), (pairs, "pair indices"), (values, "pointwise")] {
        assert_eq!(batch.with_references(&ROWS, 3, &LABELS).unwrap_err(), of("references", mode));
        assert_eq!(batch.with_prototypes(&ROWS, 3).unwrap_err(), of("prototypes", mode));
    }
    assert_eq!(batch().with_labels(&LABELS).unwrap_err(), of("labels of rows", "batch"));
    assert_eq!(pairs.with_targets(&ROWS).unwrap_err(), of("targets", "pair indices"));
    let message = "references cannot be given to inputs in triplets mode";
    assert_eq!(triplets.with_references(&ROWS, 3, &LABELS).unwrap_err().to_string(), message);
}
