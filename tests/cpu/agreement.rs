//! Results within the bounds of the reference.

use support::agreement::Tally;
use support::bits::bits;
use support::goldens;
use support::losses::{losses, minings, pointwise};
use support::ranking::every_measure;
use support::sample::{Layout, Recipe, Sample, Values};
use wgpu_metric_learning::measures::Retrieval;
use wgpu_metric_learning::{
    Batch, Contrastive, Cpu, CrossEntropy, Distance, Reduction, Triplet, Weighted, reference,
};

use super::{for_every_variant, small};

/// N and D: the edges of the tiles of 4, 8 and 16 and of the blocks of 32 and 128, from both sides.
const SIZES: [[usize; 2]; 16] = [
    [1, 1],
    [1, 67],
    [2, 1],
    [3, 3],
    [5, 131],
    [7, 16],
    [8, 15],
    [9, 17],
    [16, 5],
    [17, 32],
    [31, 2],
    [33, 9],
    [64, 8],
    [127, 4],
    [129, 3],
    [130, 33],
];

/// M for each of the sizes in turn.
const REFERENCES: [usize; 5] = [1, 16, 3, 130, 65];

fn tally() -> Tally {
    Tally::on_cpu(Cpu::default())
}

#[test]
fn every_golden_case() {
    let mut tally = tally();
    for case in goldens::cases() {
        tally.hold(&case.loss, &case.batch(), &case.name);
    }
    tally.conclude(0.009);
}

/// Held by the whole matrix in one stripe, and by stripes of a few rows.
#[test]
fn sizes_around_every_edge() {
    let mut tallies =
        [Cpu::default(), Cpu::default().with_workspace_bytes(4 * 16 * 130)].map(Tally::on_cpu);
    for (turn, [n, d]) in SIZES.into_iter().enumerate() {
        let recipe = Recipe {
            n,
            m: REFERENCES[turn % REFERENCES.len()],
            d,
            layout: Layout::ALL[turn % Layout::ALL.len()],
            values: Values::Ordinary,
            extreme_labels: turn % 2 == 0,
        };
        let distance = Distance::ALL[turn % Distance::ALL.len()];
        for_every_variant(
            distance,
            (turn / Distance::ALL.len()).is_multiple_of(2),
            recipe,
            |loss, batch| {
                tallies.iter_mut().for_each(|tally| tally.hold(loss, batch, "sizes"));
            },
        );
    }
    tallies.into_iter().for_each(|tally| tally.conclude(0.0));
}

#[test]
fn every_loss_with_every_distance() {
    let mut tally = tally();
    for distance in Distance::ALL {
        for (normalize, layout) in [(false, Layout::Balanced(5)), (true, Layout::Giant)] {
            let recipe = small(layout, Values::Ordinary);
            for_every_variant(distance, normalize, recipe, |loss, batch| {
                tally.hold(loss, batch, "ordinary");
            });
        }
    }
    tally.conclude(0.0);
}

#[test]
fn hard_values() {
    let mut tally = tally();
    for values in Values::HARD.into_iter().chain([Values::Near(1e-6), Values::Mixed]) {
        for distance in Distance::ALL {
            for normalize in [false, true] {
                let recipe = small(Layout::Balanced(5), values);
                for_every_variant(distance, normalize, recipe, |loss, batch| {
                    tally.hold(loss, batch, &format!("{values:?}"));
                });
            }
        }
    }
    assert!(tally.overflows() > 0, "squares of 1e25 do not fit into f32");
    tally.conclude(0.011);
}

#[test]
fn duplicates_are_at_0_and_have_no_gradient() {
    let rows = [0.3, -0.2, 0.9].repeat(6);
    let batch = Batch::new(&rows, [6, 3], &[0, 0, 0, 1, 1, 1]).unwrap();
    for distance in Distance::ALL.into_iter().filter(|&one| one != Distance::InnerProduct) {
        let loss = Contrastive { distance, ..Default::default() };
        let evaluation = Cpu::default().evaluate(loss, &batch).wait().unwrap();
        assert_eq!(evaluation.mean_positive_distance, 0.0, "{distance:?}");
        assert_eq!(evaluation.gradient, [0.0; 18], "{distance:?}");
    }
}

