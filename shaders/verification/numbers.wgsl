// How many pairs of every row are the same.
//
//   offsets  rows  written
//
// One workgroup per row; it reads labels alone.

// #include "verification/pairs.wgsl"

@group(0) @binding(1) var<storage, read_write> offsets: array<u32>;
@group(0) @binding(5) var<uniform> sizes: Sizes;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    var own = 0u;
    for (var j = first_column(i) + invocation.index; j < end_of_columns(); j += WORKGROUP) {
        own += select(0u, 1u, relation(i, j) == POSITIVE);
    }
    let same = workgroup_count(vec4(own, 0u, 0u, 0u), invocation).x;
    if (invocation.index == 0u) {
        offsets[i] = same;
    }
}
