//! Any bits in the caller's buffers: a result or a typed error, and a device that goes on.

use std::time::Duration;

use wgpu_metric_learning::{
    Batch, CoSent, Context, Contrastive, CrossEntropy, Error, Evaluation, FastAp, Hinge, Input,
    Inputs, Loss, Margin, Mining, Mode, MultiMargin, NormalizedSoftmax, Options, Plan, Record,
    Result, Shape, SigLip, SupCon, Triplet, Truth,
};

use support::adapters::{best_with, contexts};
use support::fuzz::bytes::Random;
use support::fuzz::host::{Values, is_clear};
use support::fuzz::source::Source;

const N: usize = 6;
const M: usize = 3;
const D: usize = 4;
const LISTED: usize = 5;
const ROUNDS: usize = 40;

/// A loss of every mode, and the same inputs on the host.
type Kind = (Loss, Shape, fn(&Values) -> Result<Batch<'_>>);

fn kinds() -> Vec<Kind> {
    fn rows(values: &Values) -> Result<Batch<'_>> {
        Batch::new(&values.embeddings, [N, D], &values.labels)
    }
    let beta_per_class = Margin { beta_per_class: true, ..Default::default() };
    let explicit = Triplet { mining: Mining::Explicit, ..Default::default() };
    let classes = MultiMargin::default;
    vec![
        (Contrastive::default().into(), Shape::batch(N, D), rows),
        (Triplet::default().into(), Shape::batch(N, D), rows),
        // Distances choose a place in memory.
        (FastAp::default().into(), Shape::batch(N, D), rows),
        (beta_per_class.into(), Shape::batch(N, D).with_betas(M), |values| {
            rows(values)?.with_beta(&values.beta)
        }),
        (Triplet::default().into(), Shape::batch(N, D).with_weights(), |values| {
            rows(values)?.with_weights(&values.targets[..N])
        }),
        (explicit.clone().into(), Shape::triplets(N, D, LISTED).with_weights(), |values| {
            let batch = Batch::triplets(&values.embeddings, [N, D], &values.triplets)?;
            batch.with_weights(&values.targets[..LISTED])
        }),
        (SupCon::default().into(), Shape::batch(N, D).with_class_weights(M), |values| {
            rows(values)?.with_class_weights(&values.beta)
        }),
        (SupCon::default().into(), Shape::reference(N, M, D), |values| {
            rows(values)?.with_references(&values.references, M, &values.reference_labels)
        }),
        (classes().into(), Shape::prototypes(N, M, D), |values| {
            rows(values)?.with_prototypes(&values.references, M)
        }),
        (NormalizedSoftmax::default().into(), Shape::prototypes(N, M, D).with_scale(), |values| {
            rows(values)?.with_prototypes(&values.references, M)?.with_scale(&values.beta[0])
        }),
        (SigLip::default().into(), Shape::reference(N, M, D).with_scale().with_bias(), |values| {
            let batch = rows(values)?;
            let batch = batch.with_references(&values.references, M, &values.reference_labels)?;
            batch.with_scale(&values.beta[0])?.with_bias(&values.beta[1])
        }),
        (classes().into(), Shape::scores(N, D), |values| {
            Batch::scores(&values.embeddings, [N, D], &values.labels)
        }),
        (Contrastive::default().into(), Shape::pair_indices(N, D, LISTED), |values| {
            Batch::pair_indices(&values.embeddings, [N, D], &values.pairs, &values.same)
        }),
        (CoSent::default().into(), Shape::scored_pair_indices(N, D, LISTED), |values| {
            let targets = &values.targets[..LISTED];
            Batch::scored_pair_indices(&values.embeddings, [N, D], &values.pairs, targets)
        }),
        (explicit.into(), Shape::triplets(N, D, LISTED), |values| {
            Batch::triplets(&values.embeddings, [N, D], &values.triplets)
        }),
        (CrossEntropy::default().into(), Shape::pointwise(N, D), |values| {
            Batch::pointwise(&values.embeddings, [N, D])?.with_labels(&values.labels)
        }),
        (Hinge::default().into(), Shape::pointwise(N, D), |values| {
            Batch::pointwise(&values.embeddings, [N, D])?.with_targets(&values.targets)
        }),
    ]
}

