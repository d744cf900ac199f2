// Margin loss of Wu et al. over all pairs: the term is in shared/margin.wgsl.
// One workgroup per row; one read of its distances, one write of its coefficients.

// #include "shared/row.wgsl"
// #include "shared/coefficients.wgsl"
// #include "shared/margin.wgsl"

struct Parameters {
    alpha: f32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    let boundary = beta_of(i);
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
                let hinge = positive_term(d, boundary);
                losses.x += hinge;
                nonzero.x += select(0u, 1u, hinge > 0.0);
                c = coefficient(select(0.0, 1.0, hinge > 0.0), d);
            } else {
                let hinge = negative_term(d, boundary);
                losses.y += hinge;
                nonzero.y += select(0u, 1u, hinge > 0.0);
                c = coefficient(select(0.0, -1.0, hinge > 0.0), d);
            }
        }
        coefficients[at] = c;
    }
    let sums = workgroup_sum(vec4(losses, pairs.positive_distance, pairs.negative_distance), group);
    let counts = workgroup_count(vec4(pairs.positives, pairs.negatives, nonzero), group);
    if (group.local == 0u) {
        rows[i] = Row(
            sums.x, sums.y, sums.z, sums.w, counts.x, counts.y, counts.z, counts.w,
            vec2(counts.x + counts.y, 0u), vec2(counts.z + counts.w, 0u), f32(i32(counts.w) - i32(counts.z)), 0u,
        );
    }
}