#[test]
fn pointwise_losses() {
    let mut tally = tally();
    for values in [Values::Ordinary, Values::Scaled(1e-40), Values::Scaled(1e3), Values::Mixed] {
        for [n, d] in [[1, 1], [3, 17], [41, 5]] {
            let recipe = Recipe { n, d, ..small(Layout::Balanced(5), values) };
            let sample = Sample::new(recipe);
            for reduction in [Reduction::Sum, Reduction::Mean, Reduction::MeanNonZero] {
                for loss in pointwise(reduction, values.magnitude()) {
                    if loss.reductions().any(|one| one == reduction) {
                        let batches = sample.batches(&loss);
                        batches.iter().for_each(|batch| tally.hold(&loss, batch, "pointwise"));
                    }
                }
            }
        }
    }
    tally.conclude(0.13);
}

/// Up to 32 positives meet every negative, more of them are sorted.
#[test]
fn anchors_with_few_and_many_positives() {
    let mut tally = tally();
    for (classes, n) in [(2, 16), (2, 66), (2, 68), (1, 9), (40, 360), (3, 300)] {
        let recipe = Recipe { n, d: 3, ..small(Layout::Balanced(classes), Values::Ordinary) };
        let sample = Sample::new(recipe);
        for mining in minings() {
            for soft in [false, true] {
                for distance in [Distance::Euclidean, Distance::Manhattan] {
                    let loss = Triplet { mining, soft, distance, ..Triplet::default() }.into();
                    let batches = sample.batches(&loss);
                    batches.iter().for_each(|batch| tally.hold(&loss, batch, "positives"));
                }
            }
        }
    }
    tally.conclude(0.0);
}

/// Of rows and of classes; held whole, and by stripes.
#[test]
fn anchors_with_weights() {
    let cut = Cpu::default().with_workspace_bytes(4 * 40 * 10);
    for cpu in [Cpu::default(), cut] {
        let mut tally = Tally::on_cpu(cpu);
        for (turn, distance) in Distance::ALL.into_iter().enumerate() {
            let sample = Sample::new(small(Layout::Balanced(5), Values::Ordinary));
            for loss in losses(distance, turn % 2 == 0, 1.0) {
                for batch in sample.weighted_batches(&loss) {
                    tally.hold(&loss, &batch, "weights");
                }
            }
        }
        tally.conclude(0.0);
    }
}

#[test]
fn weights_of_1_change_no_bit() {
    let sample = Sample::new(small(Layout::Balanced(5), Values::Ordinary));
    for loss in losses(Distance::Euclidean, false, 1.0) {
        for batch in sample.batches(&loss).iter().filter(|_| loss.takes_weights()) {
            let Ok(weighted) = batch.with_weights(&[1.0; 40]) else { continue };
            let [one, other] = [batch, &weighted]
                .map(|batch| bits(&Cpu::default().evaluate(&loss, batch).wait().unwrap()));
            assert_eq!(one, other, "{loss:?}");
        }
    }
}

/// Coordinates on a grid, so that many distances are equal: the lower index is chosen.
#[test]
fn ties_go_to_the_lowest_index() {
    let rows: Vec<f32> = (0..60).map(|at| f32::from(at as u8 * 7 % 3)).collect();
    let labels: Vec<u32> = (0..30).map(|row| row % 3).collect();
    let batch = Batch::new(&rows, [30, 2], &labels).unwrap();
    for mining in minings() {
        let loss = Triplet { mining, distance: Distance::Manhattan, ..Triplet::default() };
        let expected = reference::evaluate(&loss, &batch).unwrap();
        let actual = Cpu::default().evaluate(&loss, &batch).wait().unwrap();
        let off = actual.gradient.iter().zip(&expected.gradient);
        let off = off.map(|(&one, other)| (f64::from(one) - other).abs()).fold(0.0, f64::max);
        assert!(off < 1e-6, "{mining:?} is off by {off}");
    }
}

