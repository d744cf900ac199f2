// The threshold among the distances of a piece that judges most pairs as they are: that accepts the
// most more of the same than of the different, the smallest one of several. Only the distance of a
// pair that is the same can be.
//
//   sorted  piece  the orders of the distances, ascending
//   counts  piece  of verification/places.wgsl; set back to 0
//   found          `margin` and `threshold` are written, of the pieces so far
//
// One workgroup: every invocation has a run of the piece.

// #include "shared/group.wgsl"
// #include "shared/wider.wgsl"
// #include "verification/found.wgsl"
// #include "verification/piece.wgsl"

const WORKGROUP = 256u;

@group(0) @binding(0) var<uniform> piece: Piece;
@group(0) @binding(1) var<storage, read> sorted: array<u32>;
@group(0) @binding(2) var<storage, read_write> counts: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> found: Found;

var<workgroup> sums: array<vec4<u32>, WORKGROUP>;
// The margin in `xy`, its threshold in `z`.
var<workgroup> best: array<vec3<u32>, WORKGROUP>;

// The one with the greater margin, the one with the smaller threshold where they are equal.
fn better(a: vec3<u32>, b: vec3<u32>) -> vec3<u32> {
    let is_greater = is_wide_less(a.xy, b.xy) || (all(a.xy == b.xy) && b.z < a.z);
    return select(a, b, is_greater);
}

@compute @workgroup_size(WORKGROUP)
fn main(invocation: Invocation) {
    let size = piece.sizes.pairs;
    let each = (size + WORKGROUP - 1u) / WORKGROUP;
    let first = min(invocation.index * each, size);
    let end = min(first + each, size);
    var sum = vec4(0u);
    for (var k = first; k < end; k++) {
        sum = both_added(sum, counts[k]);
    }
    sums[invocation.index] = sum;
    workgroupBarrier();
    // Each round adds what stands a power of two before.
    for (var width = 1u; width < WORKGROUP; width <<= 1u) {
        var before = vec4(0u);
        if (invocation.index >= width) {
            before = sums[invocation.index - width];
        }
        workgroupBarrier();
        sums[invocation.index] = both_added(sums[invocation.index], before);
        workgroupBarrier();
    }
    var accepted = vec4(0u);
    if (invocation.index > 0u) {
        accepted = sums[invocation.index - 1u];
    }
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
    for (var other = 1u; other < WORKGROUP; other++) {
        own = better(own, best[other]);
    }
    if (piece.first > 0u) {
        own = better(own, vec3(found.margin, found.threshold));
    }
    found.margin = own.xy;
    found.threshold = own.z;
}
