//! The pictures of the guide, drawn from what the library itself computes where they show numbers.

mod chart;
mod losses;
mod minings;
mod pointwise;
mod structure;
mod svg;

/// Every picture: its path below `docs/pictures`, and its SVG.
pub fn all() -> Vec<(&'static str, String)> {
    let mut all = losses::all();
    all.extend(pointwise::all());
    all.push(("minings.svg", minings::draw()));
    all.extend(structure::all());
    all
}
