// Turns the counts into where each block's places of each digit begin: those of lower digits first, then those of earlier
// blocks.
//
//   counts  DIGITS x blocks  in place
//
// One workgroup: invocation d adds up digit d.

// #include "shared/digits.wgsl"

@group(0) @binding(3) var<storage, read_write> counts: array<u32>;

var<workgroup> sums: array<u32, DIGITS>;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group) {
    let first = group.local * blocks();
    var sum = 0u;
    for (var block = 0u; block < blocks(); block++) {
        sum += counts[first + block];
    }
    sums[group.local] = sum;
    workgroupBarrier();
    // Each round adds what stands a power of two before.
    for (var width = 1u; width < DIGITS; width <<= 1u) {
        var before = 0u;
        if (group.local >= width) {
            before = sums[group.local - width];
        }
        workgroupBarrier();
        sums[group.local] += before;
        workgroupBarrier();
    }
    var begin = sums[group.local] - sum;
    for (var block = 0u; block < blocks(); block++) {
        let count = counts[first + block];
        counts[first + block] = begin;
        begin += count;
    }
}
