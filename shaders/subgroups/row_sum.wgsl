// shared/row_sum.wgsl by subgroups: each reduces its own invocations without a barrier, then all take what the subgroups have, in their order.

const WORKGROUP = 32u;

// No subgroup has fewer than four invocations.
const MOST_SUBGROUPS = 8u;

var<workgroup> summands: array<f32, MOST_SUBGROUPS>;
var<workgroup> candidates: array<u32, MOST_SUBGROUPS>;

fn row_sum(value: f32, group: Group) -> f32 {
    let own = subgroupAdd(value);
    if (group.lane == 0u) {
        summands[group.subgroup] = own;
    }
    workgroupBarrier();
    var sum = summands[0];
    for (var k = 1u; k < group.subgroups; k++) {
        sum += summands[k];
    }
    return sum;
}

fn row_largest(value: u32, group: Group) -> u32 {
    let own = subgroupMax(value);
    if (group.lane == 0u) {
        candidates[group.subgroup] = own;
    }
    workgroupBarrier();
    var largest = candidates[0];
    for (var k = 1u; k < group.subgroups; k++) {
        largest = max(largest, candidates[k]);
    }
    return largest;
}
