// Sigmoid loss. A pair has the similarity s = 1 - d of the cosine distance, and s = -d of another,
// and with it the logit l = scale s + bias. With z = 1 for positives and z = -1 for negatives, an
// anchor has
//
//   term            the sum of log(1 + exp(-z l)) over its pairs
//   slope of l     -z sigmoid(-z l)
//   slope of d     -scale times the slope of l
//   slope of scale  the sum of s times the slopes of l
//   slope of bias   the sum of the slopes of l
//
// The slopes of distances lack the factor of the description's scale, which is applied with the
// reduction: it is the scale, unless the caller gives another.
//
// One workgroup per row; one read of its distances, one write of its coefficients.

// #include "terms/row.wgsl"
// #include "terms/coefficient_quads.wgsl"
// #include "shared/exponential.wgsl"

struct Parameters {
    scale: f32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

fn similarities(d: vec4<f32>) -> vec4<f32> {
    return select(0.0, 1.0, DISTANCE == COSINE) - d;
}

// log(1 + x) of numbers in [0, 1].
fn logs_one_plus(x: vec4<f32>) -> vec4<f32> {
    return vec4(log_one_plus(x.x), log_one_plus(x.y), log_one_plus(x.z), log_one_plus(x.w));
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    let label = labels[i];
    let scale = learned[0];
    let bias = learned[1];
    let weight = scale / parameters.scale;
    var pairs: Pairs;
    var loss = 0.0;
    var of_scale = 0.0;
    var of_bias = 0.0;
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let kinds = relations_of(i, label, quad);
        let d = distances_of(row, quad, kinds);
        see_pairs(&pairs, kinds, d);
        let similar = similarities(d);
        // -z
        let signs = select(vec4(1.0), vec4(-1.0), kinds == vec4(POSITIVE));
        let over = signs * (scale * similar + bias);
        let small = exp(-abs(over));
        let is_pair = kinds != vec4(NO_PAIR);
        let terms = max(over, vec4(0.0)) + logs_one_plus(small);
        let sigmoids = select(small, vec4(1.0), over >= vec4(0.0)) / (1.0 + small);
        let slopes = select(vec4(0.0), signs * sigmoids, is_pair);
        loss += sum_of(select(vec4(0.0), terms, is_pair));
        of_scale += dot(slopes, similar);
        of_bias += sum_of(slopes);
        coefficients[row * quads() + quad] = coefficients_from(-weight * slopes, d);
    }
    let sums = workgroup_sum(vec4(loss, of_scale, of_bias, 0.0), invocation).xyz;
    let distances = workgroup_sum(vec4(pairs.distances, 0.0, 0.0), invocation).xy;
    let counts = workgroup_count(vec4(pairs.counts, 0u, 0u), invocation).xy;
    if (invocation.index == 0u) {
        var summary = row_of_pairs(distances, counts);
        summary.loss = sums.x;
        summary.learned_slopes = sums.yz;
        summary.terms.x = min(counts.x + counts.y, 1u);
        summary.nonzero.x = summary.terms.x;
        rows[i] = summary;
    }
}
