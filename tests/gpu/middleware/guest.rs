//! A plan as a guest of an application, with its inputs in a buffer of the application's.

use std::ops::Range;

use support::losses::{losses, reach};
use support::sample::{Layout, Recipe, Sample, Values};
use wgpu_metric_learning::{
    Batch, Binding, Distance, Evaluation, Input, InputSet, Inputs, Loss, Margin, Plan, Record,
    Result,
};

use super::caller::{Caller, PATIENCE, POISON, encoder, filled, poison, read};

/// Bytes to which ranges of buffers are aligned.
pub(crate) const ALIGNMENT: usize = 256;

/// All inputs of a batch in one buffer of the caller's, each surrounded by poison.
pub(crate) struct Arena {
    pub buffer: wgpu::Buffer,
    pub words: Vec<u32>,
    pub ranges: InputSet<Range<usize>>,
}

impl Arena {
    pub(crate) fn new(device: &wgpu::Device, batch: &Batch) -> Self {
        let mut words = vec![POISON; ALIGNMENT / 4];
        let ranges = batch.bytes().map(|bytes| {
            let begin = words.len();
            words.extend_from_slice(bytemuck::cast_slice(bytes));
            let end = words.len();
            words.resize((end * 4).next_multiple_of(ALIGNMENT) / 4 + ALIGNMENT / 4, POISON);
            begin * 4..end * 4
        });
        Self { buffer: filled(device, &words), words, ranges }
    }

    /// Other contents for the same ranges.
    pub(crate) fn write(&mut self, queue: &wgpu::Queue, batch: &Batch) {
        let inputs = batch.bytes();
        for (input, range) in self.ranges.iter() {
            let words = inputs.get(input).expect("a batch with the same inputs");
            self.words[range.start / 4..range.end / 4].copy_from_slice(bytemuck::cast_slice(words));
        }
        queue.write_buffer(&self.buffer, 0, bytemuck::cast_slice(&self.words));
    }

    /// One number of an input.
    pub(crate) fn write_word(&mut self, queue: &wgpu::Queue, input: Input, at: usize, word: u32) {
        let place = self.ranges.get(input).expect("the input is given").start / 4 + at;
        self.words[place] = word;
        queue.write_buffer(&self.buffer, place as u64 * 4, &word.to_ne_bytes());
    }

    pub(crate) fn inputs(&self) -> Inputs<'_> {
        let ranges = self.ranges.iter();
        ranges.fold(Inputs::unlabelled(&self.buffer), |inputs, (input, range)| {
            inputs.with(input, self.buffer.slice(range.start as u64..range.end as u64))
        })
    }

    #[track_caller]
    pub(crate) fn is_untouched(&self, caller: &Caller) {
        assert!(
            read(caller, &self.buffer) == self.words,
            "{}: the caller's buffer was written",
            caller.name
        );
    }
}

/// A batch's plan with its inputs in buffers of the caller's.
pub(crate) struct Guest {
    pub plan: Plan,
    pub arena: Arena,
    pub binding: Binding,
}

impl Guest {
    pub(crate) fn new(caller: &Caller, loss: &Loss, batch: &Batch) -> Self {
        let plan = caller
            .context
            .plan(loss, *batch.shape())
            .unwrap_or_else(|error| panic!("{loss:?}: {error}"));
        let arena = Arena::new(&caller.device, batch);
        let binding =
            plan.bind(&arena.inputs()).unwrap_or_else(|error| panic!("{loss:?}: {error}"));
        Self { plan, arena, binding }
    }

    /// One recording in a submission of its own.
    pub(crate) fn run(&self, caller: &Caller) -> Result<Evaluation> {
        let mut encoder = encoder(caller);
        self.plan.record(&mut encoder, &self.binding)?;
        let mut pending = self.plan.read_back(&mut encoder)?;
        caller.queue.submit([encoder.finish()]);
        pending.wait(PATIENCE)
    }

    /// Fills what the plan gives out with poison.
    pub(crate) fn poison_outputs(&self, caller: &Caller) {
        let outputs = [
            Some(self.plan.gradient()),
            self.plan.gradient_references(),
            self.plan.gradient_beta(),
            self.plan.gradient_scale(),
            self.plan.gradient_bias(),
        ];
        outputs.into_iter().flatten().for_each(|buffer| poison(caller, buffer));
    }
}

pub(crate) fn sample(n: usize, d: usize, values: Values) -> Sample {
    Sample::new(Recipe { n, m: 19, d, layout: Layout::Balanced(3), values, extreme_labels: false })
}

/// Every loss, each with a distance.
pub(crate) fn every_loss() -> Vec<Loss> {
    let distance = |kind| Distance::ALL[kind % Distance::ALL.len()];
    let loss = |kind| {
        losses(distance(kind), kind % 2 == 0, reach(distance(kind), kind % 2 == 0, 6, 1.0))
            .remove(kind)
    };
    (0..losses(Distance::Euclidean, false, 1.0).len()).map(loss).collect()
}

/// Margin with one beta per class against references: every input there is.
pub(crate) fn everything() -> Loss {
    Margin { beta_per_class: true, ..Margin::default() }.into()
}

/// The batch in which a loss has the most inputs.
pub(crate) fn fullest<'a>(sample: &'a Sample, loss: &Loss) -> Batch<'a> {
    sample.batches(loss).pop().expect("every loss has a mode")
}