fn values(random: &mut Random) -> Values {
    let bytes = random.bytes(2000);
    let mut values = Values::new(&mut Source(&bytes), [N, M, D]);
    values.embeddings.resize(N * D, 0.5);
    values.references.resize(M * D, -0.5);
    values.targets.resize(N * D, 1.0);
    values.beta.resize(M, 1.0);
    values.labels.resize(N, 0);
    values.reference_labels.resize(M, 1);
    values.same.resize(LISTED, 1);
    values.pairs.resize(LISTED, [0, 1]);
    values.triplets.resize(LISTED, [0, 1, 2]);
    values
}

fn run(context: &Context, plan: &Plan, values: &Values) -> Result<Evaluation> {
    let upload = |bytes: &[u8]| {
        let buffer = context.device().create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: bytes.len() as u64,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        context.queue().write_buffer(&buffer, 0, bytes);
        buffer
    };
    let [embeddings, references, targets, beta] =
        [&values.embeddings, &values.references, &values.targets, &values.beta]
            .map(|x| upload(bytemuck::cast_slice(x)));
    let bias = upload(&values.beta[1].to_ne_bytes());
    let [labels, reference_labels, same] = [&values.labels, &values.reference_labels, &values.same]
        .map(|x| upload(bytemuck::cast_slice(x)));
    let (pairs, triplets) = (
        upload(bytemuck::cast_slice(&values.pairs)),
        upload(bytemuck::cast_slice(&values.triplets)),
    );
    let shape = plan.shape();
    let mode = shape.mode();
    let is_listed = shape.listed() > 0;
    let has_targets = plan.loss().truth() == Truth::Signs;
    let is_scored = mode == Mode::ScoredPairIndices;
    let given = [
        (Input::Labels, !is_listed && !has_targets, &labels),
        (Input::References, shape.has_references(), &references),
        (Input::ReferenceLabels, mode == Mode::Reference, &reference_labels),
        (Input::Beta, shape.betas() > 0, &beta),
        (Input::Weights, shape.has_weights() && shape.class_weights() == 0, &targets),
        (Input::ClassWeights, shape.class_weights() > 0, &beta),
        (Input::Scale, shape.has_scale(), &beta),
        (Input::Bias, shape.has_bias(), &bias),
        (Input::Pairs, mode == Mode::PairIndices || is_scored, &pairs),
        (Input::Same, mode == Mode::PairIndices, &same),
        (Input::Triplets, mode == Mode::Triplets, &triplets),
        (Input::Targets, has_targets || is_scored, &targets),
    ];
    let inputs = given
        .into_iter()
        .filter(|&(_, is_given, _)| is_given)
        .fold(Inputs::unlabelled(&embeddings), |inputs, (input, _, buffer)| {
            inputs.with(input, buffer.slice(..))
        });
    let binding = plan.bind(&inputs)?;
    let mut encoder =
        context.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    plan.record(&mut encoder, &binding)?;
    let mut pending = plan.read_back(&mut encoder)?;
    context.queue().submit([encoder.finish()]);
    pending.wait(Duration::from_secs(60))
}

/// The GPU refuses what the host refuses, and nothing else but results beyond f32.
#[test]
fn any_bits_in_the_callers_buffers() {
    let _alone = contexts();
    let device = best_with(Options::default());
    let mut random = Random(3);
    let mut counts = [0; 3];
    for (loss, shape, batch) in kinds() {
        let plan = device.context.plan(&loss, shape).expect("a valid shape");
        for _ in 0..ROUNDS {
            let values = values(&mut random);
            let on_host = batch(&values).and_then(|batch| batch.check(&loss));
            let on_gpu = run(&device.context, &plan, &values);
            let note = format!(
                "{}: {loss:?}: {on_host:?} on the host, {on_gpu:?} on the GPU",
                device.name
            );
            match (&on_host, &on_gpu) {
                (Ok(()), Ok(_)) => counts[0] += 1,
                (Ok(()), Err(Error::Overflow { .. })) => counts[1] += 1,
                (Err(_), Err(error)) if is_of_inputs(error) && is_clear(error, true) => {
                    counts[2] += 1
                }
                _ => panic!("{note}"),
            }
        }
    }
    assert!(counts.iter().all(|&count| count > 5), "results, overflows and refusals: {counts:?}");
}

/// What the kernels find.
fn is_of_inputs(error: &Error) -> bool {
    matches!(
        error,
        Error::NotFinite { .. }
            | Error::LabelOutOfRange { .. }
            | Error::IndexOutOfRange { .. }
            | Error::PairWithItself { .. }
            | Error::Target { .. }
    )
}
