//! Every error of the host side: the exact variant, and a message that names what and where.

mod inputs;
mod modes;
mod parameters;
mod thresholds;
mod weights;

use std::time::Duration;

use wgpu_metric_learning::{Batch, Error, ErrorKind, Result};

const ROWS: [f32; 6] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
const LABELS: [u32; 3] = [0, 1, 1];

fn batch() -> Batch<'static> {
    Batch::new(&ROWS, [3, 2], &LABELS).expect("a valid batch")
}

#[track_caller]
fn fails<T: std::fmt::Debug>(result: Result<T>, expected: Error, message: &str) {
    let error = result.expect_err(message);
    assert_eq!(error, expected);
    assert_eq!(error.to_string(), message);
}

#[test]
fn every_error_has_a_kind() {
    let what = "embeddings";
    let during = "planning";
    let text = String::new;
    let kinds = [
        (
            ErrorKind::Input,
            vec![
                Error::Empty { what },
                Error::Length { what, expected: 2, actual: 1 },
                Error::Name { what, name: text(), known: &[] },
                Error::NotFinite { what, row: 0, column: 0 },
                Error::LabelOutOfRange { what, row: 0, label: None, limit: 1 },
                Error::IndexOutOfRange { what, row: 0, column: 0, limit: 1 },
                Error::PairWithItself { row: 0 },
                Error::Target { what, row: 0, column: 0, allowed: "0 or 1" },
                Error::NotInMode { what, mode: "batch" },
                Error::NotTaken { what },
                Error::NoLoss { loss: 1, limit: 1 },
                Error::Set { what },
                Error::Parameter { of: "SGD", parameter: what, value: text(), allowed: "1" },
                Error::Missing { what, reason: "it is needed" },
                Error::Buffer { what, problem: text() },
            ],
        ),
        (
            ErrorKind::Unsupported,
            vec![
                Error::Unsupported { of: "L2", what: text(), reason: text() },
                Error::MissingFeature { what: text(), feature: text() },
            ],
        ),
        (
            ErrorKind::Limit,
            vec![
                Error::TooLarge { what, rows: usize::MAX, columns: 2 },
                Error::Workspace { needed: 16, budget: 8, columns: 2 },
                Error::DeviceLimit { what, needed: 2, name: "maxBufferSize", limit: 1 },
                Error::TooLong { kernel: "distance", what, count: 2, limit: 1 },
                Error::BeyondPlan { what, count: 2, limit: 1 },
                Error::Overflow { what },
            ],
        ),
        (
            ErrorKind::Device,
            vec![
                Error::NoAdapter { searched: text() },
                Error::DeviceCreation { message: text() },
                Error::OutOfMemory { during, message: text() },
                Error::Gpu { during, message: text() },
                Error::DeviceLost { during },
            ],
        ),
        (
            ErrorKind::Runtime,
            vec![
                Error::Timeout { after: Duration::ZERO },
                Error::OfRank { rank: 1, kind: ErrorKind::Runtime, message: text() },
                Error::Ranks { problem: text() },
                Error::Cancelled,
                Error::NotComputed,
                Error::StepsLeftOut { left_out: 1, first: 0, steps: 1 },
            ],
        ),
    ];
    for (kind, errors) in kinds {
        errors.iter().for_each(|error| assert_eq!(error.kind(), kind, "{error:?}"));
    }
}
