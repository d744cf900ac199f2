// The threshold among the distances of a piece that judges most pairs as they are: that accepts the
// most more of the same than of the different, the smallest one of several. Only the distance of a
// pair that is the same can be.
//
//   sorted  piece  the orders of the distances, ascending
//   counts  piece  of verification/places.wgsl; set back to 0
//   found          `margin` and `threshold` are written, of the pieces so far
//
// One workgroup: every invocation has a run of the piece.

// #include "verification/found.wgsl"
// #include "verification/piece.wgsl"
// #include "verification/sums.wgsl"

@group(0) @binding(0) var<uniform> piece: Piece;
@group(0) @binding(1) var<storage, read> sorted: array<u32>;
@group(0) @binding(2) var<storage, read_write> counts: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> found: Found;

// The margin in `xy`, its threshold in `z`.
var<workgroup> best: array<vec3<u32>, SUMMANDS>;

// The one with the greater margin, the one with the smaller threshold where they are equal.
fn better(a: vec3<u32>, b: vec3<u32>) -> vec3<u32> {
    let is_greater = is_wide_less(a.xy, b.xy) || (all(a.xy == b.xy) && b.z < a.z);
    return select(a, b, is_greater);
}

@compute @workgroup_size(SUMMANDS)
fn main(invocation: Invocation) {
    let size = piece.sizes.pairs;
    let each = (size + SUMMANDS - 1u) / SUMMANDS;
    let first = min(invocation.index * each, size);
    let end = min(first + each, size);
    var sum = vec4(0u);
    for (var k = first; k < end; k++) {
        sum = both_added(sum, counts[k]);
    }
    sum_up(sum, invocation);
    var accepted = sum_before(invocation);
    var own = vec3(0u, 0u, 0xffffffffu);
    for (var k = first; k < end; k++) {
        accepted = both_added(accepted, counts[k]);
        counts[k] = vec4(0u);
        if (is_wide_less(accepted.zw, accepted.xy)) {
            own = better(own, vec3(wide_difference(accepted.xy, accepted.zw), sorted[k]));
        }
    }
    best[invocation.index] = own;
    workgroupBarrier();
    if (invocation.index > 0u) {
        return;
    }
    for (var other = 1u; other < SUMMANDS; other++) {
        own = better(own, best[other]);
    }
    if (piece.first > 0u) {
        own = better(own, vec3(found.margin, found.threshold));
    }
    found.margin = own.xy;
    found.threshold = own.z;
}
