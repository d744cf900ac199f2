//! How far apart rows are: histograms of the distances of rows of one class, and of others.

use std::ops::Range;

use plotters::element::Rectangle;
use plotters::style::Color;

use super::frame::{Frame, failed, span};
use super::lines::{HEADROOM, rgb};
use super::{Pairs, colour};
use crate::Result;

/// Rows of either side between which all distances are taken.
const MOST_ROWS: usize = 500;

const BINS: usize = 48;

const SIZE: (u32, u32) = (560, 300);

/// What the two colours of the picture mean.
const KEY: [&str; 2] = ["rows of one class", "rows of two classes"];

/// A picture of the distances of rows of one class, and of those of different ones: each the share
/// of its pairs.
pub(crate) fn distances(pairs: &Pairs<'_>) -> Result<String> {
    let all = sorted_out(pairs)?;
    let reach = span(all.iter().flatten().copied());
    // What is never below 0 is seen best from 0 on.
    let reach = if reach.start >= 0.0 { 0.0..reach.end } else { reach };
    let shares = all.map(|distances| shares(&distances, &reach));
    let highest = span([0.0].into_iter().chain(shares.iter().flatten().copied())).end;
    let bin = |at: usize| reach.start + (reach.end - reach.start) * at as f64 / BINS as f64;
    let of_x = match pairs.normalize {
        true => format!("{} distance of rows divided by their norms", pairs.distance),
        false => format!("{} distance", pairs.distance),
    };
    let key: Vec<_> = (0..2).map(|class| (colour(class), KEY[class].to_owned())).collect();
    let frame = Frame { size: SIZE, axes: [&of_x, "share of the pairs"], key: &key };
    frame.draw(reach.clone(), 0.0..HEADROOM * highest, |chart| {
        for (class, shares) in shares.iter().enumerate() {
            let style = rgb(colour(class)).mix(0.55).filled();
            let bars = shares.iter().enumerate().filter(|(_, share)| **share > 0.0);
            let bars = bars
                .map(|(at, &share)| Rectangle::new([(bin(at), 0.0), (bin(at + 1), share)], style));
            chart.draw_series(bars).map_err(failed)?;
        }
        Ok(String::new())
    })
}

/// The distances of rows of one class, and of different ones.
fn sorted_out(pairs: &Pairs<'_>) -> Result<[Vec<f64>; 2]> {
    let [queries, references] =
        [pairs.queries, pairs.references].map(|rows| rows.spread(MOST_ROWS));
    let mut of = [Vec::new(), Vec::new()];
    for (found, &query) in pairs.nearest(&queries, &references, usize::MAX)?.iter().zip(&queries) {
        for &(reference, distance) in found {
            let is_other = pairs.queries.labels[query] != pairs.references.labels[reference];
            of[usize::from(is_other)].push(f64::from(distance));
        }
    }
    Ok(of)
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

#[cfg(test)]
mod tests {
    use super::super::Rows;
    use super::*;

    #[test]
    fn every_pair_has_its_share() {
        let rows = Rows {
            values: &[0.0, 1.0, 5.0, 6.0],
            columns: 1,
            labels: &[1, 1, 2, 2],
            classes: &[],
            numbers: &[0, 1, 2, 3],
        };
        let pairs = Pairs::among(rows);
        // From either row.
        let [same, other] = sorted_out(&pairs).unwrap();
        assert_eq!((same, other.len()), (vec![1.0; 4], 8));
        let shares = shares(&[0.0, 10.0, 10.0, 5.0], &(0.0..10.0));
        assert_eq!((shares[0], shares[BINS / 2], shares[BINS - 1]), (0.25, 0.25, 0.5));
        let svg = distances(&pairs).unwrap();
        assert!(svg.matches("<rect").count() >= 4 && svg.contains("rows of two classes"), "{svg}");
    }
}
