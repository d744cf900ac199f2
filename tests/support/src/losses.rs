//! The losses in every variant that has a kernel, or a way through one, of its own.

use wgpu_metric_learning::{
    ArcFace, Batch, BinaryCrossEntropy, Circle, Clip, CoSent, Contrastive, CosFace, CrossEntropy,
    Distance, ElasticNet, Evaluation, FastAp, Form, GeneralizedLiftedStructured, Hinge, Huber, L1,
    L2, LiftedStructured, Loss, Margin, MeanSquaredError, Mining, MultiMargin, MultiSimilarity,
    Nca, NormalizedSoftmax, NtXent, ProxyAnchor, Reduction, Sampling, SigLip, SmoothAp, SoftTriple,
    SupCon, Thresholds, Triplet, UniformEntropy, reference,
};

/// Every loss over pairs in every variant, with margins and temperatures of the size of `reach`;
/// with every distance in the same order.
pub fn losses(distance: Distance, normalize: bool, reach: f32) -> Vec<Loss> {
    let mut losses = Vec::new();
    for (power, reduction) in [
        (2, Reduction::Mean),
        (1, Reduction::Sum),
        (2, Reduction::MeanNonZero),
        (1, Reduction::MeanNonZero),
        (1, Reduction::HadsellMean),
    ] {
        let (positive_margin, negative_margin) = (0.25 * reach, reach);
        losses.push(
            Contrastive { distance, normalize, reduction, positive_margin, negative_margin, power }
                .into(),
        );
    }
    for (soft, margin) in [(false, 0.2 * reach), (true, 0.0)] {
        let reductions =
            [Reduction::Sum, Reduction::Mean, Reduction::MeanNonZero].into_iter().cycle();
        for (mining, reduction) in Mining::ALL.into_iter().zip(reductions) {
            // Wide enough that easy negatives make terms as well.
            let margin = if format!("{mining:?}").ends_with("EasyNegative") {
                20.0 * margin
            } else {
                margin
            };
            losses.push(Triplet { distance, normalize, reduction, mining, margin, soft }.into());
        }
    }
    for (form, reduction) in
        [(Form::Smooth, Reduction::Mean), (Form::Exact, Reduction::MeanNonZero)]
    {
        losses
            .push(LiftedStructured { distance, normalize, reduction, form, margin: reach }.into());
    }
    for (power, divide_by_classes) in [(1, false), (2, true)] {
        let (margin, reduction) = (reach, Reduction::Mean);
        losses.push(
            MultiMargin { distance, normalize, reduction, margin, power, divide_by_classes }.into(),
        );
    }
    for (beta_per_class, reduction) in [(false, Reduction::MeanNonZero), (true, Reduction::Mean)] {
        let alpha = 0.2 * reach;
        losses.push(
            Margin { distance, normalize, reduction, alpha, beta_per_class, ..Margin::default() }
                .into(),
        );
    }
    for (margin, reduction) in [(reach, Reduction::Mean), (0.0, Reduction::MeanNonZero)] {
        losses.push(GeneralizedLiftedStructured { distance, normalize, reduction, margin }.into());
    }
    for (temperature, reduction) in
        [(0.1 * reach, Reduction::Mean), (0.5 * reach, Reduction::MeanNonZero)]
    {
        losses.push(NtXent { distance, normalize, reduction, temperature }.into());
        losses.push(SupCon { distance, normalize, reduction, temperature }.into());
    }
    for (temperature, reduction) in
        [(0.1 * reach, Reduction::Mean), (0.5 * reach, Reduction::MeanNonZero)]
    {
        losses.push(Nca { distance, normalize, reduction, temperature }.into());
    }
    for (epsilon, reduction) in
        [(None, Reduction::Mean), (Some(0.1 * reach), Reduction::MeanNonZero)]
    {
        let (alpha, beta, base) = (2.0 / reach, 10.0 / reach, 0.5 * reach);
        losses.push(
            MultiSimilarity { distance, normalize, reduction, alpha, beta, base, epsilon }.into(),
        );
    }
    // Each has its place in the list whatever the distance: with another where it has not this one.
    for (gamma, reduction) in [(80.0, Reduction::Mean), (5.0, Reduction::MeanNonZero)] {
        let distance = Distance::Cosine;
        losses.push(Circle { distance, normalize, reduction, margin: 0.4, gamma }.into());
    }
    let (ends, is_unit) = match distance {
        Distance::Euclidean | Distance::SquaredEuclidean => (distance, true),
        _ => (Distance::Cosine, normalize),
    };
    for (bins, reduction) in [(10, Reduction::Mean), (255, Reduction::MeanNonZero)] {
        losses.push(FastAp { distance: ends, normalize: is_unit, reduction, bins }.into());
    }
    for (temperature, reduction) in
        [(0.1 * reach, Reduction::Mean), (0.5 * reach, Reduction::MeanNonZero)]
    {
        losses.push(SmoothAp { distance, normalize, reduction, temperature }.into());
    }
    for (scale, reduction, centers_per_class) in
        [(10.0 / reach, Reduction::Mean, 1), (2.0 / reach, Reduction::MeanNonZero, 3)]
    {
        let margin = 0.3 * reach;
        losses.push(
            NormalizedSoftmax { distance, normalize, reduction, scale, centers_per_class }.into(),
        );
        losses.push(
            CosFace { distance, normalize, reduction, margin, scale, centers_per_class }.into(),
        );
    }
    for (centers_per_class, reduction) in [(3, Reduction::Mean), (1, Reduction::MeanNonZero)] {
        let (gamma, margin, scale) = (0.2 * reach, 0.1 * reach, 10.0 / reach);
        losses.push(
            SoftTriple { distance, normalize, reduction, centers_per_class, gamma, margin, scale }
                .into(),
        );
    }
    for (margin, reduction, centers_per_class) in
        [(0.5, Reduction::Mean, 2), (1.5, Reduction::Sum, 1)]
    {
        let (distance, scale) = (Distance::Cosine, 10.0);
        losses.push(
            ArcFace { distance, normalize, reduction, margin, scale, centers_per_class }.into(),
        );
    }
    for (rate, reduction) in
        [(10.0, Reduction::Mean), (2.0, Reduction::MeanNonZero), (5.0, Reduction::Sum)]
    {
        let (alpha, margin) = (rate / reach, 0.3 * reach);
        losses.push(ProxyAnchor { distance, normalize, reduction, alpha, margin }.into());
    }
    for (scale, bias, reduction) in
        [(10.0 / reach, -10.0, Reduction::Mean), (2.0 / reach, 0.5, Reduction::MeanNonZero)]
    {
        losses.push(SigLip { distance, normalize, reduction, scale, bias }.into());
        losses.push(Clip { distance, normalize, reduction, scale }.into());
    }
    for (scale, reduction) in [(10.0 / reach, Reduction::Mean), (2.0 / reach, Reduction::Sum)] {
        losses.push(CoSent { distance, normalize, reduction, scale }.into());
    }
    // Draws are by one distance only.
    let sampling = Sampling::DistanceWeighted;
    losses.push(Margin { normalize: true, sampling, seed: 7, ..Margin::default() }.into());
    losses
}

