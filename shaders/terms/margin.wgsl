// Margin loss of Wu et al. Per pair at distance d, with the boundary beta of the anchor:
//
//   positive  max(0, d - beta + alpha)      d term / d beta = -1 where it is not 0
//   negative  max(0, beta - d + alpha)      d term / d beta = +1 where it is not 0
//
// One workgroup per row; one read of its distances, one write of its coefficients.

// #include "shared/row.wgsl"

struct Parameters {
    alpha: f32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

override BETA_PER_CLASS: u32 = 0u;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = stripe_row(group, groups);
    if (row >= stripe.rows) {
        return;
    }
    let i = stripe.begin + row;
    var boundary = beta[0];
    if (BETA_PER_CLASS == 1u) {
        boundary = beta[labels[i]];
    }
    var pairs: Pairs;
    var losses = vec2(0.0);
    var nonzero = vec2(0u);
    for (var j = local; j < stripe.stride; j += WORKGROUP) {
        let at = row * stripe.stride + j;
        let kind = relation(i, j);
        var c = 0.0;
        if (kind != NO_PAIR) {
            let d = distances[at];
            see_pair(&pairs, kind, d);
            if (kind == POSITIVE) {
                let hinge = max(0.0, d - boundary + parameters.alpha);
                losses.x += hinge;
                nonzero.x += select(0u, 1u, hinge > 0.0);
                c = coefficient(select(0.0, 1.0, hinge > 0.0), d);
            } else {
                let hinge = max(0.0, boundary - d + parameters.alpha);
                losses.y += hinge;
                nonzero.y += select(0u, 1u, hinge > 0.0);
                c = coefficient(select(0.0, -1.0, hinge > 0.0), d);
            }
        }
        coefficients[at] = c;
    }
    let sums = workgroup_sum(vec4(losses, pairs.positive_distance, pairs.negative_distance), local);
    let counts = workgroup_count(vec4(pairs.positives, pairs.negatives, nonzero), local);
    if (local == 0u) {
        rows[i] = Row(
            sums.x, sums.y, sums.z, sums.w, counts.x, counts.y, counts.z, counts.w,
            vec2(counts.x + counts.y, 0u), vec2(counts.z + counts.w, 0u), f32(i32(counts.w) - i32(counts.z)), 0u,
        );
    }
}
