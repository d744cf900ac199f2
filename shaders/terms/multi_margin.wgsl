// Multi-class margin loss. With d = -s, y the label of sample i and the classes c as columns:
//
//   sum over c != y of max(0, d(i, y) - d(i, c) + margin)^POWER        / C with DIVIDE_BY_CLASSES
//
// One workgroup per row; one read of its distances, one write of its coefficients.

// #include "terms/row.wgsl"
// #include "terms/coefficient_quads.wgsl"

struct Parameters {
    margin: f32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

override POWER: u32 = 1u;
override DIVIDE_BY_CLASSES: u32 = 0u;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    let own_class = labels[i];
    let own = distance_at(row * stripe.stride + own_class);
    let weight = select(1.0, 1.0 / f32(sizes.references), DIVIDE_BY_CLASSES == 1u);
    var loss = 0.0;
    var own_slope = 0.0;
    var other_distance = 0.0;
    var within = 0.0;  // classes within the margin; their terms may be too small for f32
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let classes = columns_of(quad);
        let is_other = (classes < vec4(sizes.references)) & (classes != vec4(own_class));
        let d = select(vec4(0.0), distances[row * quads() + quad], is_other);
        other_distance += sum_of(d);
        let hinges = select(vec4(0.0), max(vec4(0.0), own - d + parameters.margin), is_other);
        let is_within = hinges > vec4(0.0);
        within += sum_of(select(vec4(0.0), vec4(1.0), is_within));
        var slopes = select(vec4(0.0), vec4(weight), is_within);
        if (POWER == 1u) {
            loss += weight * sum_of(hinges);
        } else {
            loss += weight * dot(hinges, hinges);
            slopes = 2.0 * weight * hinges;
        }
        own_slope += sum_of(slopes);
        coefficients[row * quads() + quad] = coefficients_from(-slopes, d);
    }
    let sums = workgroup_sum(vec4(loss, own_slope, other_distance, within), invocation);
    // The row's coefficients come before that of its own class.
    storageBarrier();
    if (invocation.index == 0u) {
        coefficients[row * quads() + own_class / 4u][own_class % 4u] = coefficient(sums.y, own);
        var summary: Row;
        if (DISTANCE != SCORES) {
            summary = row_of_pairs(vec2(own, sums.z), vec2(1u, sizes.references - 1u));
        }
        summary.loss = sums.x;
        summary.terms.x = 1u;
        summary.nonzero.x = select(0u, 1u, sums.w > 0.0);
        rows[i] = summary;
    }
}
