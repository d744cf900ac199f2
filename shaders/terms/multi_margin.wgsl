// Multi-class margin loss. With d = -s, y the label of sample i and the classes c as columns:
//
//   sum over c != y of max(0, d(i, y) - d(i, c) + margin)^POWER        / C with DIVIDE_BY_CLASSES
//
// One workgroup per row; one read of its distances, one write of its coefficients.

// #include "shared/row.wgsl"
// #include "shared/coefficients.wgsl"

struct Parameters {
    margin: f32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

override POWER: u32 = 1u;
override DIVIDE_BY_CLASSES: u32 = 0u;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    let own_class = labels[i];
    let own = distances[row * stripe.stride + own_class];
    let weight = select(1.0, 1.0 / f32(sizes.references), DIVIDE_BY_CLASSES == 1u);
    var loss = 0.0;
    var own_slope = 0.0;
    var other_distance = 0.0;
    var within = 0.0;  // classes within the margin; their terms may be too small for f32
    for (var c = group.local; c < stripe.stride; c += WORKGROUP) {
        let at = row * stripe.stride + c;
        var slope = 0.0;
        if (c < sizes.references && c != own_class) {
            let d = distances[at];
            other_distance += d;
            let hinge = max(0.0, own - d + parameters.margin);
            within += select(0.0, 1.0, hinge > 0.0);
            if (POWER == 1u) {
                loss += weight * hinge;
                slope = select(0.0, weight, hinge > 0.0);
            } else {
                loss += weight * hinge * hinge;
                slope = 2.0 * weight * hinge;
            }
            own_slope += slope;
            coefficients[at] = coefficient(-slope, d);
        } else {
            coefficients[at] = 0.0;
        }
    }
    let sums = workgroup_sum(vec4(loss, own_slope, other_distance, within), group);
    if (group.local == 0u) {
        coefficients[row * stripe.stride + own_class] = coefficient(sums.y, own);
        let nonzero = vec2(select(0u, 1u, sums.w > 0.0), 0u);
        if (DISTANCE == SCORES) {
            rows[i] = Row(sums.x, 0.0, 0.0, 0.0, 0u, 0u, 0u, 0u, vec2(1u, 0u), nonzero, 0.0, 0u);
        } else {
            let others = sizes.references - 1u;
            rows[i] = Row(sums.x, 0.0, own, sums.z, 1u, others, 0u, 0u, vec2(1u, 0u), nonzero, 0.0, 0u);
        }
    }
}
