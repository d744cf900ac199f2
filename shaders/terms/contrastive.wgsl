// Contrastive loss. Per pair at distance d:
//
//   positive  max(0, d - positive_margin)^POWER      slope   POWER max(0, d - positive_margin)^(POWER - 1)
//   negative  max(0, negative_margin - d)^POWER      slope  -POWER max(0, negative_margin - d)^(POWER - 1)
//
// One workgroup per row; one read of its distances, one write of its coefficients.

// #include "terms/row.wgsl"
// #include "terms/coefficient_quads.wgsl"

struct Parameters {
    positive_margin: f32,
    negative_margin: f32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

override POWER: u32 = 2u;
// 1: the mean of the non-zero positives plus the mean of the non-zero negatives, with the counts from `statistics`.
override SPLIT_MEAN: u32 = 0u;

fn term(hinge: vec4<f32>) -> vec4<f32> {
    if (POWER == 1u) {
        return hinge;
    }
    return hinge * hinge;
}

fn term_slope(hinge: vec4<f32>) -> vec4<f32> {
    if (POWER == 1u) {
        return select(vec4(0.0), vec4(1.0), hinge > vec4(0.0));
    }
    return 2.0 * hinge;
}

fn work(row: u32, invocation: Invocation, positive_weight: f32, negative_weight: f32) {
    let i = stripe.begin + row;
    var pairs: Pairs;
    var losses = vec2(0.0);
    var nonzero = vec2(0u);
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let kinds = relations(i, quad);
        let d = distances_of(row, quad, kinds);
        see_pairs(&pairs, kinds, d);
        let positive = select(vec4(0.0), max(vec4(0.0), d - parameters.positive_margin), kinds == vec4(POSITIVE));
        let negative = select(vec4(0.0), max(vec4(0.0), parameters.negative_margin - d), kinds == vec4(NEGATIVE));
        losses += vec2(sum_of(term(positive)), sum_of(term(negative)));
        nonzero += vec2(count_of(positive > vec4(0.0)), count_of(negative > vec4(0.0)));
        let slopes = positive_weight * term_slope(positive) - negative_weight * term_slope(negative);
        coefficients[row * quads() + quad] = coefficients_from(slopes, d);
    }
    let sums = workgroup_sum(vec4(losses, pairs.positive_distance, pairs.negative_distance), invocation);
    let counts = workgroup_count(vec4(pairs.positives, pairs.negatives, nonzero), invocation);
    if (invocation.index == 0u) {
        rows[i] = Row(
            sums.x, sums.y, sums.z, sums.w, counts.x, counts.y, counts.z, counts.w,
            vec2(counts.x + counts.y, 0u), vec2(counts.z + counts.w, 0u), 0.0, 0u,
        );
    }
}

// Fills `rows`, from which the totals of the batch are made.
@compute @workgroup_size(WORKGROUP)
fn statistics(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row < stripe_rows()) {
        work(row, invocation, 1.0, 1.0);
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row < stripe_rows()) {
        if (SPLIT_MEAN == 1u) {
            work(row, invocation, totals.positive_weight, totals.negative_weight);
        } else {
            work(row, invocation, 1.0, 1.0);
        }
    }
}
