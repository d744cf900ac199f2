//! Which triplets each mining takes, read off the gradient that the reference computes.

use wgpu_metric_learning::{Batch, Mining, Reduction, Triplet, reference};

use super::svg::Svg;

/// Distances from the anchor: positives, then negatives.
const POSITIVES: [f32; 3] = [1.0, 2.2, 3.0];
const NEGATIVES: [f32; 4] = [1.6, 2.6, 3.5, 4.2];

const LEFT: f64 = 34.0;
const UNIT: f64 = 82.0;
const ROW: f64 = 48.0;
const TOP: f64 = 66.0;

pub(super) fn draw() -> String {
    let minings = Mining::ALL.into_iter().filter(|&mining| mining != Mining::Explicit);
    let minings: Vec<_> = minings.collect();
    let title = "What each mining takes for one anchor";
    let bottom = TOP + ROW * minings.len() as f64;
    let mut svg = Svg::new(420.0, bottom + 34.0, title);
    svg.text([16.0, 25.0], "strong", title);
    svg.circle([24.0, 44.0], 6.0, "fill-a");
    svg.text([36.0, 48.0], "", "positive taken");
    svg.rectangle([146.0, 38.0], [12.0, 12.0], "fill-b");
    svg.text([164.0, 48.0], "", "negative taken");
    svg.circle([280.0, 44.0], 6.0, "empty");
    svg.rectangle([291.0, 38.0], [12.0, 12.0], "empty");
    svg.text([310.0, 48.0], "", "not taken");
    for (at, &mining) in minings.iter().enumerate() {
        let y = TOP + ROW * (at as f64 + 0.6);
        svg.text([16.0, y - 12.0], "mono", &format!("{mining:?}"));
        svg.line(&[[LEFT, y + 6.0], [LEFT + 4.6 * UNIT, y + 6.0]], "grid");
        svg.line(&[[LEFT, y - 2.0], [LEFT, y + 14.0]], "line");
        let taken = taken(mining);
        for (column, &distance) in POSITIVES.iter().chain(&NEGATIVES).enumerate() {
            let x = LEFT + UNIT * f64::from(distance);
            if column < POSITIVES.len() {
                svg.circle([x, y + 6.0], 7.0, if taken[column] { "fill-a" } else { "empty" });
            } else {
                let class = if taken[column] { "fill-b" } else { "empty" };
                svg.rectangle([x - 7.0, y - 1.0], [14.0, 14.0], class);
            }
        }
    }
    svg.text([16.0, bottom + 18.0], "small faint", "anchor");
    svg.text([LEFT + 4.6 * UNIT, bottom + 18.0], "small faint end", "farther from the anchor");
    svg.finish()
}

/// The columns that have a gradient, with a margin by which every triplet counts.
fn taken(mining: Mining) -> Vec<bool> {
    let columns: Vec<_> = POSITIVES.iter().chain(&NEGATIVES).copied().collect();
    let labels: Vec<_> = POSITIVES.iter().map(|_| 7).chain(NEGATIVES.iter().map(|_| 8)).collect();
    let batch = Batch::new(&[0.0], [1, 1], &[7]).expect("a valid anchor");
    let batch = batch.with_references(&columns, columns.len(), &labels).expect("valid references");
    let reduction = Reduction::Sum;
    let loss = Triplet { mining, margin: 10.0, reduction, ..Default::default() };
    let evaluation = reference::evaluate(loss, &batch).expect("a valid evaluation");
    let gradient = evaluation.gradient_references.expect("references that are not fixed");
    gradient.iter().map(|&slope| slope != 0.0).collect()
}
