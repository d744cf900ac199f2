//! The kernels against the reference: sizes around the edges of every tile, layouts of classes, hard
//! values. Every loss is held with every distance on every adapter; of the many cases that are about
//! what the kernels do each is held on one adapter, in turn.

use support::agreement::Tally;
use support::losses::{losses, minings, reach};
use support::sample::{Layout, Recipe, Sample, Values};
use wgpu_metric_learning::{Batch, Contrastive, Distance, MultiMargin, Triplet};

/// N and D: every edge of the tiles of 16 and 64, of the workgroups of 64 and 256, and of the
/// vectors of 4, from both sides.
const SIZES: [[usize; 2]; 24] = [
    [1, 1],
    [1, 67],
    [2, 1],
    [2, 4],
    [3, 3],
    [5, 521],
    [15, 16],
    [16, 15],
    [16, 64],
    [17, 17],
    [31, 5],
    [63, 65],
    [64, 63],
    [64, 64],
    [65, 2],
    [65, 130],
    [67, 16],
    [127, 5],
    [129, 67],
    [131, 17],
    [255, 3],
    [256, 4],
    [257, 1],
    [257, 65],
];

/// M for each of the sizes in turn.
const REFERENCES: [usize; 7] = [1, 64, 3, 257, 65, 17, 130];

#[test]
fn sizes_around_every_edge() {
    let mut tally = Tally::in_turn();
    for (turn, [n, d]) in SIZES.into_iter().enumerate() {
        // A third of the losses in turn; `validate` goes through all.
        for kind in (turn % 3..variants()).step_by(3) {
            let layout = Layout::ALL[(turn + kind) % Layout::ALL.len()];
            let m = REFERENCES[(turn + kind) % REFERENCES.len()];
            let recipe = Recipe {
                n,
                m,
                d,
                layout,
                values: Values::Ordinary,
                extreme_labels: (turn / 2 + kind) % 2 == 0,
            };
            let distance = Distance::ALL[(turn + 2 * kind) % Distance::ALL.len()];
            hold_kind(
                &mut tally,
                kind,
                distance,
                (turn / Distance::ALL.len() + kind).is_multiple_of(2),
                recipe,
            );
        }
    }
    tally.conclude(0.01);
}

#[test]
fn every_loss_with_every_distance() {
    let mut tally = Tally::new();
    for distance in Distance::ALL {
        for kind in 0..variants() {
            let recipe = Recipe { values: Values::Ordinary, ..small(Layout::ALL[kind % 3]) };
            hold_kind(&mut tally, kind, distance, kind % 2 == 0, recipe);
        }
    }
    tally.conclude(0.0);
}

#[test]
fn hard_values() {
    let mut tally = Tally::in_turn();
    for (turn, values) in Values::HARD.into_iter().enumerate() {
        for kind in 0..variants() {
            // The distances in turn; `validate` goes through all.
            let distance = Distance::ALL[(turn + kind) % Distance::ALL.len()];
            let recipe = Recipe { values, ..small(Layout::Balanced(5)) };
            hold_kind(&mut tally, kind, distance, false, recipe);
        }
    }
    assert!(tally.overflows() > 0, "squares of 1e25 do not fit into f32");
    tally.conclude(0.2);
}

#[test]
fn hard_values_normalized() {
    let mut tally = Tally::in_turn();
    let values = [
        Values::Duplicates,
        Values::Near(1e-3),
        Values::NearFar(1e-3),
        Values::ZeroRows,
        Values::Scaled(1e-25),
        Values::Scaled(1e25),
    ];
    for values in values {
        for kind in 0..variants() {
            for distance in [
                Distance::ALL[kind % Distance::ALL.len()],
                Distance::ALL[(kind + 2) % Distance::ALL.len()],
            ] {
                let recipe = Recipe { values, ..small(Layout::Balanced(5)) };
                hold_kind(&mut tally, kind, distance, true, recipe);
            }
        }
    }
    tally.conclude(0.2);
}

#[test]
fn magnitudes_far_apart_in_one_batch() {
    let mut tally = Tally::in_turn();
    for distance in Distance::ALL {
        for kind in 0..variants() {
            for normalize in [false, true] {
                let recipe = Recipe { values: Values::Mixed, ..small(Layout::Balanced(5)) };
                hold_kind(&mut tally, kind, distance, normalize, recipe);
            }
        }
    }
    tally.conclude(0.2);
}

