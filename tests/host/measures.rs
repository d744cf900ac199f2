//! The reference of the retrieval measures against a plain count, and what its bounds see.

use support::changed::changed;
use support::goldens;
use support::ranking::{
    assert_near, batches, by_distance_and_column, counted, every_measure, farthest_first,
};
use support::sample::{Layout, Recipe, Sample, Values};
use wgpu_metric_learning::measures::{Measures, Retrieval};
use wgpu_metric_learning::{Batch, Distance, reference};

fn sample(layout: Layout) -> Sample {
    let values = Values::Ordinary;
    Sample::new(Recipe { n: 40, m: 33, d: 19, layout, values, extreme_labels: false })
}

#[test]
fn the_reference_counts_what_the_definition_says() {
    for (turn, distance) in Distance::ALL.into_iter().enumerate() {
        for layout in Layout::ALL {
            let sample = sample(layout);
            let normalize = turn % 2 == 1;
            let retrieval = Retrieval {
                distance,
                normalize,
                recall_at: vec![4, 1, 40, 1000],
                ..every_measure()
            };
            for batch in batches(&sample) {
                let expected = counted(&retrieval, &batch, by_distance_and_column);
                let actual = reference::measure(&retrieval, &batch).unwrap();
                assert_near(&actual, &expected, 1e-12, &format!("{retrieval:?} {layout:?}"));
            }
        }
    }
}

#[test]
fn the_reference_agrees_with_every_golden() {
    for case in goldens::measures::cases() {
        let actual = reference::measure(&case.retrieval, &case.batch()).unwrap();
        assert_near(&actual, &case.expected, 1e-12, &case.name);
    }
}

#[test]
fn a_wrong_order_is_caught() {
    let sample = sample(Layout::Balanced(5));
    let retrieval = every_measure();
    for batch in batches(&sample) {
        let expected = reference::measure_with_bounds(&retrieval, &batch).unwrap();
        let narrowed = |measures: Measures<f64>| measures.map(|number| number as f32);
        let right = narrowed(expected.measures.clone());
        assert!(expected.compare(&right).agrees());
        assert!(!expected.compare(&narrowed(counted(&retrieval, &batch, farthest_first))).agrees());
        let with = |change: fn(&mut Measures)| changed(right.clone(), change);
        let wrong = [
            with(|wrong| wrong.queries += 1),
            with(|wrong| wrong.counted -= 1),
            with(|wrong| wrong.precision_at_1 -= 1e-4),
            with(|wrong| wrong.recall.reverse()),
            with(|wrong| _ = wrong.recall.remove(0)),
            with(|wrong| wrong.r_precision -= 1e-4),
            with(|wrong| wrong.mean_average_precision_at_r = f32::NAN),
            with(|wrong| wrong.mean_reciprocal_rank += 1e-4),
            with(|wrong| wrong.mean_average_precision *= 1.001),
            with(|wrong| wrong.precision.reverse()),
            with(|wrong| wrong.ndcg[1] -= 1e-4),
        ];
        for wrong in wrong {
            let comparison = expected.compare(&wrong);
            assert!(!comparison.agrees() && comparison.worst().share > 1.0, "{comparison}");
        }
    }
}

#[test]
fn rounding_is_given_both_orders() {
    // The positive and the negative are nearly as far: f32 may rank either first.
    let near = [0.0, 0.1, 0.2, 1.1, 0.7, -0.3, -1.1 + f32::EPSILON, 0.6, 0.7];
    let batch = Batch::new(&near, [3, 3], &[1, 1, 2]).unwrap();
    let expected = reference::measure_with_bounds(&Retrieval::default(), &batch).unwrap();
    assert!(expected.bounds.precision_at_1 < 1e-6, "{expected:?}");
    let tied = [0.0, 0.0, 0.3, 0.4, 0.4, 0.3];
    let batch = Batch::new(&tied, [3, 2], &[1, 1, 2]).unwrap();
    let expected = reference::measure_with_bounds(&Retrieval::default(), &batch).unwrap();
    assert!(expected.bounds.precision_at_1 >= 0.5, "{expected:?}");
    // Duplicates are at exactly 0, where nothing is rounded.
    let batch = Batch::new(&[0.1, 0.1, 0.1, 0.1], [4, 1], &[1, 2, 2, 1]).unwrap();
    let expected = reference::measure_with_bounds(&Retrieval::default(), &batch).unwrap();
    assert!(expected.bounds.precision_at_1 < 1e-6, "{expected:?}");
    // Query 0 meets a 2 first, queries 1 and 2 the 1 of row 0, and query 3 its own label in row 0.
    assert_eq!(expected.measures.precision_at_1, 0.25);
}

#[test]
fn the_serde_form_takes_defaults_and_refuses_what_it_does_not_know() {
    let read = |text: &str| serde_json::from_str::<Retrieval>(text);
    assert_eq!(read("{}").unwrap(), Retrieval::default());
    let retrieval = Retrieval {
        distance: Distance::Cosine,
        normalize: true,
        recall_at: vec![3],
        precision_at: vec![5],
        ndcg_at: vec![10],
    };
    assert_eq!(read(&serde_json::to_string(&retrieval).unwrap()).unwrap(), retrieval);
    assert!(read(r#"{"recal_at":[1]}"#).unwrap_err().to_string().contains("recall_at"));
}
