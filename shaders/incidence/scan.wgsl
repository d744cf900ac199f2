// Turns the counts into where each block's places of each digit begin: those of lower digits first,
// then those of earlier blocks.
//
//   counts  DIGITS x blocks  in place
//
// One workgroup: invocation d adds up digit d.

// #include "incidence/digits.wgsl"

@group(0) @binding(3) var<storage, read_write> counts: array<u32>;

var<workgroup> sums: array<u32, DIGITS>;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let first = invocation.index * blocks();
    var sum = 0u;
    for (var block = 0u; block < blocks(); block++) {
        sum += counts[first + block];
    }
    sums[invocation.index] = sum;
    workgroupBarrier();
    // Each round adds what stands a power of two before.
    for (var width = 1u; width < DIGITS; width <<= 1u) {
        var before = 0u;
        if (invocation.index >= width) {
            before = sums[invocation.index - width];
        }
        workgroupBarrier();
        sums[invocation.index] += before;
        workgroupBarrier();
    }
    var begin = sums[invocation.index] - sum;
    for (var block = 0u; block < blocks(); block++) {
        let count = counts[first + block];
        counts[first + block] = begin;
        begin += count;
    }
}
