//! Every error of the host side: the exact variant, and a message that names what and where.

use std::time::Duration;

use wgpu_metric_learning::{
    Batch, Contrastive, Distance, Error, ErrorKind, Form, LiftedStructured, Loss, Margin, Mode,
    MultiMargin, NtXent, Reduction, Result, Shape, SupCon, Triplet,
};

const ROWS: [f32; 6] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
const LABELS: [u32; 3] = [0, 1, 1];

fn batch() -> Batch<'static> {
    Batch::new(&ROWS, [3, 2], &LABELS).expect("a valid batch")
}

#[track_caller]
fn fails<T: std::fmt::Debug>(result: Result<T>, expected: Error, message: &str) {
    let error = result.expect_err(message);
    assert_eq!(error, expected);
    assert_eq!(error.to_string(), message);
}

#[test]
fn valid_inputs_are_valid() {
    assert!(batch().with_references(&ROWS[..2], 1, &[9]).is_ok());
    assert!(batch().with_prototypes(&ROWS[..4], 2).is_ok());
    assert!(Batch::scores(&ROWS, [3, 2], &LABELS).is_ok());
    assert!(batch().with_beta(&[1.0, 2.0]).is_ok());
    for loss in
        [Contrastive::default().into(), Triplet::default().into(), Loss::from(Margin::default())]
    {
        assert_eq!(batch().check(&loss), Ok(()));
    }
}

#[test]
fn nothing_may_be_empty() {
    let empty = |what| Error::Empty { what };
    fails(
        Batch::new(&[], [0, 2], &[]),
        empty("the number of embeddings"),
        "the number of embeddings is 0: at least 1 is needed",
    );
    fails(
        Batch::new(&[], [3, 0], &LABELS),
        empty("the dimension of the embeddings"),
        "the dimension of the embeddings is 0: at least 1 is needed",
    );
    fails(
        batch().with_references(&[], 0, &[]),
        empty("the number of references"),
        "the number of references is 0: at least 1 is needed",
    );
    fails(
        batch().with_prototypes(&[], 0),
        empty("the number of prototypes"),
        "the number of prototypes is 0: at least 1 is needed",
    );
    fails(
        Batch::scores(&[], [0, 2], &[]),
        empty("the number of samples"),
        "the number of samples is 0: at least 1 is needed",
    );
    fails(
        Batch::scores(&[], [3, 0], &LABELS),
        empty("the number of classes"),
        "the number of classes is 0: at least 1 is needed",
    );
    fails(
        batch().with_beta(&[]),
        empty("the number of betas"),
        "the number of betas is 0: at least 1 is needed",
    );
}

#[test]
fn lengths_are_those_of_the_shape() {
    let length = |what, expected, actual| Error::Length { what, expected, actual };
    fails(
        Batch::new(&ROWS[1..], [3, 2], &LABELS),
        length("embeddings", 6, 5),
        "embeddings has 5 values, its shape asks for 6",
    );
    fails(
        Batch::new(&ROWS, [3, 2], &LABELS[1..]),
        length("labels", 3, 2),
        "labels has 2 values, its shape asks for 3",
    );
    fails(
        Batch::scores(&ROWS, [2, 2], &LABELS),
        length("embeddings", 4, 6),
        "embeddings has 6 values, its shape asks for 4",
    );
    fails(
        batch().with_references(&ROWS, 2, &[0, 0]),
        length("references", 4, 6),
        "references has 6 values, its shape asks for 4",
    );
    fails(
        batch().with_references(&ROWS, 3, &[0, 0]),
        length("reference labels", 3, 2),
        "reference labels has 2 values, its shape asks for 3",
    );
    fails(
        batch().with_prototypes(&ROWS, 2),
        length("references", 4, 6),
        "references has 6 values, its shape asks for 4",
    );
    let loss = Margin::default().into();
    fails(
        batch().with_beta(&[1.0, 1.0]).and_then(|batch| batch.check(&loss)),
        length("beta", 1, 2),
        "beta has 2 values, its shape asks for 1",
    );
}

