//! Every golden case against the kernels, on every adapter of the machine.

mod common;

use common::goldens;
use wgpu_metric_learning::{Adapter, Options, reference};

#[test]
fn every_case_agrees_on_every_adapter() {
    let adapters = Adapter::all();
    assert!(!adapters.is_empty(), "no adapter: install a Vulkan driver, a software one will do");
    let mut failures = Vec::new();
    for adapter in &adapters {
        let context = adapter.open(Options::default()).expect("the adapter opens");
        let mut worst = 0.0f64;
        for case in goldens::cases() {
            let batch = case.batch();
            let name = format!("{:?} {}", adapter.info().backend, case.name);
            match context.evaluate(&case.loss, &batch) {
                Ok(actual) => {
                    let comparison = reference::evaluate_with_bounds(&case.loss, &batch).unwrap().compare(&actual);
                    worst = worst.max(comparison.worst().share);
                    if !comparison.agrees() {
                        failures.push(format!("{name}\n{comparison}"));
                    }
                }
                Err(error) => failures.push(format!("{name}: {error}")),
            }
        }
        println!("{:?}: worst share {worst:.3}", adapter.info().backend);
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n\n"));
}
