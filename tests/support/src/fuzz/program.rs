//! Any objective and any bytes of a file for the parsers of the program, which are no part of the
//! library.

use wgpu_metric_learning::Mode;

use super::host::assert_clear;
use super::parsers::{npy, objective};

/// Reads an objective; says whether it is one.
pub fn read_objective(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    // A path is not the parser's.
    match objective::parse(
        text.trim_start_matches(|first: char| first == '@' || first.is_whitespace()),
    ) {
        Ok(mut objective) => {
            for weighted in &mut objective.losses {
                weighted.settle(Mode::PairRows);
                assert!(objective::describe(&weighted.loss).starts_with(weighted.loss.name()));
            }
            true
        }
        Err(error) => {
            // What it quotes may have lines of its own: the program joins them.
            let message = error.to_string().replace('\n', " ");
            assert!(
                message.starts_with("--objective: ") && message.len() > 20,
                "not clear: {message:?}"
            );
            false
        }
    }
}

/// Reads an array of either kind; says whether it is one.
pub fn read_npy(bytes: &[u8]) -> bool {
    let matrix = npy::parse_matrix::<f32>(bytes);
    let vector = npy::parse_vector::<u32>(bytes);
    if let Ok(matrix) = &matrix {
        assert_eq!(Some(matrix.values.len()), matrix.rows.checked_mul(matrix.columns));
        assert!(4 * matrix.values.len() < bytes.len());
    }
    if let Ok(values) = &vector {
        assert!(4 * values.len() < bytes.len());
    }
    let problems = [matrix.as_ref().err(), vector.as_ref().err()];
    problems.into_iter().flatten().for_each(|problem| assert_clear(&problem.replace('\n', " ")));
    matrix.is_ok() || vector.is_ok()
}
