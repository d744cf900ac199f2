//! Rows in the plane of their two principal components.

use std::fmt::Write;

use nalgebra::{DMatrix, SymmetricEigen};

use super::frame::{Frame, span};
use super::{COLOURS, Rows, Thumbnails, colour, escaped};
use crate::Result;

/// Points of a picture.
const MOST_ROWS: usize = 800;

/// More columns than that are summed up by halves until they are fewer: what is left is seen as
/// well, and the components of thousands of columns take minutes.
const MOST_COLUMNS: usize = 1024;

const SIZE: (u32, u32) = (560, 480);

/// The side of a picture that a pointer on its point shows.
const THUMBNAIL: i32 = 64;

/// A picture of rows, each a point of the colour of its class with its label in its title; a pointer
/// on a point shows the row itself where rows are pictures.
///
/// Source of the plane: Hotelling, "Analysis of a complex of statistical variables into principal
/// components", 1933.
pub(crate) fn scatter(rows: &Rows<'_>, thumbnails: Option<&Thumbnails<'_>>) -> Result<String> {
    let taken = rows.spread(MOST_ROWS);
    let (points, share) = plane(rows, &taken);
    let over = |of: usize| {
        let reach = span(points.iter().map(|point| point[of]));
        let margin = 0.04 * (reach.end - reach.start);
        reach.start - margin..reach.end + margin
    };
    let axes = [
        "first component".to_owned(),
        format!("second; both have {:.0} % of the variance", 100.0 * share),
    ];
    let mut classes: Vec<u32> = rows.labels.to_vec();
    classes.sort_unstable();
    classes.dedup();
    // More classes than colours have none of their own.
    let is_told = classes.len() <= COLOURS.len();
    let key = classes.iter().take(if is_told { COLOURS.len() } else { 0 }).enumerate();
    let key: Vec<_> = key.map(|(at, &class)| (colour(at), rows.class(class))).collect();
    let frame = Frame { size: SIZE, axes: [&axes[0], &axes[1]], key: &key };
    frame.draw(over(0), over(1), |chart| {
        let mut marks = String::new();
        for (&row, point) in taken.iter().zip(&points) {
            let (x, y) = chart.backend_coord(&(point[0], point[1]));
            let label = rows.labels[row];
            let class = classes.binary_search(&label).unwrap_or_default();
            let picture = match thumbnails {
                Some(thumbnails) => image(&thumbnails.address(row)?, x, y),
                None => String::new(),
            };
            let _ = writeln!(
                marks,
                "<g class=\"point\"><title>{}</title><circle cx=\"{x}\" cy=\"{y}\" r=\"3.5\" fill=\"{}\"/>{picture}</g>",
                escaped(rows.title(row)),
                colour(class),
            );
        }
        Ok(marks)
    })
}

/// A picture beside its point, within the whole.
fn image(address: &str, x: i32, y: i32) -> String {
    let beside = |at: i32, size: u32| {
        let after = at + 8;
        if after + THUMBNAIL <= size as i32 { after } else { at - 8 - THUMBNAIL }
    };
    let (x, y) = (beside(x, SIZE.0), beside(y, SIZE.1));
    format!(
        "<image x=\"{x}\" y=\"{y}\" width=\"{THUMBNAIL}\" height=\"{THUMBNAIL}\" \
         style=\"image-rendering:pixelated\" href=\"{address}\"/>"
    )
}

/// The rows in the plane of their first two principal components, and the share of the variance
/// that it has.
fn plane(rows: &Rows<'_>, taken: &[usize]) -> (Vec<[f64; 2]>, f64) {
    let mut halves: Vec<Vec<f64>> = taken
        .iter()
        .map(|&row| rows.row(row).iter().map(|&number| f64::from(number)).collect())
        .collect();
    while halves[0].len() > MOST_COLUMNS {
        halves
            .iter_mut()
            .for_each(|row| *row = row.chunks(2).map(|pair| pair.iter().sum()).collect());
    }
    let columns = halves[0].len();
    let mut all = DMatrix::from_fn(taken.len(), columns, |row, column| halves[row][column]);
    for mut column in all.column_iter_mut() {
        let mean = column.mean();
        column.add_scalar_mut(-mean);
    }
    let eigen = SymmetricEigen::new(all.tr_mul(&all));
    let mut order: Vec<usize> = (0..columns).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    let whole: f64 = eigen.eigenvalues.iter().sum();
    let axes: Vec<_> =
        order.iter().take(2).map(|&at| &all * eigen.eigenvectors.column(at)).collect();
    let in_plane: f64 = order.iter().take(2).map(|&at| eigen.eigenvalues[at]).sum();
    let at = |axis: usize, row: usize| axes.get(axis).map_or(0.0, |axis| axis[row]);
    let points = (0..taken.len()).map(|row| [at(0, row), at(1, row)]).collect();
    (points, if whole > 0.0 { in_plane / whole } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plane_is_that_of_the_greatest_variance() {
        // The third and the first number matter, in this order.
        let values = [[1.0, 5.0, 10.0], [-1.0, 5.0, 10.0], [1.0, 5.0, -10.0], [-1.0, 5.01, -10.0]];
        let rows = Rows {
            values: values.as_flattened(),
            columns: 3,
            labels: &[7, 7, 8, 9],
            classes: &[],
            numbers: &[10, 11, 12, 13],
        };
        let (points, share) = plane(&rows, &[0, 1, 2, 3]);
        assert!(share > 0.999 && share <= 1.0 + 1e-12, "{share}");
        for (point, row) in points.iter().zip(&values) {
            assert!((point[0].abs() - 10.0).abs() < 1e-3 && (point[1].abs() - 1.0).abs() < 1e-2);
            assert_eq!(point[0] * points[0][0] > 0.0, row[2] > 0.0);
        }
        let svg = scatter(&rows, None).unwrap();
        assert_eq!(svg.matches("<circle").count(), 4);
        assert_eq!(svg.matches("font-size=\"12\"").count(), 3, "the classes in the key");
        assert!(svg.contains("row 13, label 9"), "{svg}");
        let one = Rows { values: &[2.0], columns: 1, labels: &[1], classes: &[], numbers: &[0] };
        assert_eq!(plane(&one, &[0]), (vec![[0.0, 0.0]], 0.0));
    }
}
