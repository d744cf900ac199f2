//! The sizes of inputs, in reports.

use serde::Serialize;
use wgpu_metric_learning::Shape;

/// The sizes of the inputs.
#[derive(Clone, Serialize)]
pub(crate) struct Sizes {
    n: usize,
    d: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    m: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    listed: Option<usize>,
}

impl Sizes {
    pub(crate) fn of(shape: &Shape) -> Self {
        Self {
            n: shape.queries(),
            d: shape.dimensions(),
            m: shape.has_references().then(|| shape.references()),
            listed: Some(shape.listed()).filter(|&listed| listed > 0),
        }
    }
}
