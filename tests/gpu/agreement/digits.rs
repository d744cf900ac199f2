//! The bundled digits, real input: every loss over pairs, mining and form on many of them with one
//! distance, on the best adapter since this is about sums as long as users have them, and on the
//! first of them with every distance, on each adapter in turn. (The program runs the others: `evaluate`
//! without files.)

use npyz::NpyFile;
use support::agreement::Tally;
use support::losses::minings;
use wgpu_metric_learning::{
    ArcFace, Batch, Circle, Clip, CoSent, Contrastive, CosFace, Distance, FastAp, Form,
    GeneralizedLiftedStructured, LiftedStructured, Loss, Margin, Mode, MultiMargin,
    MultiSimilarity, Nca, NormalizedSoftmax, NtXent, ProxyAnchor, Reduction, Sampling, SigLip,
    SmoothAp, SoftTriple, SupCon, Triplet,
};

const IMAGES: &[u8] = include_bytes!("../../../cli/data/digits.npy");
const LABELS: &[u8] = include_bytes!("../../../cli/data/digits-labels.npy");
/// Many digits: several rounds of every loop over a row, and wide rows on GPUs. All 1,797 are no
/// other case, and the reference takes the square of their number.
const SHAPE: [usize; 2] = [1_200, 64];
const CLASSES: usize = 10;
/// The digits that every distance is held on.
const FIRST: usize = 300;

fn losses(distance: Distance, normalize: bool) -> Vec<Loss> {
    let contrastive = Contrastive { distance, normalize, ..Default::default() };
    let split = Contrastive { power: 1, reduction: Reduction::MeanNonZero, ..contrastive.clone() };
    let mut losses = vec![
        contrastive.into(),
        split.into(),
        Margin { distance, normalize, ..Default::default() }.into(),
    ];
    // Draws are by one distance only: another seed for each.
    let (seed, sampling) = (distance as u32, Sampling::DistanceWeighted);
    losses.push(Margin { normalize: true, sampling, seed, ..Default::default() }.into());
    losses.extend(
        minings()
            .map(|mining| Triplet { distance, normalize, mining, ..Default::default() }.into()),
    );
    let forms = Form::ALL;
    losses.extend(
        forms.map(|form| {
            LiftedStructured { distance, normalize, form, ..Default::default() }.into()
        }),
    );
    losses.push(MultiMargin { distance, normalize, ..Default::default() }.into());
    losses.push(NormalizedSoftmax { distance, normalize, ..Default::default() }.into());
    losses.push(CosFace { distance, normalize, ..Default::default() }.into());
    if distance == Distance::Cosine {
        losses.push(ArcFace { normalize, ..Default::default() }.into());
    }
    let centers_per_class = 2;
    losses.push(CosFace { distance, normalize, centers_per_class, ..Default::default() }.into());
    losses.push(SoftTriple { distance, normalize, centers_per_class, ..Default::default() }.into());
    losses.push(ProxyAnchor { distance, normalize, ..Default::default() }.into());
    losses.push(NtXent { distance, normalize, ..Default::default() }.into());
    losses.push(GeneralizedLiftedStructured { distance, normalize, ..Default::default() }.into());
    losses.push(Nca { distance, normalize, ..Default::default() }.into());
    for epsilon in [None, Some(0.1)] {
        losses.push(MultiSimilarity { distance, normalize, epsilon, ..Default::default() }.into());
    }
    if distance == Distance::Cosine {
        losses.push(Circle { normalize, ..Default::default() }.into());
    }
    let ends = normalize && matches!(distance, Distance::Euclidean | Distance::SquaredEuclidean);
    if distance == Distance::Cosine || ends {
        losses.push(FastAp { distance, normalize, ..Default::default() }.into());
    }
    losses.push(SmoothAp { distance, normalize, temperature: 0.1, ..Default::default() }.into());
    losses.push(SupCon { distance, normalize, ..Default::default() }.into());
    losses.push(SigLip { distance, normalize, ..Default::default() }.into());
    losses.push(Clip { distance, normalize, ..Default::default() }.into());
    losses.push(CoSent { distance, normalize, ..Default::default() }.into());
    losses
}

/// The first half of the digits against the others.
fn two_towers<'a>(images: &'a [f32], labels: &'a [u32]) -> Batch<'a> {
    let half = SHAPE[0] / 2;
    let (rows, references) = images.split_at(half * SHAPE[1]);
    let (labels, reference_labels) = labels.split_at(half);
    Batch::new(rows, [half, SHAPE[1]], labels)
        .and_then(|rows| rows.with_references(references, SHAPE[0] - half, reference_labels))
        .expect("valid halves")
}

/// The first half of the digits row by row with the second, by how near their numerals are.
fn scored_pairs<'a>(images: &'a [f32], targets: &'a [f32]) -> Batch<'a> {
    let half = SHAPE[0] / 2 * SHAPE[1];
    let shape = [SHAPE[0] / 2, SHAPE[1]];
    Batch::scored_pair_rows(&images[..half], &images[half..2 * half], shape, targets)
        .expect("valid halves")
}

#[test]
fn every_loss_and_distance_agrees_on_the_digits() {
    let mut images: Vec<f32> =
        NpyFile::new(IMAGES).and_then(NpyFile::into_vec).expect("the digits are an array");
    let mut labels: Vec<u32> =
        NpyFile::new(LABELS).and_then(NpyFile::into_vec).expect("their labels are one");
    images.truncate(SHAPE[0] * SHAPE[1]);
    labels.truncate(SHAPE[0]);
    // The first ten images are a 0, a 1, ... and a 9.
    assert!(labels[..CLASSES].iter().copied().eq(0..CLASSES as u32));
    let first = |rows: usize| {
        let batch = Batch::new(&images[..rows * SHAPE[1]], [rows, SHAPE[1]], &labels[..rows]);
        batch.expect("a valid batch")
    };
    let halves = labels.iter().zip(&labels[SHAPE[0] / 2..]).take(SHAPE[0] / 2);
    let nearness: Vec<f32> = halves.map(|(i, j)| -(i.abs_diff(*j) as f32)).collect();
    let [mut on_all, mut on_first] = [Tally::on_best(), Tally::in_turn()];
    let distances = Distance::ALL.into_iter().zip([false, true].into_iter().cycle());
    for (turn, (distance, normalize)) in distances.enumerate() {
        let losses = losses(distance, normalize);
        for (kind, loss) in losses.iter().enumerate() {
            let has_all = kind % Distance::ALL.len() == turn;
            let batch = first(if has_all { SHAPE[0] } else { FIRST });
            // Any rows will do for centres.
            let count = CLASSES * loss.centers_per_class();
            let prototypes = batch.with_prototypes(&images[..count * SHAPE[1]], count);
            let batch = match loss.modes()[0] {
                Mode::Prototypes | Mode::Scores => prototypes.expect("valid prototypes"),
                Mode::Reference => two_towers(&images, &labels),
                Mode::ScoredPairRows => scored_pairs(&images, &nearness),
                _ => batch,
            };
            let tally = if has_all { &mut on_all } else { &mut on_first };
            tally.hold(loss, &batch, "digits");
        }
    }
    on_all.conclude(0.2);
    on_first.conclude(0.2);
}
