// Numbers the pairs that are the same: those of earlier rows first. So each is in the same piece in
// every sweep.
//
//   offsets  rows  in place: how many pairs of a row are the same, then the number of its first one
//   pieces         `pairs` is written: how many each has
//   found          `same_pairs` is written: how many there are
//
// One workgroup.

// #include "shared/scan.wgsl"
// #include "shared/wide.wgsl"
// #include "verification/found.wgsl"
// #include "verification/piece.wgsl"

@group(0) @binding(0) var<storage, read_write> offsets: array<u32>;
@group(0) @binding(1) var<storage, read_write> pieces: array<Piece>;
@group(0) @binding(2) var<storage, read_write> found: Found;
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(WORKGROUP)
fn main(invocation: Invocation) {
    let rows = select(sizes.queries, arrayLength(&offsets), sizes.pairs > 0u);
    let each = (rows + WORKGROUP - 1u) / WORKGROUP;
    let first = min(invocation.index * each, rows);
    let end = min(first + each, rows);
    var own = vec2(0u);
    for (var i = first; i < end; i++) {
        own = wide_add(own, vec2(offsets[i], 0u));
    }
    let halves = workgroup_count(
        vec4(own.x & 0xffffu, own.x >> 16u, own.y & 0xffffu, own.y >> 16u), invocation,
    );
    let total = wide_add(
        wide_from_halves(halves.x, halves.y), vec2(0u, halves.z + (halves.w << 16u)),
    );
    // More than 2^32 are more than any plan takes, and an error.
    var next = exclusive_scan(own.x, invocation);
    for (var i = first; i < end; i++) {
        let same = offsets[i];
        offsets[i] = next;
        next += same;
    }
    let numbered = select(total.x, 0xffffffffu, total.y > 0u);
    for (var at = invocation.index; at < arrayLength(&pieces); at += WORKGROUP) {
        let before = pieces[at].first;
        pieces[at].sizes.pairs = min(max(numbered, before) - before, pieces[at].capacity);
    }
    if (invocation.index == 0u) {
        found.same_pairs = total;
    }
}
