// Contrastive loss. Per pair at distance d:
//
//   positive  max(0, d - positive_margin)^POWER      slope   POWER max(0, d - positive_margin)^(POWER - 1)
//   negative  max(0, negative_margin - d)^POWER      slope  -POWER max(0, negative_margin - d)^(POWER - 1)
//
// One workgroup per row; one read of its distances, one write of its coefficients.

// #include "shared/row.wgsl"
// #include "shared/coefficients.wgsl"

struct Parameters {
    positive_margin: f32,
    negative_margin: f32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

override POWER: u32 = 2u;
// 1: the mean of the non-zero positives plus the mean of the non-zero negatives, with the counts from `statistics`.
override SPLIT_MEAN: u32 = 0u;

fn term(hinge: f32) -> f32 {
    if (POWER == 1u) {
        return hinge;
    }
    return hinge * hinge;
}

fn term_slope(hinge: f32) -> f32 {
    if (POWER == 1u) {
        return select(0.0, 1.0, hinge > 0.0);
    }
    return 2.0 * hinge;
}

fn work(row: u32, group: Group, positive_weight: f32, negative_weight: f32) {
    let i = stripe.begin + row;
    var pairs: Pairs;
    var losses = vec2(0.0);
    var nonzero = vec2(0u);
    for (var j = group.local; j < stripe.stride; j += WORKGROUP) {
        let at = row * stripe.stride + j;
        let kind = relation(i, j);
        var c = 0.0;
        if (kind != NO_PAIR) {
            let d = distances[at];
            see_pair(&pairs, kind, d);
            if (kind == POSITIVE) {
                let hinge = max(0.0, d - parameters.positive_margin);
                losses.x += term(hinge);
                nonzero.x += select(0u, 1u, hinge > 0.0);
                c = coefficient(positive_weight * term_slope(hinge), d);
            } else {
                let hinge = max(0.0, parameters.negative_margin - d);
                losses.y += term(hinge);
                nonzero.y += select(0u, 1u, hinge > 0.0);
                c = coefficient(-negative_weight * term_slope(hinge), d);
            }
        }
        coefficients[at] = c;
    }
    let sums = workgroup_sum(vec4(losses, pairs.positive_distance, pairs.negative_distance), group);
    let counts = workgroup_count(vec4(pairs.positives, pairs.negatives, nonzero), group);
    if (group.local == 0u) {
        rows[i] = Row(
            sums.x, sums.y, sums.z, sums.w, counts.x, counts.y, counts.z, counts.w,
            vec2(counts.x + counts.y, 0u), vec2(counts.z + counts.w, 0u), 0.0, 0u,
        );
    }
}

// Fills `rows`, from which the totals of the batch are made.
@compute @workgroup_size(WORKGROUP)
fn statistics(group: Group) {
    let row = number_on_stripe(group);
    if (row < stripe_rows()) {
        work(row, group, 1.0, 1.0);
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group) {
    let row = number_on_stripe(group);
    if (row < stripe_rows()) {
        if (SPLIT_MEAN == 1u) {
            work(row, group, totals.positive_weight, totals.negative_weight);
        } else {
            work(row, group, 1.0, 1.0);
        }
    }
}