/// An outlier must not cost the ordinary rows of its batch their digits.
#[test]
fn one_value_far_beyond_all_others() {
    const SHAPE: [usize; 2] = [24, 7];
    let sample = Sample::new(Recipe { n: SHAPE[0], d: SHAPE[1], ..small(Layout::Balanced(4)) });
    let labels: Vec<u32> = (0..SHAPE[0] as u32).map(|row| row % 4).collect();
    let mut tally = Tally::in_turn();
    for outlier in [1e6, 1e12, 1e18, 1e22, 1e30] {
        let mut embeddings = sample.embeddings().to_vec();
        embeddings[3 * SHAPE[1] + 2] = outlier;
        let batch = Batch::new(&embeddings, SHAPE, &labels).unwrap();
        for distance in [Distance::Euclidean, Distance::Manhattan, Distance::InnerProduct] {
            for mining in minings() {
                tally.hold(
                    &Triplet { distance, mining, ..Default::default() }.into(),
                    &batch,
                    "outlier",
                );
            }
        }
    }
    // Gradients and means of InnerProduct are as large as the outlier: there the bounds of some
    // numbers see nothing else.
    tally.conclude(0.2);
}

/// A row of norm 0 has distance 1 from everything, and pulls at nothing.
#[test]
fn rows_of_norm_zero_beside_few_others() {
    let ordinary = [0.3, -0.2, 0.9, 0.4, -0.7];
    let embeddings = [[0.0; 5], ordinary, ordinary.map(|x| 0.1 - x)].concat();
    let mut tally = Tally::new();
    for n in [2, 3] {
        let batch = Batch::new(&embeddings[..5 * n], [n, 5], &[1, 2, 3][..n]).unwrap();
        for power in [1, 2] {
            let loss = Contrastive {
                distance: Distance::Cosine,
                negative_margin: 2.0,
                power,
                ..Default::default()
            };
            tally.hold(&loss.into(), &batch, "zero row");
        }
    }
    tally.conclude(0.5);
}

#[test]
fn prototypes_and_scores_of_few_and_many_classes() {
    let mut tally = Tally::new();
    for (turn, classes) in [1, 2, 10, 300].into_iter().enumerate() {
        let turns = [turn, turn + 3].map(|turn| turn % Distance::ALL.len());
        for (kind, distance) in losses_of("MultiMargin").into_iter().zip(turns) {
            let recipe = Recipe { n: 45, d: 11, ..small(Layout::Balanced(classes)) };
            hold_kind(&mut tally, kind, Distance::ALL[distance], turn % 2 == 0, recipe);
        }
    }
    tally.conclude(0.0);
}

/// The triplet kernels take the positives of an anchor in chunks of 1,024.
#[test]
fn anchors_with_as_many_positives_as_a_chunk_holds_and_one_more_or_less() {
    const POSITIVES: [usize; 6] = [1023, 1024, 1025, 2100, 1, 0];
    const OTHERS: usize = 90;
    let labels: Vec<u32> = (0..POSITIVES.len() as u32).chain([3]).collect();
    let others = POSITIVES.len() as u32..;
    let reference_labels: Vec<u32> = shuffled(
        POSITIVES
            .into_iter()
            .chain([OTHERS])
            .zip((0..5).chain(others))
            .flat_map(|(count, label)| vec![label; count]),
    );
    let (n, m, d) = (labels.len(), reference_labels.len(), 3);
    let sample = Sample::new(Recipe { n, m, d, ..small(Layout::Distinct) });
    let batch = Batch::new(sample.embeddings(), [n, d], &labels)
        .and_then(|batch| batch.with_references(sample.references(), m, &reference_labels))
        .unwrap();
    let mut tally = Tally::in_turn();
    for mining in minings() {
        for soft in [false, true] {
            tally.hold(&Triplet { mining, soft, ..Triplet::default() }.into(), &batch, "chunks");
        }
    }
    tally.conclude(0.0);
}

#[test]
fn a_batch_with_more_positives_than_a_chunk_holds() {
    const N: usize = 1126;
    let labels: Vec<u32> = shuffled((0..N as u32).map(|row| row.saturating_sub(1025).min(2)));
    let sample = Sample::new(Recipe { n: N, m: 1, d: 3, ..small(Layout::Distinct) });
    let batch = Batch::new(sample.embeddings(), [N, 3], &labels).unwrap();
    let mut tally = Tally::in_turn();
    for mining in minings() {
        tally.hold(&Triplet { mining, ..Triplet::default() }.into(), &batch, "chunks");
    }
    tally.conclude(0.0);
}

