//! What `fuzz/` runs without end, on a bounded number of random and mutated inputs that are the
//! same in every run: nothing panics or takes memory without bounds, and every error is one line
//! that names something.

use support::fuzz::bytes::Random;
use support::fuzz::{host, program};

#[test]
fn any_inputs_of_the_host() {
    let mut random = Random(1);
    let has_result = |_: &usize| {
        let length = 100 + random.below(400);
        host::evaluate(&random.bytes(length))
    };
    let results = (0..20_000).filter(has_result).count();
    assert!(results > 1000, "only {results} had a result");
}

#[test]
fn any_objective() {
    let seeds = [
        "Triplet",
        r#"{"loss":"Triplet","margin":0.2,"mining":"Hard","distance":"Cosine","normalize":true,"soft":false}"#,
        r#"[{"loss":"CrossEntropy","weight":1e-3},{"loss":"Margin","beta_per_class":true,"seed":7,"sampling":"All"}]"#,
        r#"{"loss":"Contrastive","power":1,"reduction":"HadsellMean","positive_margin":-1.5e2,"weight":2}"#,
    ];
    is_robust(&seeds.map(str::as_bytes), program::read_objective);
    assert!(!program::read_objective(&b"[".repeat(100_000)));
}

#[test]
fn any_file() {
    let file = |descr: &str, order: &str, shape: &str, bytes: usize| {
        let header =
            format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
        let length = (header.len() as u16).to_le_bytes();
        [&b"\x93NUMPY\x01\x00"[..], &length, header.as_bytes(), &vec![1; bytes]].concat()
    };
    let seeds = [
        file("<f4", "False", "(3, 2)", 24),
        file("<u4", "False", "(5,)", 20),
        file("<f4", "False", "(9, 0)", 0),
        file(">f8", "True", "(3, 2)", 48),
        file("<f2", "False", "()", 2),
        file("<i8", "False", "(2, 3)", 48),
        file("|b1", "False", "(4, 1)", 4),
        file("|S3", "False", "(4,)", 12),
    ];
    is_robust(&seeds.each_ref().map(|seed| &seed[..]), program::read_npy);
    let nested = b"\x93NUMPY\x01\x00\x10\x27".iter().chain([b'{'; 10_000].iter()).copied();
    assert!(!program::read_npy(&nested.collect::<Vec<_>>()));
    assert!(!program::read_npy(&file("<U0", "False", "(1000000000,)", 0)));
}

/// Reads each seed, mutations of it, and noise.
fn is_robust(seeds: &[&[u8]], read: impl Fn(&[u8]) -> bool) {
    let mut random = Random(2);
    for seed in seeds {
        assert!(read(seed), "{}", String::from_utf8_lossy(seed));
        let kept = (0..2000).filter(|_| read(&random.mutate(seed))).count();
        assert!(kept > 0 && kept < 2000, "{kept} of 2000 mutations are valid");
    }
    for _ in 0..500 {
        let length = random.below(200);
        read(&random.bytes(length));
    }
}
