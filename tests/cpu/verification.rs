//! Verification: the golden cases, all pairs against the same pairs in a list, and what is refused.

use support::goldens::verification;
use wgpu_metric_learning::measures::{Verification, Verified};
use wgpu_metric_learning::{Batch, Cpu, Distance, Error, reference};

#[test]
fn the_golden_cases_come_out_of_the_engine_and_of_the_reference() {
    for case in verification::cases() {
        let batch = case.batch();
        let found = Cpu::default().verify(&case.verification, &batch).wait().unwrap();
        case.hold(&found, "by the engine");
        let expected = reference::verify_with_bounds(&case.verification, &batch).unwrap();
        case.hold(&expected.verified, "by the reference");
        let comparison = expected.compare(&found);
        assert!(comparison.agrees(), "{}\n{comparison}", case.name);
    }
}

/// N rows of D multiples of 1 / 8, of which many pairs are at the same distances, in three classes.
fn rows<const N: usize, const D: usize>() -> (Vec<f32>, Vec<u32>) {
    let number = |at: usize| (at * 2_654_435_761 % 4_093 % 9) as f32 / 8.0;
    ((0..N * D).map(number).collect(), (0..N).map(|row| (row * row % 3) as u32).collect())
}

#[test]
fn all_pairs_are_those_of_a_list_in_every_workspace() {
    const N: usize = 150;
    let (embeddings, labels) = rows::<N, 3>();
    let batch = Batch::new(&embeddings, [N, 3], &labels).unwrap();
    let pairs: Vec<_> =
        (0..N as u32).flat_map(|i| (i + 1..N as u32).map(move |j| [i, j])).collect();
    let is_same = |&[i, j]: &[u32; 2]| u32::from(labels[i as usize] == labels[j as usize]);
    let same: Vec<_> = pairs.iter().map(is_same).collect();
    let list = Batch::pair_indices(&embeddings, [N, 3], &pairs, &same).unwrap();
    for distance in Distance::ALL.into_iter().filter(|distance| *distance != Distance::Cosine) {
        let verification = Verification { distance, ..Default::default() };
        let expected = Cpu::default().verify(&verification, &list).wait().unwrap();
        assert!(expected.auc > 0.1 && expected.auc < 0.9, "{expected:?}");
        // The second one cuts the matrix, and counts one upper half at a time.
        for bytes in [32 << 20, 40_000] {
            let cpu = Cpu::default().with_workspace_bytes(bytes);
            let found = cpu.verify(&verification, &batch).wait().unwrap();
            assert_eq!(found, expected, "{distance} in {bytes}");
        }
    }
}

#[test]
fn a_row_among_the_references_is_no_pair_with_itself() {
    let (embeddings, labels) = rows::<40, 3>();
    let batch = Batch::new(&embeddings, [40, 3], &labels).unwrap();
    let both = batch.with_references(&embeddings, 40, &labels).unwrap();
    let both = both.with_reference_offset(0).unwrap();
    let verify = |batch: &Batch| -> Verified {
        Cpu::default().verify(&Verification::default(), batch).wait().unwrap()
    };
    let (once, twice) = (verify(&batch), verify(&both));
    assert_eq!(2 * once.same_pairs, twice.same_pairs);
    assert_eq!(2 * once.different_pairs, twice.different_pairs);
    assert_eq!((once.auc, once.eer, once.tpr), (twice.auc, twice.eer, twice.tpr));
}

#[test]
fn what_cannot_be_verified_is_named() {
    let embeddings = [0.0, 1.0, 2.0];
    let refused = |verification: Verification, labels: &[u32]| {
        let batch = Batch::new(&embeddings, [3, 1], labels).unwrap();
        Cpu::default().verify(&verification, &batch).wait().unwrap_err()
    };
    let usual = Verification::default;
    let same = refused(usual(), &[1, 2, 3]);
    assert!(matches!(same, Error::Missing { what: "a pair that is the same", .. }), "{same}");
    let different = refused(usual(), &[1, 1, 1]);
    assert!(different.to_string().starts_with("a pair that is different is missing"));
    for fpr in [-0.1, 1.5, f64::NAN] {
        let rate = refused(Verification { tpr_at_fpr: vec![0.1, fpr], ..usual() }, &[1, 1, 2]);
        assert!(matches!(rate, Error::Parameter { parameter: "tpr_at_fpr", .. }), "{rate}");
    }
    let scores = Batch::scores(&embeddings, [1, 3], &[0]).unwrap();
    let mode = Cpu::default().verify(&usual(), &scores).wait().unwrap_err();
    assert!(mode.to_string().contains("inputs in scores mode"), "{mode}");
    let far = [0.0, 1.0, 3e38];
    let far = Batch::new(&far, [3, 1], &[1, 1, 2]).unwrap();
    let squares = Verification { distance: Distance::SquaredEuclidean, ..usual() };
    let overflow = Cpu::default().verify(&squares, &far).wait().unwrap_err();
    assert!(matches!(overflow, Error::Overflow { .. }), "{overflow}");
}
