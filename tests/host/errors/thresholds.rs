//! Thresholds.

use wgpu_metric_learning::{
    CoSent, Contrastive, Error, Loss, MeanSquaredError, Mining, Reduction, Thresholds, Triplet,
};

use super::{batch, fails};

fn within(low: f32, high: f32) -> Reduction {
    Reduction::MeanWithin(Thresholds { low: Some(low), high: Some(high) })
}

#[test]
fn thresholds_are_finite() {
    for (reduction, parameter, value) in
        [(within(f32::NAN, 1.0), "low", "NaN"), (within(0.0, f32::INFINITY), "high", "inf")]
    {
        let allowed = "any finite number";
        fails(
            batch().check(&Contrastive { reduction, ..Default::default() }.into()),
            Error::Parameter { of: "Contrastive", parameter, value: value.into(), allowed },
            &format!("Contrastive: {parameter} is {value}, allowed is {allowed}"),
        );
    }
}

#[test]
fn terms_that_are_not_found_one_by_one_take_no_thresholds() {
    let reduction = within(0.1, 1.0);
    for mining in [Mining::All, Mining::Hard] {
        let triplet = Triplet { reduction, mining, ..Default::default() };
        assert!(batch().check(&triplet.into()).is_ok());
    }
    let of_all_pairs = CoSent { reduction, ..Default::default() };
    for (loss, others) in [
        (Loss::from(of_all_pairs), "Sum and Mean"),
        (MeanSquaredError { reduction }.into(), "Sum, Mean and MeanNonZero"),
    ] {
        assert!(!loss.takes_thresholds());
        let message =
            format!("{} cannot take the reduction MeanWithin: it takes {others}", loss.name());
        assert_eq!(batch().check(&loss).unwrap_err().to_string(), message);
    }
    let takes = Loss::NAMES.iter().filter(|name| {
        let loss = serde_json::from_value(serde_json::json!({ "loss": name }));
        let loss: Loss = loss.expect("every loss has defaults");
        loss.takes_thresholds()
    });
    // All over pairs but CoSent.
    assert_eq!(takes.count(), 20);
}

#[test]
fn the_json_form_has_one_threshold_or_both() {
    let read = |text: &str| serde_json::from_str::<Reduction>(text);
    for (low, high, text) in [
        (Some(0.25), Some(1.5), r#"{"MeanWithin":{"low":0.25,"high":1.5}}"#),
        (Some(0.0), None, r#"{"MeanWithin":{"low":0.0}}"#),
        (None, Some(-2.0), r#"{"MeanWithin":{"high":-2.0}}"#),
    ] {
        let reduction = Reduction::MeanWithin(Thresholds { low, high });
        assert_eq!(read(text).unwrap(), reduction);
        assert_eq!(read(&serde_json::to_string(&reduction).unwrap()).unwrap(), reduction);
    }
    assert!(read(r#"{"MeanWithin":{"lower":1.0}}"#).is_err());
    assert_eq!("meannonzero".parse(), Ok(Reduction::MeanNonZero));
    assert!("MeanWithin".parse::<Reduction>().is_err());
}
