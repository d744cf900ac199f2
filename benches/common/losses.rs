//! What is benchmarked, by name.

use serde_json::json;
use wgpu_metric_learning::{Form, LiftedStructured, Loss, Margin, Mining, Sampling, Triplet};

/// Every loss with its defaults, and every setting beside distance and reduction that chooses other
/// kernels.
pub(crate) fn losses() -> Vec<(String, Loss)> {
    let default = |&name: &&str| {
        let loss = serde_json::from_value(json!({ "loss": name })).expect("the name of a loss");
        (name.to_owned(), loss)
    };
    let mut losses: Vec<_> = Loss::NAMES.iter().map(default).collect();
    let mined = Mining::ALL.into_iter().filter(|&mining| mining != Mining::default());
    losses.extend(mined.map(|mining| {
        (format!("Triplet {mining:?}"), Triplet { mining, ..Default::default() }.into())
    }));
    let settings: [(&str, Loss); 3] = [
        ("Triplet soft", Triplet { soft: true, ..Default::default() }.into()),
        (
            "LiftedStructured Exact",
            LiftedStructured { form: Form::Exact, ..Default::default() }.into(),
        ),
        (
            "Margin DistanceWeighted",
            Margin { normalize: true, sampling: Sampling::DistanceWeighted, ..Default::default() }
                .into(),
        ),
    ];
    losses.extend(settings.map(|(name, loss)| (name.to_owned(), loss)));
    losses
}
