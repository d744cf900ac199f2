// Scores in place of distances: d(i, c) = -s(i, c), so that a higher score is nearer.
//
//   scores     N x vectors     padded, as prepare/rows.wgsl leaves them
//   distances  rows x stride   written
//
// Memory-bound: reads and writes N x C once.

// #include "shared/group.wgsl"
// #include "shared/stripe.wgsl"

@group(0) @binding(1) var<storage, read> scores: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> distances: array<vec4<f32>>;
@group(0) @binding(7) var<uniform> sizes: Sizes;

const WORKGROUP = 256u;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    // stride = 4 * vectors: a stripe is one run of vec4s.
    let index = number_on_stripe(group) * WORKGROUP + invocation.index;
    if (index < stripe_rows() * stripe.vectors) {
        distances[index] = -scores[stripe.begin * stripe.vectors + index];
    }
}
