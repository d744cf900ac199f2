// The gradient with respect to scores: d = -s, so it is the negated coefficient.
//
//   coefficients  rows x stride
//   gradient      N x C, tight
//
// Memory-bound: reads and writes N x C once.

// #include "shared/group.wgsl"
// #include "shared/stripe.wgsl"

@group(0) @binding(3) var<storage, read> coefficients: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(6) var<uniform> sizes: Sizes;

const WORKGROUP = 256u;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let index = number_on_stripe(group) * WORKGROUP + invocation.index;
    if (index < stripe_rows() * sizes.references) {
        let row = index / sizes.references;
        let column = index % sizes.references;
        let at = stripe.begin * sizes.references + index;
        gradient[at] = -coefficients[row * stripe.stride + column];
    }
}