#[test]
fn many_dimensions_and_long_rows() {
    let mut tally = tally();
    for (n, m, d) in [(9, 5, 4099), (2, 70_001, 3)] {
        let recipe = Recipe { n, m, d, ..small(Layout::Balanced(2), Values::Ordinary) };
        let sample = Sample::new(recipe);
        for distance in Distance::ALL {
            let loss = Contrastive { distance, ..Contrastive::default() }.into();
            sample.batches(&loss).iter().for_each(|batch| tally.hold(&loss, batch, "long"));
        }
    }
    tally.conclude(0.0);
}

#[test]
fn every_golden_of_the_measures() {
    for case in goldens::measures::cases() {
        let expected = reference::measure_with_bounds(&case.retrieval, &case.batch()).unwrap();
        let actual = Cpu::default().measure(&case.retrieval, &case.batch()).wait().unwrap();
        let comparison = expected.compare(&actual);
        assert!(comparison.agrees(), "{}\n{comparison}", case.name);
    }
}

#[test]
fn measures() {
    let mut seen = 0;
    for layout in Layout::ALL {
        for values in [Values::Ordinary, Values::Duplicates, Values::Near(1e-6)] {
            let sample = Sample::new(small(layout, values));
            for distance in Distance::ALL {
                let retrieval = Retrieval { distance, ..every_measure() };
                for batch in sample.batches(&Triplet::default().into()) {
                    let expected = reference::measure_with_bounds(&retrieval, &batch).unwrap();
                    let few_rows = Cpu::default().with_workspace_bytes(4 * 40 * 3);
                    let actual = few_rows.measure(&retrieval, &batch).wait().unwrap();
                    let comparison = expected.compare(&actual);
                    assert!(
                        comparison.agrees(),
                        "{layout:?} {values:?} {distance:?}\n{comparison}"
                    );
                    seen += u32::from(expected.notices(&actual, 0.01) == Some(true));
                }
            }
        }
    }
    assert!(seen > 50, "{seen} comparisons see something");
}

#[test]
fn objectives() {
    let sample = Sample::new(small(Layout::Balanced(5), Values::Ordinary));
    let logits = Sample::new(small(Layout::Balanced(5), Values::Scaled(3.0)));
    let [triplet, contrastive] = [Triplet::default().into(), Contrastive::default().into()];
    let head = CrossEntropy::default().into();
    for (against, weights) in [(0, [0.5, -2.0, 3.0]), (1, [1.0, 1e-3, 0.0])] {
        let objective = [
            Weighted::new(weights[0], &triplet, sample.batches(&triplet)[against]),
            Weighted::new(weights[1], &contrastive, sample.batches(&contrastive)[against]),
            Weighted::new(weights[2], &head, logits.batches(&head)[0]).over(1),
        ];
        let expected = reference::evaluate_objective_with_bounds(&objective).unwrap();
        let actual = Cpu::default().evaluate_objective(&objective).wait().unwrap();
        let comparison = expected.compare(&actual);
        assert!(comparison.agrees(), "{comparison}");
        assert_eq!(expected.notices(&actual, 0.01), Some(true));
    }
}

/// References that contain the queries, one of them with another label than there.
#[test]
fn own_rows_are_left_out() {
    let rows: Vec<f32> = (0..48).map(|at| (at * 37 % 101) as f32 / 50.0 - 1.0).collect();
    let labels: Vec<u32> = (0..16).map(|row| row % 3).collect();
    let batch = Batch::new(&rows[15..36], [7, 3], &[2, 0, 1, 1, 0, 1, 2])
        .and_then(|batch| batch.with_references(&rows, 16, &labels))
        .and_then(|batch| batch.with_reference_offset(5))
        .expect("own rows");
    let mut tally = tally();
    for distance in Distance::ALL {
        tally.hold(&Triplet { distance, ..Default::default() }.into(), &batch, "own rows");
        tally.hold(&Contrastive { distance, ..Default::default() }.into(), &batch, "own rows");
    }
    tally.conclude(0.0);
}
