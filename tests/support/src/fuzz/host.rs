//! Any inputs on the host: a result of the reference, or an error that says in one line what is
//! wrong.

use wgpu_metric_learning::measures::Retrieval;
use wgpu_metric_learning::{
    ArcFace, Batch, BinaryCrossEntropy, Circle, Clip, CoSent, Contrastive, CosFace, CrossEntropy,
    Distance, ElasticNet, Error, FastAp, Form, GeneralizedLiftedStructured, Hinge, Huber, Input,
    L1, L2, LiftedStructured, Loss, Margin, MeanSquaredError, Mining, MultiMargin, MultiSimilarity,
    Nca, NormalizedSoftmax, NtXent, ProxyAnchor, Reduction, Result, Sampling, SigLip, SmoothAp,
    SoftTriple, SupCon, Triplet, UniformEntropy, Weighted, reference,
};

use super::source::Source;

/// Values for every input of a batch, right or wrong.
pub struct Values {
    pub sizes: [usize; 3],
    pub embeddings: Vec<f32>,
    pub references: Vec<f32>,
    pub targets: Vec<f32>,
    pub beta: Vec<f32>,
    pub labels: Vec<u32>,
    pub reference_labels: Vec<u32>,
    pub same: Vec<u32>,
    pub pairs: Vec<[u32; 2]>,
    pub triplets: Vec<[u32; 3]>,
}

impl Values {
    pub fn new(source: &mut Source, sizes: [usize; 3]) -> Self {
        let [n, m, d] = sizes;
        let classes = d.min(3);
        let signs = source.flag();
        let targets = source
            .numbers(n * d)
            .into_iter()
            .map(|x| if signs { 1_f32.copysign(x) } else { x })
            .collect();
        let listed = 1 + source.below(8);
        Self {
            sizes,
            targets,
            embeddings: source.numbers(n * d),
            references: source.numbers(m * d),
            beta: source.numbers(classes),
            labels: source.indices(n, classes),
            reference_labels: source.indices(m, classes),
            same: (0..listed).map(|_| source.index(2)).collect(),
            pairs: (0..listed).map(|_| [source.index(n), source.index(n)]).collect(),
            triplets: (0..listed).map(|_| [(); 3].map(|()| source.index(n))).collect(),
        }
    }
}

/// A loss with any parameters.
pub fn loss(source: &mut Source) -> Loss {
    let distance = source.choose(&Distance::ALL);
    let reduction = source.choose(&Reduction::ALL);
    let normalize = source.flag();
    let mining = source.choose(&Mining::ALL);
    let form = source.choose(&Form::ALL);
    let sampling = source.choose(&Sampling::ALL);
    let [soft, divide_by_classes, beta_per_class, has_epsilon] = [(); 4].map(|()| source.flag());
    let power = if source.rarely() { source.word() } else { 1 + u32::from(source.flag()) };
    let centers_per_class = if source.rarely() { source.word() } else { 1 };
    let [margin, scale, other] = [(); 3].map(|()| source.number());
    let (temperature, strength, alpha, beta, gamma) = (margin, margin, margin, scale, scale);
    let (base, seed) = (other, source.word());
    source.choose(&[
        Contrastive {
            distance,
            normalize,
            reduction,
            positive_margin: margin,
            negative_margin: other,
            power,
        }
        .into(),
        Triplet { distance, normalize, reduction, mining, margin, soft }.into(),
        LiftedStructured { distance, normalize, reduction, form, margin }.into(),
        MultiMargin { distance, normalize, reduction, margin, power, divide_by_classes }.into(),
        Margin { distance, normalize, reduction, alpha, beta_per_class, sampling, seed }.into(),
        NtXent { distance, normalize, reduction, temperature }.into(),
        SupCon { distance, normalize, reduction, temperature }.into(),
        GeneralizedLiftedStructured { distance, normalize, reduction, margin }.into(),
        Nca { distance, normalize, reduction, temperature }.into(),
        MultiSimilarity {
            distance,
            normalize,
            reduction,
            alpha,
            beta,
            base,
            epsilon: has_epsilon.then_some(other),
        }
        .into(),
        Circle { distance, normalize, reduction, margin, gamma }.into(),
        FastAp { distance, normalize, reduction, bins: seed % 300 }.into(),
        SmoothAp { distance, normalize, reduction, temperature }.into(),
        NormalizedSoftmax { distance, normalize, reduction, scale, centers_per_class }.into(),
        CosFace { distance, normalize, reduction, margin, scale, centers_per_class }.into(),
        ArcFace { distance, normalize, reduction, margin, scale, centers_per_class }.into(),
        SoftTriple {
            distance,
            normalize,
            reduction,
            centers_per_class,
            gamma: other,
            margin,
            scale,
        }
        .into(),
        ProxyAnchor { distance, normalize, reduction, alpha, margin: other }.into(),
        SigLip { distance, normalize, reduction, scale, bias: other }.into(),
        Clip { distance, normalize, reduction, scale }.into(),
        CoSent { distance, normalize, reduction, scale }.into(),
        MeanSquaredError { reduction }.into(),
        Huber { reduction, delta: margin }.into(),
        Hinge { reduction }.into(),
        BinaryCrossEntropy { reduction }.into(),
        CrossEntropy { reduction }.into(),
        UniformEntropy { reduction }.into(),
        L1 { reduction, strength }.into(),
        L2 { reduction, strength }.into(),
        ElasticNet { reduction, l1_strength: margin, l2_strength: other }.into(),
    ])
}

