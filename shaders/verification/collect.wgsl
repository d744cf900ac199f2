// The distances of the pairs of a piece, as their orders.
//
//   offsets  rows   the number of the first pair of each row that is the same
//   keys     piece  written
//
// One workgroup per row.

// #include "shared/scan.wgsl"
// #include "verification/pairs.wgsl"
// #include "verification/piece.wgsl"

@group(0) @binding(1) var<storage, read> offsets: array<u32>;
@group(0) @binding(5) var<uniform> sizes: Sizes;
@group(0) @binding(6) var<uniform> piece: Piece;
@group(0) @binding(7) var<storage, read_write> keys: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    let begin = offsets[i];
    if (begin >= piece.first + piece.sizes.pairs) {
        return;
    }
    var own = 0u;
    for (var j = first_column(i) + invocation.index; j < end_of_columns(); j += WORKGROUP) {
        own += select(0u, 1u, relation(i, j) == POSITIVE);
    }
    // Before the piece it wraps around, beyond all places.
    var next = begin + exclusive_scan(own, invocation) - piece.first;
    for (var j = first_column(i) + invocation.index; j < end_of_columns(); j += WORKGROUP) {
        if (relation(i, j) == POSITIVE) {
            if (next < piece.sizes.pairs) {
                keys[next] = order_of(distance_at(row * stripe.stride + j));
            }
            next += 1u;
        }
    }
}
