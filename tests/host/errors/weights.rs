//! Weights that are none, and losses and inputs that take none.

use wgpu_metric_learning::{Batch, CoSent, Contrastive, Error, Loss, ProxyAnchor, Shape, Triplet};

use super::{ROWS, batch, fails};

#[test]
fn weights_are_finite_and_not_below_0() {
    assert!(batch().with_weights(&[0.0, -0.0, f32::MAX]).is_ok());
    for weight in [f32::NAN, f32::INFINITY, -1e-40] {
        let target = |what, row| Error::Target {
            what,
            row,
            column: 0,
            allowed: "any finite number from 0 on",
        };
        fails(
            batch().with_weights(&[1.0, weight, weight]),
            target("weights", 1),
            "weights at row 1, column 0 is not any finite number from 0 on",
        );
        fails(
            batch().with_class_weights(&[1.0, 1.0, weight]),
            target("class weights", 2),
            "class weights at row 2, column 0 is not any finite number from 0 on",
        );
    }
}

#[test]
fn every_row_has_a_weight() {
    fails(
        batch().with_weights(&[1.0, 2.0]),
        Error::Length { what: "weights", expected: 3, actual: 2 },
        "weights has 2 values, its shape asks for 3",
    );
    fails(
        batch().with_class_weights(&[1.0]),
        Error::LabelOutOfRange { what: "class weight", row: 1, label: Some(1), limit: 1 },
        "the label 1 of row 1 has no class weight: there are 1",
    );
    fails(
        batch().with_class_weights(&[]),
        Error::Empty { what: "the number of class weights" },
        "the number of class weights is 0: at least 1 is needed",
    );
}

#[test]
fn weights_are_those_of_anchors_pairs_and_triplets() {
    let pairs = Batch::pair_rows(&ROWS, &ROWS, [3, 2], &[0, 1, 1]).unwrap();
    assert!(pairs.with_weights(&[1.0; 3]).is_ok());
    fails(
        pairs.with_class_weights(&[1.0; 3]),
        Error::NotInMode { what: "class weights", mode: "pair rows" },
        "class weights cannot be given to inputs in pair rows mode",
    );
    let triplets = Batch::triplets(&ROWS, [3, 2], &[[0, 1, 2]; 5]).unwrap();
    fails(
        triplets.with_weights(&[1.0; 3]),
        Error::Length { what: "weights", expected: 5, actual: 3 },
        "weights has 3 values, its shape asks for 5",
    );
    let scored = Batch::scored_pair_rows(&ROWS, &ROWS, [3, 2], &[0.0; 3]).unwrap();
    fails(
        scored.with_weights(&[1.0; 3]),
        Error::NotInMode { what: "weights", mode: "scored pair rows" },
        "weights cannot be given to inputs in scored pair rows mode",
    );
    let anchor: Loss = ProxyAnchor::default().into();
    assert!(!anchor.takes_weights() && !Loss::from(CoSent::default()).takes_weights());
    assert!(Loss::from(Contrastive::default()).takes_weights());
    let shape = Shape::prototypes(3, 3, 2).with_weights();
    fails(
        anchor.check(&shape),
        Error::Unsupported {
            of: "ProxyAnchor",
            what: "weights".into(),
            reason: "its terms are not those of single anchors or pairs".into(),
        },
        "ProxyAnchor cannot take weights: its terms are not those of single anchors or pairs",
    );
}

/// What is given last stands.
#[test]
fn weights_are_of_rows_or_of_classes() {
    let batch = Batch::new(&ROWS, [3, 2], &[0, 1, 0]).unwrap();
    let by_class =
        batch.with_weights(&[1.0; 3]).and_then(|batch| batch.with_class_weights(&[2.0, 3.0]));
    let by_class = by_class.unwrap();
    assert_eq!((by_class.weights(), by_class.shape().class_weights()), (&[2.0, 3.0][..], 2));
    let by_row = by_class.with_weights(&[4.0, 5.0, 6.0]).unwrap();
    assert_eq!((by_row.weights(), by_row.shape().class_weights()), (&[4.0, 5.0, 6.0][..], 0));
    assert_eq!(by_row.check(&Triplet::default().into()), Ok(()));
}
