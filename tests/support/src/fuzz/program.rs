//! Any objective and any bytes of a file for the parsers of the program, which are no part of the
//! library.

use wgpu_metric_learning::Mode;

use super::host::assert_clear;
use super::parsers::labels::Labels;
use super::parsers::npy::{Array, Matrix};
use super::parsers::{descriptions, objective};

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
                assert!(descriptions::describe(&weighted.loss).starts_with(weighted.loss.name()));
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

/// Reads an array in every way that the program does; says whether it is one in any.
pub fn read_npy(bytes: &[u8]) -> bool {
    let matrix = read(bytes, Array::matrix).map(|matrix| {
        let Matrix { values, rows, columns } = matrix.numbers;
        assert_eq!(Some(values.len()), rows.checked_mul(columns));
        values.len()
    });
    let vector = read(bytes, Array::vector).map(|vector| vector.numbers.len());
    let entries = read(bytes, Array::entries::<3>).map(|entries| 3 * entries.len());
    let integers = read(bytes, Array::integers).map(|integers| integers.len());
    let labels = read(bytes, Array::labels).map(|ids| match Labels::of(ids, None) {
        Ok(labels) => labels.labels.len(),
        Err(problem) => {
            assert_clear(&problem.text.replace('\n', " "));
            0
        }
    });
    let lengths = [matrix, vector, entries, integers, labels];
    lengths.into_iter().flatten().inspect(|&length| assert!(length < bytes.len())).count() > 0
}

fn read<'a, T>(bytes: &'a [u8], how: impl Fn(Array<'a>) -> Result<T, String>) -> Option<T> {
    // A pipe tells its length in the end only.
    let [of_file, of_pipe] =
        [Some(bytes.len() as u64), None].map(|length| Array::parse(bytes, length).and_then(&how));
    assert_eq!(of_file.is_ok(), of_pipe.is_ok());
    of_file.map_err(|problem| assert_clear(&problem.replace('\n', " "))).ok()
}
