// shared/row_sum.wgsl by subgroups: each reduces its own invocations without a barrier, then all
// take what the subgroups have, in their order.

// #include "shared/group.wgsl"

const WORKGROUP = 32u;

// No subgroup has fewer than four invocations.
const MOST_SUBGROUPS = 8u;

var<workgroup> summands: array<f32, MOST_SUBGROUPS>;
var<workgroup> candidates: array<u32, MOST_SUBGROUPS>;

fn row_sum(value: f32, invocation: Invocation) -> f32 {
    let own = subgroupAdd(value);
    if (invocation.lane == 0u) {
        summands[invocation.subgroup] = own;
    }
    workgroupBarrier();
    var sum = summands[0];
    for (var k = 1u; k < invocation.subgroups; k++) {
        sum += summands[k];
    }
    return sum;
}

fn row_largest(value: u32, invocation: Invocation) -> u32 {
    let own = subgroupMax(value);
    if (invocation.lane == 0u) {
        candidates[invocation.subgroup] = own;
    }
    workgroupBarrier();
    var largest = candidates[0];
    for (var k = 1u; k < invocation.subgroups; k++) {
        largest = max(largest, candidates[k]);
    }
    return largest;
}
