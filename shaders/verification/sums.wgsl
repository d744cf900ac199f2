// The counts of a workgroup, each added to all before it.

// #include "shared/group.wgsl"
// #include "shared/wider.wgsl"

const SUMMANDS = 256u;  // invocations of the workgroup

// Those of every invocation and all before it, once `sum_up` has run.
var<workgroup> sums: array<vec4<u32>, SUMMANDS>;

fn sum_up(own: vec4<u32>, invocation: Invocation) {
    sums[invocation.index] = own;
    workgroupBarrier();
    // Each round adds what stands a power of two before.
    for (var width = 1u; width < SUMMANDS; width <<= 1u) {
        var before = vec4(0u);
        if (invocation.index >= width) {
            before = sums[invocation.index - width];
        }
        workgroupBarrier();
        sums[invocation.index] = both_added(sums[invocation.index], before);
        workgroupBarrier();
    }
}

// The sum of all before an invocation.
fn sum_before(invocation: Invocation) -> vec4<u32> {
    if (invocation.index == 0u) {
        return vec4(0u);
    }
    return sums[invocation.index - 1u];
}
