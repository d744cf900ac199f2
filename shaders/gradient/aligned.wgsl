// The gradient from the coefficients of row-aligned pairs: each row of `own` is in one pair, with
// the same row of `other`.
//
//   own, other    E x vectors    points of the two sets
//   coefficients  E
//   gradient      E x D, tight   written
//
// Memory-bound: reads 2 E x D and writes E x D once.

// #include "shared/group.wgsl"
// #include "shared/numbers.wgsl"
// #include "shared/distance.wgsl"
// #include "shared/stripe.wgsl"

@group(0) @binding(1) var<storage, read> own: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> other: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> coefficients: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(6) var<uniform> sizes: Sizes;

const WORKGROUP = 256u;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let index = number_on_stripe(group) * WORKGROUP + invocation.index;
    let row = index / stripe.vectors;
    if (row >= sizes.pairs) {
        return;
    }
    let vector = index % stripe.vectors;
    let value = coefficients[row] * direction(own[index], other[index]);
    for (var k = 0u; k < 4u; k++) {
        if (4u * vector + k < stripe.dimensions) {
            gradient[row * stripe.dimensions + 4u * vector + k] = value[k];
        }
    }
}
