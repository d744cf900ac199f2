//! How far apart rows are: histograms of the distances of rows of one class, and of others.

use std::ops::Range;

use plotters::element::Rectangle;
use plotters::style::{Color, RGBColor};

use super::lines::{failed, framed, span};
use super::{Rows, colour};
use crate::Result;

/// Rows between which all distances are taken.
const MOST_ROWS: usize = 500;

const BINS: usize = 48;

const SIZE: (u32, u32) = (560, 300);

/// What the two colours of the picture mean.
pub(crate) const KEY: [(usize, &str); 2] = [(0, "rows of one class"), (1, "rows of two classes")];

/// A picture of the distances of rows of one class, and of those of different ones: each the share
/// of its pairs.
pub(crate) fn distances(rows: &Rows<'_>) -> Result<String> {
    let [same, other] = pairs(rows);
    let reach = span([0.0].into_iter().chain(same.iter().chain(&other).copied()));
    let shares = [same, other].map(|distances| shares(&distances, &reach));
    let highest = span([0.0].into_iter().chain(shares.iter().flatten().copied())).end;
    let bin = |at: usize| reach.start + (reach.end - reach.start) * at as f64 / BINS as f64;
    let axes = ["Euclidean distance", "share of the pairs"];
    framed(SIZE, [reach.clone(), 0.0..highest], axes, |chart| {
        for ((class, _), shares) in KEY.into_iter().zip(&shares) {
            let style = rgb(colour(class)).mix(0.55).filled();
            let bars = shares.iter().enumerate().filter(|(_, share)| **share > 0.0);
            let bars = bars
                .map(|(at, &share)| Rectangle::new([(bin(at), 0.0), (bin(at + 1), share)], style));
            chart.draw_series(bars).map_err(failed)?;
        }
        Ok(())
    })
}

/// The distances of rows of one class, and of different ones.
fn pairs(rows: &Rows<'_>) -> [Vec<f64>; 2] {
    let taken = rows.spread(MOST_ROWS);
    let mut of = [Vec::new(), Vec::new()];
    for (at, &row) in taken.iter().enumerate() {
        for &other in &taken[..at] {
            let is_other = rows.labels[row] != rows.labels[other];
            of[usize::from(is_other)].push(rows.distance(row, other));
        }
    }
    of
}

/// The share of the numbers in each bin of a range.
fn shares(numbers: &[f64], reach: &Range<f64>) -> Vec<f64> {
    let mut shares = vec![0.0; BINS];
    for number in numbers {
        let place = (number - reach.start) / (reach.end - reach.start) * BINS as f64;
        shares[(place as usize).min(BINS - 1)] += 1.0 / numbers.len() as f64;
    }
    shares
}

/// A colour that is written as "#rrggbb".
fn rgb(colour: &str) -> RGBColor {
    let part = |at: usize| u8::from_str_radix(&colour[at..at + 2], 16).unwrap_or_default();
    RGBColor(part(1), part(3), part(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_is_counted_once() {
        let rows = Rows {
            values: &[0.0, 1.0, 5.0, 6.0],
            columns: 1,
            labels: &[1, 1, 2, 2],
            classes: &[],
            numbers: &[0, 1, 2, 3],
        };
        let [same, other] = pairs(&rows);
        assert_eq!((same, other.len()), (vec![1.0, 1.0], 4));
        let shares = shares(&[0.0, 10.0, 10.0, 5.0], &(0.0..10.0));
        assert_eq!((shares[0], shares[BINS / 2], shares[BINS - 1]), (0.25, 0.25, 0.5));
        assert_eq!(rgb("#0072b2"), RGBColor(0, 0x72, 0xb2));
        assert!(distances(&rows).unwrap().matches("<rect").count() >= 4);
    }
}
