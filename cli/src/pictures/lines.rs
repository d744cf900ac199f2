//! Numbers by step or by size, as lines.

use std::ops::Range;

use plotters::coord::combinators::IntoLogRange;
use plotters::coord::ranged1d::Ranged;
use plotters::series::LineSeries;
use plotters::style::{Color, RGBColor};

use super::colour;
use super::frame::{Chart, Frame, failed, span};
use crate::Result;

/// A line: its points with growing x, the finite ones of which are drawn.
pub(crate) struct Line<'a> {
    /// What stands in the key; nothing where there is one line only.
    pub name: &'a str,
    pub points: &'a [[f64; 2]],
}

/// Lines over the same axes.
pub(crate) struct Lines<'a> {
    pub lines: &'a [Line<'a>],
    /// What is said of x and y.
    pub axes: [&'a str; 2],
    /// Whether both axes are logarithmic; all numbers are above 0 then.
    pub is_logarithmic: bool,
}

/// More points than that are not seen apart.
const MOST_POINTS: usize = 800;

/// Points that few are marked.
const FEW_POINTS: usize = 20;

const SIZE: (u32, u32) = (560, 300);

/// How much higher than its highest point a picture is.
pub(super) const HEADROOM: f64 = 1.05;

/// A picture of lines, each of its own colour.
pub(crate) fn lines(of: &Lines<'_>) -> Result<String> {
    let points: Vec<Vec<(f64, f64)>> = of.lines.iter().map(|line| thinned(line.points)).collect();
    let over = |of: fn(&(f64, f64)) -> f64| span(points.iter().flatten().map(of));
    let [x, y] = [over(|point| point.0), over(|point| point.1)];
    let names = of.lines.iter().enumerate().filter(|(_, line)| !line.name.is_empty());
    let key: Vec<_> = names.map(|(at, line)| (colour(at), line.name.to_owned())).collect();
    let frame = Frame { size: SIZE, axes: of.axes, key: &key };
    if of.is_logarithmic {
        let [x, y] = [x, y].map(|range| positive(range).log_scale().base(2.0));
        return frame.draw(x, y, |chart| stroke(chart, &points));
    }
    // What is never below 0 is seen best from 0 on.
    let y = if y.start >= 0.0 { 0.0..HEADROOM * y.end } else { y };
    frame.draw(x, y, |chart| stroke(chart, &points))
}

fn stroke<X: Ranged<ValueType = f64>, Y: Ranged<ValueType = f64>>(
    chart: &mut Chart<'_, X, Y>,
    lines: &[Vec<(f64, f64)>],
) -> Result<String> {
    for (at, points) in lines.iter().enumerate() {
        let style = rgb(colour(at)).filled().stroke_width(2);
        let line = LineSeries::new(points.iter().copied(), style);
        let is_marked = points.len() <= FEW_POINTS;
        chart.draw_series(line.point_size(if is_marked { 3 } else { 0 })).map_err(failed)?;
    }
    Ok(String::new())
}

/// A range above 0, which has room around a single number.
fn positive(range: Range<f64>) -> Range<f64> {
    let start = range.start.max(f64::MIN_POSITIVE);
    start / 1.1..range.end.max(start) * 1.1
}

/// A colour that is written as "#rrggbb".
pub(super) fn rgb(colour: &str) -> RGBColor {
    let part = |at: usize| u8::from_str_radix(&colour[at..at + 2], 16).unwrap_or_default();
    RGBColor(part(1), part(3), part(5))
}

fn thinned(points: &[[f64; 2]]) -> Vec<(f64, f64)> {
    let finite = points.iter().filter(|point| point.iter().all(|number| number.is_finite()));
    let finite: Vec<_> = finite.map(|&[x, y]| (x, y)).collect();
    let step = finite.len().div_ceil(MOST_POINTS).max(1);
    let last = finite.len().saturating_sub(1);
    let is_kept = |at: &usize| at.is_multiple_of(step) || *at == last;
    (0..finite.len()).filter(is_kept).map(|at| finite[at]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(points: &[[f64; 2]], is_logarithmic: bool) -> String {
        let line = [Line { name: "", points }];
        lines(&Lines { lines: &line, axes: ["step", "loss <1>"], is_logarithmic }).unwrap()
    }

    #[test]
    fn a_line_is_drawn_with_its_axes() {
        let points: Vec<[f64; 2]> = (0..5000).map(|x| [f64::from(x), 1.0 / f64::from(x)]).collect();
        let svg = drawn(&points, false);
        assert!(svg.contains("aria-label=\"loss &lt;1&gt; over step\""), "{svg}");
        let longest = svg.split("points=\"").map(|rest| rest.split('"').next().unwrap());
        let longest = longest.map(|points| points.split_whitespace().count()).max().unwrap();
        // 1 / 0 is not drawn.
        assert!((700..=801).contains(&longest), "{longest}");
        assert!(drawn(&[], false).contains("</svg>") && drawn(&[], true).contains("</svg>"));
    }

    /// Every doubling goes as far.
    #[test]
    fn on_logarithmic_axes_equal_ratios_are_equally_far() {
        let points: Vec<[f64; 2]> = (6..12).map(|x| [f64::exp2(x.into()), 4.0]).collect();
        let both = [Line { name: "a", points: &points }, Line { name: "b", points: &points[..1] }];
        let svg = lines(&Lines { lines: &both, axes: ["N", "ms"], is_logarithmic: true }).unwrap();
        let (_, line) =
            svg.split_once("<polyline fill=\"none\" opacity=\"1\" stroke=\"#0072B2\"").unwrap();
        let (_, line) = line.split_once("points=\"").unwrap();
        let x: Vec<i32> = line
            .split('"')
            .next()
            .unwrap()
            .split_whitespace()
            .map(|point| point.split(',').next().unwrap().parse().unwrap())
            .collect();
        let steps: Vec<i32> = x.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(steps.len() == 5 && steps.iter().all(|step| (step - steps[0]).abs() <= 1), "{x:?}");
        assert_eq!(svg.matches("<circle").count(), 7);
        assert_eq!(rgb("#0072b2"), RGBColor(0, 0x72, 0xb2));
    }
}
