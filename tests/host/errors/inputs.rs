//! Inputs that are empty, too long or short, too large, not finite, or index what is not there.

use wgpu_metric_learning::{Batch, Contrastive, Error, Loss, Margin, Result, Shape, Triplet};

use super::{LABELS, ROWS, batch, fails};

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