/// The loss with the mean of its terms within thresholds, of which some are below and some above.
pub fn thresholded(loss: &Loss, batch: &Batch) -> Loss {
    let [low, high] = match loss {
        // Terms of pairs, triplets and classes, by their mean.
        Loss::Contrastive(_)
        | Loss::Triplet(_)
        | Loss::LiftedStructured(_)
        | Loss::Margin(_)
        | Loss::NtXent(_)
        | Loss::Clip(_)
        | Loss::ProxyAnchor(_) => {
            let sum = evaluate(&loss.clone().with_reduction(Reduction::Sum), batch);
            let mean = sum.loss / sum.terms.max(1) as f64;
            [0.4 * mean, 1.6 * mean]
        }
        // Of anchors, by the quarters that they are in.
        _ => {
            let all = evaluate(&loss.clone().with_reduction(Reduction::Mean), batch).per_anchor;
            let mut terms = all.expect("a term for every anchor");
            terms.sort_by(f64::total_cmp);
            [1, 3].map(|quarter| {
                let at = (quarter * terms.len() / 4).clamp(1, terms.len() - 1);
                0.5 * (terms[at - 1] + terms[at])
            })
        }
    };
    let [low, high] = [low, high].map(|threshold| Some(threshold as f32));
    loss.clone().with_reduction(Reduction::MeanWithin(Thresholds { low, high }))
}

fn evaluate(loss: &Loss, batch: &Batch) -> Evaluation<f64> {
    reference::evaluate(loss, batch).expect("a valid sample")
}

/// Every mining of the triplets of a batch.
pub fn minings() -> impl Iterator<Item = Mining> {
    Mining::ALL.into_iter().filter(|&mining| mining != Mining::Explicit)
}

/// Every pointwise loss, with parameters of the size of `reach` where they stand beside the values.
pub fn pointwise(reduction: Reduction, reach: f32) -> Vec<Loss> {
    vec![
        MeanSquaredError { reduction }.into(),
        Huber { reduction, delta: 0.3 * reach }.into(),
        Hinge { reduction }.into(),
        BinaryCrossEntropy { reduction }.into(),
        CrossEntropy { reduction }.into(),
        UniformEntropy { reduction }.into(),
        L1 { reduction, strength: 0.01 }.into(),
        L2 { reduction, strength: 0.01 }.into(),
        ElasticNet { reduction, l1_strength: 0.01, l2_strength: 0.02 }.into(),
    ]
}

/// How large distances are between rows whose coordinates are about `magnitude` / sqrt(D).
pub fn reach(distance: Distance, normalize: bool, dimensions: usize, magnitude: f32) -> f32 {
    let magnitude = if normalize { 1.0 } else { magnitude };
    let reach = match distance {
        Distance::Euclidean => magnitude,
        Distance::SquaredEuclidean | Distance::InnerProduct => magnitude * magnitude,
        Distance::Manhattan => magnitude * (dimensions as f32).sqrt(),
        Distance::Cosine => 1.0,
        other => panic!("{other:?} has no size here"),
    };
    reach.clamp(1e-30, 1e30)
}
