//! The lists of losses that the tests take theirs from: none is left out of them.

use std::collections::BTreeSet;

use support::fuzz::bytes::Random;
use support::fuzz::host::loss;
use support::fuzz::source::Source;
use support::losses::{losses, pointwise};
use wgpu_metric_learning::{Distance, Loss, Reduction};

fn names(losses: impl IntoIterator<Item = Loss>) -> BTreeSet<&'static str> {
    losses.into_iter().map(|loss| loss.name()).collect()
}

fn all() -> BTreeSet<&'static str> {
    Loss::NAMES.iter().copied().collect()
}

#[test]
fn every_loss_has_settings() {
    let over_pairs = losses(Distance::Euclidean, false, 1.0);
    assert_eq!(names(over_pairs.into_iter().chain(pointwise(Reduction::Mean, 1.0))), all());
}

#[test]
fn every_loss_is_drawn_from_random_bytes() {
    let mut random = Random(3);
    let drawn = (0..5_000).map(|_| loss(&mut Source(&random.bytes(64))));
    assert_eq!(names(drawn), all());
}
