//! What pictures stand in: axes, and the key of their colours above them.

use std::fmt::Write;
use std::ops::Range;

use plotters::backend::SVGBackend;
use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::drawing::IntoDrawingArea;
use plotters::style::TRANSPARENT;

use super::escaped;
use crate::{Error, Result};

/// The frame of a picture.
pub(super) struct Frame<'a> {
    /// Width and height, less what the key takes.
    pub size: (u32, u32),
    /// What is said of x and y.
    pub axes: [&'a str; 2],
    /// Colours and what they mean.
    pub key: &'a [(&'static str, String)],
}

pub(super) type Chart<'a, X, Y> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, Y>>;

/// Room left of the axis y, for its numbers.
const LEFT: u32 = 64;

const MARGIN: u32 = 8;

/// The height of a line of the key, the width of a letter, and of what stands beside a text.
const KEY_LINE: u32 = 18;
const LETTER: u32 = 7;
const BESIDE_TEXT: u32 = 30;

/// More letters of a text are not shown.
const LONGEST_TEXT: usize = 40;

impl Frame<'_> {
    /// A picture over these ranges that `draw` fills; what that returns, in SVG, comes last.
    pub(super) fn draw<X, Y>(
        &self,
        x: X,
        y: Y,
        draw: impl FnOnce(&mut Chart<'_, X::CoordDescType, Y::CoordDescType>) -> Result<String>,
    ) -> Result<String>
    where
        X: AsRangedCoord<Value = f64>,
        Y: AsRangedCoord<Value = f64>,
        X::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
        Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let [of_x, of_y] = self.axes;
        let (key, lines) = self.key();
        let top = MARGIN + lines * KEY_LINE;
        let (width, height) = self.size;
        let mut svg = String::new();
        let marks = {
            let size = (width, height + lines * KEY_LINE);
            let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            let mut chart = ChartBuilder::on(&root)
                .margin(MARGIN)
                .margin_top(top)
                .x_label_area_size(40)
                .y_label_area_size(LEFT)
                .build_cartesian_2d(x, y)
                .map_err(failed)?;
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
            let marks = draw(&mut chart)?;
            root.present().map_err(failed)?;
            marks
        };
        let label = escaped(format!("{of_y} over {of_x}"));
        let svg = svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{label}\" "), 1);
        Ok(svg.replacen("</svg>", &format!("{key}{marks}</svg>"), 1))
    }

    /// The key in SVG, and how many lines it has.
    fn key(&self) -> (String, u32) {
        let (mut svg, mut line, mut x) = (String::new(), 0, LEFT);
        for (colour, meaning) in self.key {
            let text: String = meaning.chars().take(LONGEST_TEXT).collect();
            let width = BESIDE_TEXT + LETTER * text.chars().count() as u32;
            if x > LEFT && x + width > self.size.0 {
                (x, line) = (LEFT, line + 1);
            }
            let top = MARGIN + line * KEY_LINE;
            let _ = writeln!(
                svg,
                "<rect x=\"{x}\" y=\"{top}\" width=\"10\" height=\"10\" fill=\"{colour}\"/>\n\
                 <text x=\"{}\" y=\"{}\" font-family=\"sans-serif\" font-size=\"12\">{}</text>",
                x + 15,
                top + 10,
                escaped(text),
            );
            x += width;
        }
        (svg, if self.key.is_empty() { 0 } else { line + 1 })
    }
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

/// A number of an axis to six digits: the arithmetic of its ticks puts more behind the point.
fn written(number: &f64) -> String {
    let digits = format!("{number:.5e}").parse::<f64>().unwrap_or(*number);
    let is_readable = digits == 0.0 || (1e-4..1e7).contains(&digits.abs());
    if is_readable { digits.to_string() } else { format!("{digits:e}") }
}

/// A picture in memory that could not be drawn is told as an output that could not be written.
pub(super) fn failed(error: impl std::fmt::Display) -> Error {
    Error::output(std::io::Error::other(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_short_and_spans_are_not_empty() {
        let ticks = [0.1 + 0.2, 100.0, 0.0, 2e-7, -1e9].map(|number| written(&number));
        assert_eq!(ticks, ["0.3", "100", "0", "2e-7", "-1e9"]);
        assert_eq!(span([3.0].into_iter()), 2.5..3.5);
        assert_eq!(span(std::iter::empty()), 0.0..1.0);
    }

    #[test]
    fn a_key_takes_as_many_lines_as_it_needs() {
        let key: Vec<_> = (0..9).map(|class| ("#000000", format!("<class {class}>"))).collect();
        let frame = Frame { size: (400, 200), axes: ["x", "y"], key: &key };
        let (svg, lines) = frame.key();
        assert_eq!((lines, svg.matches("&lt;class").count()), (3, 9));
        let picture = frame.draw(0.0..1.0, 0.0..1.0, |_| Ok("<g/>".into())).unwrap();
        assert!(
            picture.contains("height=\"254\"") && picture.ends_with("<g/></svg>\n"),
            "{picture}"
        );
        assert_eq!(Frame { key: &[], ..frame }.key(), (String::new(), 0));
    }
}
