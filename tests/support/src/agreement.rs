//! Kernels and the engine of the CPU beside the reference, case after case.

use std::cell::Cell;
use std::time::Instant;

use wgpu_metric_learning::reference::{self, Expectation};
use wgpu_metric_learning::{Arithmetic, Batch, Cpu, Error, Evaluation, Loss};

use super::adapters::{Device, nth, one_by_one};

/// What the comparisons have found so far.
pub struct Tally {
    devices: Devices,
    /// The engine of the CPU, where it is asked.
    cpu: Option<Cpu>,
    start: Instant,
    cases: usize,
    /// Cases whose result is beyond f32, and was refused.
    overflows: usize,
    /// Cases in which a loss and a gradient that are 1 % off would have passed as well.
    blind: usize,
    worst: f64,
    worst_case: String,
    failures: Vec<String>,
}

enum Devices {
    /// Those of all tests, each held as long as a case is evaluated on it.
    Shared,
    /// Of them one for each case, by how many ones the number of the case has: in step with nothing
    /// that comes every so many cases, such as the modes of a loss.
    InTurn(Cell<usize>),
    /// The best of them.
    Best,
    Own(Vec<Device>),
}

impl Devices {
    fn map<T>(&self, evaluate: impl Fn(&Device) -> T) -> Vec<T> {
        match self {
            Self::Shared => one_by_one().map(|device| evaluate(&device)).collect(),
            Self::InTurn(turn) => {
                let ones = turn.replace(turn.get() + 1).count_ones();
                vec![evaluate(&nth(ones as usize))]
            }
            Self::Best => one_by_one().take(1).map(|device| evaluate(&device)).collect(),
            Self::Own(devices) => devices.iter().map(evaluate).collect(),
        }
    }
}

impl Devices {
    /// How they compute distances: all in the same way.
    fn arithmetic(&self) -> Arithmetic {
        match self {
            Self::Own(devices) if !devices.is_empty() => devices[0].context.options().arithmetic,
            _ => Arithmetic::Exact,
        }
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self::new()
    }
}

impl Tally {
    /// The agreement on every adapter.
    pub fn new() -> Self {
        Self::on_devices(Devices::Shared, None)
    }

    /// The agreement of every case on one adapter, each in turn: for many cases that are about the
    /// kernels, and on every adapter alike.
    pub fn in_turn() -> Self {
        Self::on_devices(Devices::InTurn(Cell::new(0)), None)
    }

    /// The agreement on the best adapter.
    pub fn on_best() -> Self {
        Self::on_devices(Devices::Best, None)
    }

    /// The agreement on these devices.
    pub fn on(devices: Vec<Device>) -> Self {
        Self::on_devices(Devices::Own(devices), None)
    }

    /// The agreement on the engine of the CPU.
    pub fn on_cpu(cpu: Cpu) -> Self {
        Self::on_devices(Devices::Own(Vec::new()), Some(cpu))
    }

    fn on_devices(devices: Devices, cpu: Option<Cpu>) -> Self {
        Self {
            devices,
            cpu,
            start: Instant::now(),
            cases: 0,
            overflows: 0,
            blind: 0,
            worst: 0.0,
            worst_case: String::new(),
            failures: Vec::new(),
        }
    }

    /// Compares what every adapter, or the engine of the CPU, makes of a case with the reference.
    pub fn hold(&mut self, loss: &Loss, batch: &Batch, note: &str) {
        let arithmetic = self.devices.arithmetic();
        let expected = reference::evaluate_with_bounds_in(arithmetic, loss, batch)
            .unwrap_or_else(|error| panic!("{loss:?}: {error}"));
        let evaluate =
            |device: &Device| (device.name.clone(), device.context.evaluate(loss, batch).wait());
        let mut results = self.devices.map(evaluate);
        let on_cpu = |cpu: &Cpu| ("the CPU engine".into(), cpu.evaluate(loss, batch).wait());
        results.extend(self.cpu.as_ref().map(on_cpu));
        for (device, result) in results {
            let name = format!("{} {note} {:?} {loss:?}", device, batch.shape());
            match result {
                Ok(actual) => self.compare(&expected, &actual, name),
                Err(Error::Overflow { .. }) if expected.may_overflow() => self.overflows += 1,
                Err(error) => self.failures.push(format!("{name}: {error}")),
            }
        }
    }

    /// Compares one result with what is expected.
    pub fn compare(&mut self, expected: &Expectation, actual: &Evaluation, name: String) {
        self.cases += 1;
        let comparison = expected.compare(actual);
        if !comparison.agrees() {
            self.failures.push(format!("{name}\n{comparison}"));
        } else if expected.notices(actual, 0.01) == Some(false) {
            self.blind += 1;
        }
        if comparison.worst().share > self.worst {
            self.worst = comparison.worst().share;
            self.worst_case = format!("{} of {name}", comparison.worst().quantity);
        }
    }

    /// Fails if anything did, or if more than this part of the comparisons were blind.
    #[track_caller]
    pub fn conclude(self, blind: f64) {
        let Self { cases, overflows, worst, worst_case, failures, .. } = &self;
        let seconds = self.start.elapsed().as_secs_f32();
        println!(
            "{seconds:.1} s: {cases} cases, {overflows} overflows, {} blind; worst share {worst:.3}: {worst_case}",
            self.blind
        );
        let first: Vec<_> = failures.iter().take(12).map(String::as_str).collect();
        assert!(
            failures.is_empty(),
            "{} of {cases} cases failed:\n{}",
            failures.len(),
            first.join("\n\n")
        );
        assert!(
            self.blind as f64 <= blind * *cases as f64,
            "{} of {cases} comparisons see nothing",
            self.blind
        );
    }

    /// How many results were beyond f32.
    pub fn overflows(&self) -> usize {
        self.overflows
    }
}