/// Longer than 65,535: llvmpipe stops an invocation's loops there, silently.
#[test]
fn rows_longer_than_any_counter_of_16_bits() {
    const M: usize = 70_001;
    let labels = |positives: usize| shuffled((0..M).map(|column| u32::from(column >= positives)));
    let few = [labels(1024), labels(M - 1500)];
    let sample = Sample::new(Recipe { n: 1, m: M, d: 2, ..small(Layout::Distinct) });
    let mut tally = Tally::in_turn();
    for (reference_labels, all) in few.iter().zip([true, false]) {
        let batch = Batch::new(sample.embeddings(), [1, 2], &[0])
            .and_then(|batch| batch.with_references(sample.references(), M, reference_labels))
            .unwrap();
        tally.hold(&Contrastive::default().into(), &batch, "long rows");
        for mining in minings() {
            for soft in [false, true] {
                if all || !soft {
                    tally.hold(
                        &Triplet { mining, soft, ..Triplet::default() }.into(),
                        &batch,
                        "long rows",
                    );
                }
            }
        }
    }
    tally.conclude(0.0);
}

/// A memory bank whose gradient sums up more steps of 16 than that.
#[test]
fn hundreds_of_thousands_of_references() {
    const M: usize = 300_001;
    let sample = Sample::new(Recipe { n: 2, m: M, d: 3, ..small(Layout::Balanced(2)) });
    let loss = Contrastive::default().into();
    let mut tally = Tally::new();
    tally.hold(&loss, &sample.batches(&loss)[1], "long rows");
    tally.conclude(0.0);
}

#[test]
fn more_rows_than_one_dimension_of_a_dispatch() {
    const N: usize = 70_000;
    let sample = Sample::new(Recipe { n: N, m: 6, d: 2, ..small(Layout::Balanced(3)) });
    let loss = MultiMargin::default().into();
    let mut tally = Tally::new();
    for batch in sample.batches(&loss) {
        tally.hold(&loss, &batch, "many rows");
    }
    for loss in [Contrastive::default().into(), Triplet::default().into()] {
        tally.hold(&loss, &sample.batches(&loss)[1], "many rows");
    }
    tally.conclude(0.0);
}

#[test]
fn many_dimensions() {
    let mut tally = Tally::new();
    let sample = Sample::new(Recipe { n: 9, m: 5, d: 8192, ..small(Layout::Balanced(3)) });
    for distance in Distance::ALL {
        let loss = Contrastive { distance, ..Contrastive::default() }.into();
        for batch in sample.batches(&loss) {
            tally.hold(&loss, &batch, "many dimensions");
        }
    }
    tally.conclude(0.5);
}

/// N = 40, D = 19, M = 33 of ordinary values.
fn small(layout: Layout) -> Recipe {
    Recipe { n: 40, m: 33, d: 19, layout, values: Values::Ordinary, extreme_labels: false }
}

fn hold_kind(tally: &mut Tally, kind: usize, distance: Distance, normalize: bool, recipe: Recipe) {
    let loss = &losses(
        distance,
        normalize,
        reach(distance, normalize, recipe.d, recipe.values.magnitude()),
    )[kind];
    let sample = Sample::new(recipe);
    for batch in sample.batches(loss) {
        tally.hold(loss, &batch, &format!("{:?} {:?}", recipe.layout, recipe.values));
    }
}

fn variants() -> usize {
    losses(Distance::Euclidean, false, 1.0).len()
}

/// The places of a loss's variants.
fn losses_of(name: &str) -> Vec<usize> {
    let losses = losses(Distance::Euclidean, false, 1.0);
    losses
        .iter()
        .enumerate()
        .filter(|(_, loss)| loss.name() == name)
        .map(|(place, _)| place)
        .collect()
}

/// The labels in an order that has nothing to do with theirs.
fn shuffled(labels: impl IntoIterator<Item = u32>) -> Vec<u32> {
    let labels: Vec<_> = labels.into_iter().collect();
    let stride = (labels.len() / 2..).find(|&stride| gcd(stride, labels.len()) == 1).unwrap_or(1);
    (0..labels.len()).map(|place| labels[place * stride % labels.len()]).collect()
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
