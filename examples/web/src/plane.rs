//! Rows in the plane of their two principal components.
//!
//! Source: Hotelling, "Analysis of a complex of statistical variables into principal components",
//! 1933, which finds them by repeated multiplication.

/// Multiplications for a component. What is left of another is seen by nobody.
const STEPS: usize = 60;

/// Rows of so many columns as points, x and y one after the other.
pub(crate) fn plane(rows: &[f32], columns: usize) -> Vec<f32> {
    let count = rows.len() / columns;
    let mut mean = vec![0.0; columns];
    for row in rows.chunks_exact(columns) {
        mean.iter_mut().zip(row).for_each(|(sum, &number)| *sum += f64::from(number));
    }
    mean.iter_mut().for_each(|sum| *sum /= count as f64);
    let centred: Vec<f64> = rows
        .chunks_exact(columns)
        .flat_map(|row| row.iter().zip(&mean).map(|(&number, mean)| f64::from(number) - mean))
        .collect();
    let first = component(&centred, columns, None);
    let second = component(&centred, columns, Some(&first));
    let places = centred.chunks_exact(columns);
    places.flat_map(|row| [&first, &second].map(|axis| dot(row, axis) as f32)).collect()
}

/// The direction in which rows differ most, of those at right angles to another one.
fn component(rows: &[f64], columns: usize, other: Option<&[f64]>) -> Vec<f64> {
    // No direction that data would be at right angles to by chance.
    let mut axis: Vec<f64> = (0..columns).map(|at| 1.0 + (at as f64 * 0.618) % 1.0).collect();
    for _ in 0..STEPS {
        let mut next = vec![0.0; columns];
        for row in rows.chunks_exact(columns) {
            let along = dot(row, &axis);
            next.iter_mut().zip(row).for_each(|(sum, number)| *sum += along * number);
        }
        if let Some(other) = other {
            let along = dot(&next, other);
            next.iter_mut().zip(other).for_each(|(number, other)| *number -= along * other);
        }
        let norm = dot(&next, &next).sqrt();
        if norm == 0.0 {
            return next;
        }
        axis = next.into_iter().map(|number| number / norm).collect();
    }
    axis
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}
