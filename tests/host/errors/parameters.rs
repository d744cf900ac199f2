//! Parameters of losses outside their ranges.

use wgpu_metric_learning::{
    ArcFace, Circle, Clip, CoSent, Contrastive, CosFace, Distance, Error, FastAp,
    GeneralizedLiftedStructured, LiftedStructured, Loss, Margin, MultiMargin, MultiSimilarity, Nca,
    NormalizedSoftmax, NtXent, ProxyAnchor, SigLip, SmoothAp, SoftTriple, SupCon, Triplet,
};

use super::{batch, fails};

#[test]
fn parameters_are_finite_powers_one_or_two_and_temperatures_positive() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let losses: Vec<(Loss, &str, &str)> = vec![
            (
                Contrastive { positive_margin: value, ..Default::default() }.into(),
                "Contrastive",
                "positive_margin",
            ),
            (
                Contrastive { negative_margin: value, ..Default::default() }.into(),
                "Contrastive",
                "negative_margin",
            ),
            (Triplet { margin: value, ..Default::default() }.into(), "Triplet", "margin"),
            (
                LiftedStructured { margin: value, ..Default::default() }.into(),
                "LiftedStructured",
                "margin",
            ),
            (
                GeneralizedLiftedStructured { margin: value, ..Default::default() }.into(),
                "GeneralizedLiftedStructured",
                "margin",
            ),
            (MultiMargin { margin: value, ..Default::default() }.into(), "MultiMargin", "margin"),
            (
                MultiSimilarity { base: value, ..Default::default() }.into(),
                "MultiSimilarity",
                "base",
            ),
            (Margin { alpha: value, ..Default::default() }.into(), "Margin", "alpha"),
            (CosFace { margin: value, ..Default::default() }.into(), "CosFace", "margin"),
            (SoftTriple { margin: value, ..Default::default() }.into(), "SoftTriple", "margin"),
            (ProxyAnchor { margin: value, ..Default::default() }.into(), "ProxyAnchor", "margin"),
            (SigLip { bias: value, ..Default::default() }.into(), "SigLip", "bias"),
        ];
        for (loss, name, parameter) in losses {
            let allowed = "any finite number";
            let error = Error::Parameter { of: name, parameter, value: value.to_string(), allowed };
            fails(
                batch().check(&loss),
                error,
                &format!("{name}: {parameter} is {value}, allowed is {allowed}"),
            );
        }
    }
    for temperature in [0.0, -0.1, 1e-40, f32::NAN, f32::INFINITY] {
        let (alpha, beta, gamma) = (temperature, temperature, temperature);
        let losses: Vec<(Loss, &str, &str)> = vec![
            (NtXent { temperature, ..Default::default() }.into(), "NtXent", "temperature"),
            (SupCon { temperature, ..Default::default() }.into(), "SupCon", "temperature"),
            (Nca { temperature, ..Default::default() }.into(), "Nca", "temperature"),
            (SmoothAp { temperature, ..Default::default() }.into(), "SmoothAp", "temperature"),
            (MultiSimilarity { alpha, ..Default::default() }.into(), "MultiSimilarity", "alpha"),
            (MultiSimilarity { beta, ..Default::default() }.into(), "MultiSimilarity", "beta"),
            (Circle { gamma, ..Default::default() }.into(), "Circle", "gamma"),
            (
                NormalizedSoftmax { scale: gamma, ..Default::default() }.into(),
                "NormalizedSoftmax",
                "scale",
            ),
            (CosFace { scale: gamma, ..Default::default() }.into(), "CosFace", "scale"),
            (ArcFace { scale: gamma, ..Default::default() }.into(), "ArcFace", "scale"),
            (SigLip { scale: gamma, ..Default::default() }.into(), "SigLip", "scale"),
            (SoftTriple { gamma, ..Default::default() }.into(), "SoftTriple", "gamma"),
            (SoftTriple { scale: gamma, ..Default::default() }.into(), "SoftTriple", "scale"),
            (ProxyAnchor { alpha, ..Default::default() }.into(), "ProxyAnchor", "alpha"),
            (Clip { scale: gamma, ..Default::default() }.into(), "Clip", "scale"),
            (CoSent { scale: gamma, ..Default::default() }.into(), "CoSent", "scale"),
        ];
        for (loss, name, parameter) in losses {
            let (value, allowed) =
                (temperature.to_string(), "any finite number greater than 0, and not subnormal");
            let error = Error::Parameter { of: name, parameter, value, allowed };
            let text = format!("{name}: {parameter} is {temperature}, allowed is {allowed}");
            fails(batch().check(&loss), error, &text);
        }
    }
    for loss in [
        NormalizedSoftmax { centers_per_class: 0, ..Default::default() }.into(),
        CosFace { centers_per_class: 0, ..Default::default() }.into(),
        ArcFace { centers_per_class: 0, ..Default::default() }.into(),
        SoftTriple { centers_per_class: 0, ..Default::default() }.into(),
    ] {
        let loss: Loss = loss;
        let (of, parameter, value) = (loss.name(), "centers_per_class", "0".to_string());
        let error = Error::Parameter { of, parameter, value, allowed: "at least 1" };
        let text = format!("{of}: centers_per_class is 0, allowed is at least 1");
        fails(batch().check(&loss), error, &text);
    }
    for epsilon in [-0.1, f32::NAN, f32::INFINITY] {
        let loss = MultiSimilarity { epsilon: Some(epsilon), ..Default::default() }.into();
        let (value, allowed) = (epsilon.to_string(), "any finite number of at least 0");
        let error =
            Error::Parameter { of: "MultiSimilarity", parameter: "epsilon", value, allowed };
        let text = format!("MultiSimilarity: epsilon is {epsilon}, allowed is {allowed}");
        fails(batch().check(&loss), error, &text);
    }
    for margin in [-0.1, 1.1, f32::NAN, f32::INFINITY] {
        let loss = Circle { margin, ..Default::default() }.into();
        let (value, allowed) = (margin.to_string(), "0 to 1");
        let error = Error::Parameter { of: "Circle", parameter: "margin", value, allowed };
        let text = format!("Circle: margin is {margin}, allowed is {allowed}");
        fails(batch().check(&loss), error, &text);
    }
    let reason = "it is defined by cosines: it takes Cosine";
    let what = "Euclidean distances".to_string();
    fails(
        batch().check(&Circle { distance: Distance::Euclidean, ..Default::default() }.into()),
        Error::Unsupported { of: "Circle", what: what.clone(), reason: reason.into() },
        &format!("Circle cannot take {what}: {reason}"),
    );
    fails(
        batch().check(&ArcFace { distance: Distance::Euclidean, ..Default::default() }.into()),
        Error::Unsupported { of: "ArcFace", what: what.clone(), reason: reason.into() },
        &format!("ArcFace cannot take {what}: {reason}"),
    );
    for margin in [-0.1, 1.6, f32::NAN, f32::INFINITY] {
        let loss = ArcFace { margin, ..Default::default() }.into();
        let (value, allowed) = (margin.to_string(), "an angle of 0 to pi / 2");
        let error = Error::Parameter { of: "ArcFace", parameter: "margin", value, allowed };
        let text = format!("ArcFace: margin is {margin}, allowed is {allowed}");
        fails(batch().check(&loss), error, &text);
    }
    for bins in [0, 256] {
        let loss = FastAp { bins, ..Default::default() }.into();
        let (value, allowed) = (bins.to_string(), "1 to 255");
        let error = Error::Parameter { of: "FastAp", parameter: "bins", value, allowed };
        let text = format!("FastAp: bins is {bins}, allowed is {allowed}");
        fails(batch().check(&loss), error, &text);
    }
    let reason = "its bins end: it takes Cosine, and Euclidean and SquaredEuclidean with normalize";
    let what = "Euclidean distances, normalize false".to_string();
    fails(
        batch().check(&FastAp { distance: Distance::Euclidean, ..Default::default() }.into()),
        Error::Unsupported { of: "FastAp", what: what.clone(), reason: reason.into() },
        &format!("FastAp cannot take {what}: {reason}"),
    );
    for power in [0, 3] {
        let losses: [(Loss, &str); 2] = [
            (Contrastive { power, ..Default::default() }.into(), "Contrastive"),
            (MultiMargin { power, ..Default::default() }.into(), "MultiMargin"),
        ];
        for (loss, name) in losses {
            let (value, allowed) = (power.to_string(), "1 or 2");
            let error = Error::Parameter { of: name, parameter: "power", value, allowed };
            fails(
                batch().check(&loss),
                error,
                &format!("{name}: power is {power}, allowed is 1 or 2"),
            );
        }
    }
}