#[test]
fn shapes_too_large_to_count() {
    let [rows, columns] = [1 << 20, 1 << 20];
    let error = Error::TooLarge { what: "embeddings", rows, columns };
    let message =
        "embeddings: 1048576 x 1048576 values are too many: there may be 2^30 - 1 (1,073,741,823)";
    fails(Batch::new(&ROWS, [rows, columns], &LABELS), error.clone(), message);
    fails(Shape::batch(rows, columns).check(), error, message);
    assert!(matches!(Shape::batch(usize::MAX, 2).check(), Err(Error::TooLarge { .. })));
    assert!(matches!(
        Shape::reference(2, usize::MAX, 2).check(),
        Err(Error::TooLarge { what: "references", .. })
    ));
}

#[test]
fn no_value_may_be_nan_or_infinite() {
    for poison in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::from_bits(0xff80_0001)] {
        for at in 0..ROWS.len() {
            let mut rows = ROWS;
            rows[at] = poison;
            let (row, column) = (at / 2, at % 2);
            let expect = |result: Result<Batch>, what| {
                let message = format!("{what} is not finite at row {row}, column {column}");
                fails(result, Error::NotFinite { what, row, column }, &message);
            };
            expect(Batch::new(&rows, [3, 2], &LABELS), "embeddings");
            expect(Batch::scores(&rows, [3, 2], &LABELS), "embeddings");
            expect(batch().with_references(&rows, 3, &LABELS), "references");
            expect(batch().with_prototypes(&rows, 3), "references");
            let error = Error::NotFinite { what: "beta", row: at, column: 0 };
            fails(
                batch().with_beta(&rows),
                error,
                &format!("beta is not finite at row {at}, column 0"),
            );
        }
    }
}

#[test]
fn labels_that_are_indices_have_an_entry() {
    let error = |what, limit| Error::LabelOutOfRange { what, row: 1, label: Some(2), limit };
    let labels = [0, 2, u32::MAX];
    fails(
        Batch::scores(&ROWS, [3, 2], &labels),
        error("class", 2),
        "the label 2 of row 1 has no class: there are 2",
    );
    fails(
        Batch::new(&ROWS, [3, 2], &labels).and_then(|batch| batch.with_prototypes(&ROWS[..4], 2)),
        error("prototype", 2),
        "the label 2 of row 1 has no prototype: there are 2",
    );
    let loss = Margin { beta_per_class: true, ..Margin::default() }.into();
    fails(
        Batch::new(&ROWS, [3, 2], &labels)
            .and_then(|batch| batch.with_beta(&[1.0, 2.0]))
            .and_then(|batch| batch.check(&loss)),
        error("beta", 2),
        "the label 2 of row 1 has no beta: there are 2",
    );
    fails(
        batch().check(&loss),
        Error::Missing { what: "beta", reason: "beta_per_class needs one beta for every class" },
        "beta is missing: beta_per_class needs one beta for every class",
    );
}

#[test]
fn parameters_are_finite_powers_one_or_two_and_temperatures_positive() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let losses: [(Loss, &str, &str); 6] = [
            (
                Contrastive { positive_margin: value, ..Default::default() }.into(),
                "Contrastive",
                "positive_margin",
            ),
            (
                Contrastive { negative_margin: value, ..Default::default() }.into(),
                "Contrastive",
                "negative_margin",
            ),
            (Triplet { margin: value, ..Default::default() }.into(), "Triplet", "margin"),
            (
                LiftedStructured { margin: value, ..Default::default() }.into(),
                "LiftedStructured",
                "margin",
            ),
            (MultiMargin { margin: value, ..Default::default() }.into(), "MultiMargin", "margin"),
            (Margin { alpha: value, ..Default::default() }.into(), "Margin", "alpha"),
        ];
        for (loss, name, parameter) in losses {
            let allowed = "any finite number";
            let error = Error::Parameter { of: name, parameter, value: value.to_string(), allowed };
            fails(
                batch().check(&loss),
                error,
                &format!("{name}: {parameter} is {value}, allowed is {allowed}"),
            );
        }
    }
    for temperature in [0.0, -0.1, 1e-40, f32::NAN, f32::INFINITY] {
        let losses: [(Loss, &str); 2] = [
            (NtXent { temperature, ..Default::default() }.into(), "NtXent"),
            (SupCon { temperature, ..Default::default() }.into(), "SupCon"),
        ];
        for (loss, name) in losses {
            let (value, allowed) =
                (temperature.to_string(), "any finite number greater than 0, and not subnormal");
            let error = Error::Parameter { of: name, parameter: "temperature", value, allowed };
            let text = format!("{name}: temperature is {temperature}, allowed is {allowed}");
            fails(batch().check(&loss), error, &text);
        }
    }
    for power in [0, 3] {
        let losses: [(Loss, &str); 2] = [
            (Contrastive { power, ..Default::default() }.into(), "Contrastive"),
            (MultiMargin { power, ..Default::default() }.into(), "MultiMargin"),
        ];
        for (loss, name) in losses {
            let (value, allowed) = (power.to_string(), "1 or 2");
            let error = Error::Parameter { of: name, parameter: "power", value, allowed };
            fails(
                batch().check(&loss),
                error,
                &format!("{name}: power is {power}, allowed is 1 or 2"),
            );
        }
    }
}

