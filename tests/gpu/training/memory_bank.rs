//! The memory bank: a ring of earlier batches, as references for later ones.

use std::time::Duration;

use support::adapters::{Device, contexts, one_by_one};
use support::buffers::upload;
use support::changed::changed;
use support::sample::Random;
use wgpu::BufferUsages;
use wgpu_metric_learning::{
    Batch, Contrastive, Error, Evaluation, Inputs, Loss, MemoryBank, Record, Shape, Triplet,
};

const D: usize = 5;
const CAPACITY: usize = 20;
const USAGE: BufferUsages = BufferUsages::STORAGE.union(BufferUsages::COPY_SRC);

/// What the bank should hold, as a ring on the host.
struct Ring {
    embeddings: Vec<f32>,
    labels: Vec<u32>,
    next: usize,
}

impl Ring {
    fn enqueue(&mut self, embeddings: &[f32], labels: &[u32]) {
        for (row, &label) in embeddings.chunks(D).zip(labels) {
            if self.labels.len() < CAPACITY {
                self.embeddings.extend_from_slice(row);
                self.labels.push(label);
            } else {
                self.embeddings[self.next * D..][..D].copy_from_slice(row);
                self.labels[self.next] = label;
            }
            self.next = (self.next + 1) % CAPACITY;
        }
    }
}

fn batch(number: usize, rows: usize) -> (Vec<f32>, Vec<u32>) {
    let labels = (0..rows as u32).map(|row| (row + number as u32) % 3).collect();
    (Random(number as u64 + 1).numbers(rows * D, 1.0), labels)
}

fn evaluate(device: &Device, loss: &Loss, shape: Shape, inputs: &Inputs) -> Evaluation {
    let plan = device.context.plan(loss, shape).expect("a plan");
    let binding = plan.bind(inputs).expect("valid inputs");
    let mut encoder =
        device.context.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    plan.record(&mut encoder, &binding).expect("its own binding");
    let mut pending = plan.read_back(&mut encoder).expect("a read-back");
    device.context.queue().submit([encoder.finish()]);
    pending.wait(Duration::from_secs(60)).expect("a result")
}

/// Batches smaller than the bank, as large, larger, and one that goes round its end.
#[test]
fn the_bank_holds_the_last_rows_of_all_batches() {
    for device in one_by_one() {
        let mut bank = MemoryBank::new(&device.context, CAPACITY, D).expect("a bank");
        let mut ring = Ring { embeddings: Vec::new(), labels: Vec::new(), next: 0 };
        assert!(bank.is_empty());
        for (number, rows) in [7, 1, 8, 9, 20, 45, 3, 19].into_iter().enumerate() {
            let (embeddings, labels) = batch(number, rows);
            let own = upload(&device.context, bytemuck::cast_slice(&embeddings), USAGE);
            let own_labels = upload(&device.context, bytemuck::cast_slice(&labels), USAGE);
            if !bank.is_empty() {
                for loss in [Loss::from(Contrastive::default()), Triplet::default().into()] {
                    let actual =
                        evaluate(&device, &loss, bank.shape(rows), &bank.inputs(&own, &own_labels));
                    let expected = Batch::new(&embeddings, [rows, D], &labels)
                        .and_then(|batch| {
                            batch.with_references(&ring.embeddings, ring.labels.len(), &ring.labels)
                        })
                        .and_then(|batch| {
                            device.context.evaluate(&loss, &batch.with_fixed_references()).wait()
                        })
                        .expect("a valid batch");
                    assert_eq!(actual, expected, "{}: before batch {number}", device.name);
                    assert!(actual.loss > 0.0 && actual.gradient_references.is_none());
                }
            }
            let mut encoder = device
                .context
                .device()
                .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            bank.enqueue(&mut encoder, rows, own.slice(..), own_labels.slice(..))
                .expect("valid ranges");
            device.context.queue().submit([encoder.finish()]);
            ring.enqueue(
                &embeddings[rows.saturating_sub(CAPACITY) * D..],
                &labels[rows.saturating_sub(CAPACITY)..],
            );
            assert_eq!(
                (bank.len(), bank.is_full()),
                (ring.labels.len(), ring.labels.len() == CAPACITY)
            );
        }
    }
}

#[test]
fn ranges_that_cannot_be_copied_are_refused() {
    let devices = contexts();
    let device = &devices[0];
    let mut bank = MemoryBank::new(&device.context, CAPACITY, D).expect("a bank");
    let [good, small] = [4 * D, 4 * D - 1]
        .map(|values| upload(&device.context, bytemuck::cast_slice(&vec![0.0_f32; values]), USAGE));
    let fixed =
        upload(&device.context, bytemuck::cast_slice(&[0.0_f32; 4 * D]), BufferUsages::STORAGE);
    let labels = upload(&device.context, bytemuck::cast_slice(&[0_u32; 4]), USAGE);
    let mut encoder =
        device.context.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let mut refused = |embeddings: &wgpu::Buffer, labels: wgpu::BufferSlice| match bank
        .enqueue(&mut encoder, 4, embeddings.slice(..), labels)
        .unwrap_err()
    {
        Error::Buffer { what, problem } => (what, problem),
        other => panic!("{other}"),
    };
    assert_eq!(refused(&small, labels.slice(..)).1, "the range has 76 bytes, 80 are needed");
    assert!(refused(&fixed, labels.slice(..)).1.contains("COPY_SRC is needed"));
    assert_eq!(
        refused(&good, labels.slice(..12)),
        ("labels", "the range has 12 bytes, 16 are needed".into())
    );
    let too_many =
        bank.enqueue(&mut encoder, usize::MAX / 2, good.slice(..), labels.slice(..)).unwrap_err();
    assert_eq!(too_many, Error::TooLarge { what: "embeddings", rows: usize::MAX / 2, columns: D });
    let own = bank.embeddings().clone();
    let error = bank.enqueue(&mut encoder, 1, own.slice(..), labels.slice(..)).unwrap_err();
    assert_eq!(error, Error::Buffer { what: "embeddings", problem: "it is the bank's own".into() });
    assert!(bank.is_empty());
    assert_eq!(
        MemoryBank::new(&device.context, 0, D).unwrap_err(),
        Error::Empty { what: "the number of references" }
    );
}

/// Fixed references change nothing but their own gradient, which is not there.
#[test]
fn fixed_references_have_no_gradient() {
    let (embeddings, labels) = batch(0, 9);
    let (references, reference_labels) = batch(1, 13);
    let batch = Batch::new(&embeddings, [9, D], &labels)
        .and_then(|batch| batch.with_references(&references, 13, &reference_labels))
        .expect("a valid batch");
    for device in one_by_one() {
        let free = device.context.evaluate(Triplet::default(), &batch).wait().expect("it runs");
        let fixed = device
            .context
            .evaluate(Triplet::default(), &batch.with_fixed_references())
            .wait()
            .expect("it runs");
        assert!(free.gradient_references.is_some());
        let expected = changed(free, |free| free.gradient_references = None);
        assert_eq!(fixed, expected, "{}", device.name);
    }
}
