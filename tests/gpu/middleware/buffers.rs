//! Buffers of the caller's as inputs.

use support::sample::Values;
use wgpu::BufferUsages;
use wgpu_metric_learning::{Error, Input, Inputs, Record};

use super::caller::{USAGE, callers, device, encoder};
use super::guest::{Guest, every_loss, everything, fullest, sample};

#[test]
fn parts_of_buffers_stale_outputs_and_new_contents() {
    let [first, second] = [Values::Ordinary, Values::Near(0.5)].map(|values| sample(23, 6, values));
    for caller in callers() {
        for loss in every_loss() {
            for (first, second) in first.batches(&loss).iter().zip(second.batches(&loss)) {
                let [expected, expected_second] = [first, &second]
                    .map(|batch| caller.context.evaluate(&loss, batch).wait().unwrap());
                assert_ne!(expected, expected_second, "{loss:?}: the two cannot be told apart");
                let mut guest = Guest::new(&caller, &loss, first);
                guest.poison_outputs(&caller);
                assert_eq!(guest.run(&caller), Ok(expected), "{}: {loss:?}", caller.name);
                guest.arena.write(&caller.queue, &second);
                assert_eq!(guest.run(&caller), Ok(expected_second), "{}: {loss:?}", caller.name);
                guest.arena.is_untouched(&caller);
            }
        }
    }
}

#[test]
fn buffers_that_do_not_fit_are_errors() {
    let sample = sample(9, 3, Values::Ordinary);
    let loss = everything();
    let batch = fullest(&sample, &loss);
    for caller in &callers() {
        let guest = Guest::new(caller, &loss, &batch);
        let inputs = guest.arena.inputs();
        let buffer = |device: &wgpu::Device, usage| {
            let descriptor = wgpu::BufferDescriptor {
                label: None,
                size: 4096,
                usage,
                mapped_at_creation: false,
            };
            device.create_buffer(&descriptor)
        };
        let copied = buffer(&caller.device, BufferUsages::COPY_DST);
        let foreign = buffer(&device(&caller.adapter, wgpu::Limits::default()).0, USAGE);
        let own = buffer(&caller.device, USAGE);
        let fails = |inputs: Inputs, what: &str, problem: &str| match guest.plan.bind(&inputs) {
            Err(Error::Buffer { what: found, problem: text }) => {
                assert_eq!(found, what);
                assert!(text.contains(problem), "{text:?} lacks {problem:?}");
            }
            other => panic!("{what}: {other:?}"),
        };
        let small = "the range has 32 bytes, 108 are needed";
        fails(inputs.clone().with(Input::Embeddings, own.slice(..32)), "embeddings", small);
        fails(
            inputs.clone().with(Input::Labels, own.slice(..32)),
            "labels",
            "32 bytes, 36 are needed",
        );
        fails(
            inputs.clone().with(Input::References, own.slice(..32)),
            "references",
            "228 are needed",
        );
        fails(
            inputs.clone().with(Input::ReferenceLabels, own.slice(..32)),
            "reference labels",
            "76 are",
        );
        fails(inputs.clone().with(Input::Beta, own.slice(..8)), "beta", "8 bytes, 12 are needed");
        let misaligned = "begins at byte 4, which is no multiple of 256";
        fails(inputs.clone().with(Input::Embeddings, own.slice(4..)), "embeddings", misaligned);
        fails(inputs.clone().with(Input::Labels, copied.slice(..)), "labels", "STORAGE is needed");

        let missing = |inputs: Inputs| match guest.plan.bind(&inputs) {
            Err(Error::Missing { what, .. }) => what,
            other => panic!("{other:?}"),
        };
        assert_eq!(missing(inputs.clone().without(Input::References)), "references");
        assert_eq!(missing(inputs.clone().without(Input::ReferenceLabels)), "reference labels");
        assert_eq!(missing(inputs.clone().without(Input::Beta)), "beta");

        let foreign = inputs.clone().with(Input::Embeddings, foreign.slice(..));
        fails(foreign, "embeddings", "wgpu refuses it, as it does a buffer of another device");

        let other = Guest::new(caller, &loss, &batch);
        let error = guest.plan.record(&mut encoder(caller), &other.binding).unwrap_err();
        assert_eq!(error.to_string(), "buffer binding: it was made by another plan");
        assert!(guest.run(caller).is_ok(), "{}: no error spoils the plan", caller.name);
    }
}