#[test]
fn every_loss_takes_its_own_modes_only() {
    let references = batch().with_references(&ROWS, 3, &LABELS).unwrap();
    let prototypes = batch().with_prototypes(&ROWS, 3).unwrap();
    let scores = Batch::scores(&ROWS, [3, 2], &LABELS).unwrap();
    let classes = MultiMargin::default().into();
    let matrix = "batch and reference mode";
    let lists = "batch, reference, pair rows and pair indices mode";
    let pairs: [(Loss, &str); 6] = [
        (Contrastive::default().into(), lists),
        (Margin::default().into(), lists),
        (Margin { beta_per_class: true, ..Default::default() }.into(), matrix),
        (Triplet::default().into(), matrix),
        (NtXent::default().into(), matrix),
        (SupCon::default().into(), matrix),
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
    for batch in [&references, &prototypes, &scores] {
        rejected(&lifted, batch, "it takes batch mode");
    }
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

#[test]
fn every_error_has_a_kind() {
    let what = "embeddings";
    let during = "planning";
    let text = String::new;
    let kinds = [
        (
            ErrorKind::Input,
            vec![
                Error::Empty { what },
                Error::Length { what, expected: 2, actual: 1 },
                Error::Name { what, name: text(), known: &[] },
                Error::NotFinite { what, row: 0, column: 0 },
                Error::LabelOutOfRange { what, row: 0, label: None, limit: 1 },
                Error::IndexOutOfRange { what, row: 0, column: 0, limit: 1 },
                Error::PairWithItself { row: 0 },
                Error::Target { what, row: 0, column: 0, allowed: "0 or 1" },
                Error::NotInMode { what, mode: "batch" },
                Error::NotTaken { what },
                Error::NoLoss { loss: 1, limit: 1 },
                Error::Set { what },
                Error::Parameter { of: "SGD", parameter: what, value: text(), allowed: "1" },
                Error::Missing { what, reason: "it is needed" },
                Error::Buffer { what, problem: text() },
            ],
        ),
        (
            ErrorKind::Unsupported,
            vec![
                Error::Unsupported { of: "L2", what: text(), reason: text() },
                Error::MissingFeature { what: text(), feature: text() },
            ],
        ),
        (
            ErrorKind::Limit,
            vec![
                Error::TooLarge { what, rows: usize::MAX, columns: 2 },
                Error::Workspace { needed: 16, budget: 8, columns: 2 },
                Error::DeviceLimit { what, needed: 2, name: "maxBufferSize", limit: 1 },
                Error::TooLong { kernel: "distance", what, count: 2, limit: 1 },
                Error::BeyondPlan { what, count: 2, limit: 1 },
                Error::Overflow { what },
            ],
        ),
        (
            ErrorKind::Device,
            vec![
                Error::NoAdapter { searched: text() },
                Error::DeviceCreation { message: text() },
                Error::OutOfMemory { during, message: text() },
                Error::Gpu { during, message: text() },
                Error::DeviceLost { during },
            ],
        ),
        (
            ErrorKind::Runtime,
            vec![
                Error::Timeout { after: Duration::ZERO },
                Error::Cancelled,
                Error::NotComputed,
                Error::StepsLeftOut { left_out: 1, first: 0, steps: 1 },
            ],
        ),
    ];
    for (kind, errors) in kinds {
        errors.iter().for_each(|error| assert_eq!(error.kind(), kind, "{error:?}"));
    }
}
