//! Numbers by step, as a line, and the frame that other pictures stand in too.

use std::ops::Range;

use plotters::backend::SVGBackend;
use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::types::RangedCoordf64;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::series::LineSeries;
use plotters::style::{RGBColor, ShapeStyle, TRANSPARENT};

use super::escaped;
use crate::{Error, Result};

/// A line: its points with growing x, the finite ones of which are drawn.
pub(crate) struct Line<'a> {
    pub points: &'a [[f64; 2]],
    /// What is said of x and y.
    pub axes: [&'a str; 2],
}

/// More points than that are not seen apart.
const MOST_POINTS: usize = 800;

const SIZE: (u32, u32) = (560, 300);

/// The colour of a line.
pub(super) const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xb2);

pub(super) type Chart<'a> =
    ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// A picture of a line.
pub(crate) fn lines(line: &Line<'_>) -> Result<String> {
    let points: Vec<(f64, f64)> = thinned(line.points);
    let over = |of: fn(&(f64, f64)) -> f64| span(points.iter().map(of));
    let [x, y] = [over(|point| point.0), over(|point| point.1)];
    // What is never below 0 is seen best from 0 on.
    let y = if y.start >= 0.0 { 0.0..y.end } else { y };
    framed(SIZE, [x, y], line.axes, |chart| {
        let style = ShapeStyle::from(&BLUE).stroke_width(2);
        chart.draw_series(LineSeries::new(points.iter().copied(), style)).map(drop).map_err(failed)
    })
}

fn thinned(points: &[[f64; 2]]) -> Vec<(f64, f64)> {
    let finite = points.iter().filter(|point| point.iter().all(|number| number.is_finite()));
    let finite: Vec<_> = finite.map(|&[x, y]| (x, y)).collect();
    let step = finite.len().div_ceil(MOST_POINTS).max(1);
    let last = finite.len().saturating_sub(1);
    let is_kept = |at: &usize| at.is_multiple_of(step) || *at == last;
    (0..finite.len()).filter(is_kept).map(|at| finite[at]).collect()
}

/// From the least to the greatest of finite numbers, and never empty.
pub(super) fn span(numbers: impl Iterator<Item = f64>) -> Range<f64> {
    let join = |[least, most]: [f64; 2], number: f64| [least.min(number), most.max(number)];
    let [least, most] = numbers.fold([f64::INFINITY, f64::NEG_INFINITY], join);
    match least < most {
        true => least..most,
        false if least.is_finite() => least - 0.5..least + 0.5,
        false => 0.0..1.0,
    }
}

/// A picture with axes, that `draw` fills.
pub(super) fn framed(
    size: (u32, u32),
    [x, y]: [Range<f64>; 2],
    [of_x, of_y]: [&str; 2],
    draw: impl FnOnce(&mut Chart<'_>) -> Result<()>,
) -> Result<String> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let mut chart = chart(&root, [x, y])?;
        chart
            .configure_mesh()
            .x_desc(of_x)
            .y_desc(of_y)
            .x_labels(6)
            .y_labels(5)
            .x_label_formatter(&written)
            .y_label_formatter(&written)
            .light_line_style(TRANSPARENT)
            .draw()
            .map_err(failed)?;
        draw(&mut chart)?;
        root.present().map_err(failed)?;
    }
    let label = escaped(format!("{of_y} over {of_x}"));
    Ok(svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{label}\" "), 1))
}

/// A number of an axis to six digits: the arithmetic of its ticks puts more behind the point.
fn written(number: &f64) -> String {
    let digits = format!("{number:.5e}").parse::<f64>().unwrap_or(*number);
    let is_readable = digits == 0.0 || (1e-4..1e7).contains(&digits.abs());
    if is_readable { digits.to_string() } else { format!("{digits:e}") }
}

fn chart<'a>(
    root: &DrawingArea<SVGBackend<'a>, Shift>,
    [x, y]: [Range<f64>; 2],
) -> Result<Chart<'a>> {
    ChartBuilder::on(root)
        .margin(8)
        .x_label_area_size(40)
        .y_label_area_size(64)
        .build_cartesian_2d(x, y)
        .map_err(failed)
}

/// A picture in memory that could not be drawn is told as an output that could not be written.
pub(super) fn failed(error: impl std::fmt::Display) -> Error {
    Error::output(std::io::Error::other(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_drawn_with_its_axes() {
        let points: Vec<[f64; 2]> = (0..5000).map(|x| [f64::from(x), 1.0 / f64::from(x)]).collect();
        let svg = lines(&Line { points: &points, axes: ["step", "loss <1>"] }).unwrap();
        assert!(svg.contains("aria-label=\"loss &lt;1&gt; over step\""), "{svg}");
        let longest = svg.split("points=\"").map(|rest| rest.split('"').next().unwrap());
        let longest = longest.map(|points| points.split_whitespace().count()).max().unwrap();
        // 1 / 0 is not drawn.
        assert!((700..=801).contains(&longest), "{longest}");
        let ticks = [0.1 + 0.2, 100.0, 0.0, 2e-7, -1e9].map(|number| written(&number));
        assert_eq!(ticks, ["0.3", "100", "0", "2e-7", "-1e9"]);
        assert_eq!(span([3.0].into_iter()), 2.5..3.5);
        assert_eq!(span(std::iter::empty()), 0.0..1.0);
        assert!(lines(&Line { points: &[], axes: ["x", "y"] }).unwrap().contains("</svg>"));
    }
}
