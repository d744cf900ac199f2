// The keys of a piece in their order.
//
//   keys     piece  as they were collected
//   order    piece  the places of the keys in their order
//   ordered  piece  written
//   sizes           those of the piece
//
// One invocation per key.

// #include "shared/group.wgsl"
// #include "shared/stripe.wgsl"

const WORKGROUP = 256u;

@group(0) @binding(1) var<storage, read> keys: array<u32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(4) var<storage, read_write> ordered: array<u32>;
@group(0) @binding(5) var<uniform> sizes: Sizes;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let at = number_on_stripe(group) * WORKGROUP + invocation.index;
    if (at < sizes.pairs) {
        ordered[at] = keys[order[at]];
    }
}