/// A batch of any mode, with any of what can be added to it.
fn batch<'a>(source: &mut Source, values: &'a Values) -> Result<Batch<'a>> {
    let [n, m, d] = values.sizes.map(|size| source.claim(size));
    let pair_targets = &values.targets[..values.targets.len().min(values.same.len())];
    let mut batch = match source.below(12) {
        0 => Batch::scores(&values.embeddings, [n, d], &values.labels),
        1 => Batch::pair_rows(&values.embeddings, &values.references, [n, d], &values.same),
        2 => Batch::pair_indices(&values.embeddings, [n, d], &values.pairs, &values.same),
        3 => Batch::triplets(&values.embeddings, [n, d], &values.triplets),
        4 => Batch::pointwise(&values.embeddings, [n, d]),
        5 => Batch::scored_pair_rows(
            &values.embeddings,
            &values.references,
            [n, d],
            &values.targets[..values.targets.len().min(n)],
        ),
        6 => Batch::scored_pair_indices(&values.embeddings, [n, d], &values.pairs, pair_targets),
        _ => Batch::new(&values.embeddings, [n, d], &values.labels),
    }?;
    for _ in 0..source.below(3) {
        batch = match source.below(10) {
            0 => batch.with_references(&values.references, m, &values.reference_labels),
            1 => batch.with_prototypes(&values.references, m),
            2 => batch.with_beta(&values.beta[..values.beta.len().min(1 + source.below(3))]),
            3 => batch.with_targets(&values.targets),
            4 => batch.with_labels(&values.labels),
            5 => batch.with_scale(values.beta.first().unwrap_or(&0.0)),
            6 => batch.with_bias(values.beta.last().unwrap_or(&0.0)),
            7 => {
                let count = batch.shape().with_weights().numbers(Input::Weights);
                batch.with_weights(&values.targets[..values.targets.len().min(count)])
            }
            8 => batch.with_class_weights(&values.beta),
            _ => Ok(batch.with_fixed_references()),
        }?;
    }
    Ok(batch)
}

/// Evaluates a loss, an objective and the measures on anything. Says whether a loss had a result.
pub fn evaluate(bytes: &[u8]) -> bool {
    let mut source = Source(bytes);
    let sizes = [(); 3].map(|()| source.size());
    let values = Values::new(&mut source, sizes);
    let batch = match batch(&mut source, &values) {
        Ok(batch) => batch,
        Err(error) => return is_clear(&error, false),
    };
    let losses: Vec<_> = (0..1 + source.below(3))
        .map(|_| (loss(&mut source), source.number(), source.below(2)))
        .collect();
    let mut has_result = false;
    for (loss, ..) in &losses {
        match reference::evaluate_with_bounds(loss, &batch) {
            Ok(expected) => {
                assert_eq!(expected.evaluation.gradient.len(), batch.embeddings().len());
                has_result = true;
            }
            Err(error) => has_result |= is_clear(&error, has_result),
        }
    }
    let objective: Vec<_> = losses
        .into_iter()
        .map(|(loss, weight, set)| Weighted::new(weight, loss, batch).over(set))
        .collect();
    if let Err(error) = reference::evaluate_objective(&objective) {
        is_clear(&error, false);
    }
    let mut cutoffs = || {
        let count = source.below(3);
        let mut cutoff = || if source.flag() { source.claim(1) } else { source.below(4) };
        (0..count).map(|_| cutoff()).collect::<Vec<_>>()
    };
    let [recall_at, precision_at, ndcg_at] = [(); 3].map(|()| cutoffs());
    let retrieval = Retrieval {
        distance: source.choose(&Distance::ALL),
        normalize: source.flag(),
        recall_at,
        precision_at,
        ndcg_at,
    };
    match reference::measure(&retrieval, &batch) {
        Ok(measures) => {
            let shares = [measures.recall, measures.precision, measures.ndcg].concat();
            assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
        }
        Err(error) => _ = is_clear(&error, false),
    }
    has_result
}

/// An error is one line that names something. Hands `result` back.
pub fn is_clear(error: &Error, result: bool) -> bool {
    assert_clear(&error.to_string());
    result
}

pub fn assert_clear(message: &str) {
    let is_one_line = message.lines().count() == 1 && message.len() < 1000;
    assert!(is_one_line && message.split_whitespace().count() > 2, "not clear: {message:?}");
}
