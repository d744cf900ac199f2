//! Ranks that hold a batch together come to what one machine comes to, exchange what they say, and end
//! together where one fails.

mod classes;
mod exchange;
mod failures;
mod results;
mod thresholds;

use wgpu_metric_learning::{Batch, Cpu, Evaluation, Loss, Result};

use super::small;

fn on_cpu(_: usize, loss: &Loss, batch: &Batch) -> Result<Evaluation> {
    Cpu::default().evaluate(loss, batch).wait()
}
