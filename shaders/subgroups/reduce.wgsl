// shared/reduce.wgsl by subgroups: each reduces its own invocations without a barrier, then all
// invocations add up what the subgroups have, in their order. In which order a subgroup adds up is
// its device's affair: the same on every run.

// #include "shared/group.wgsl"

override WORKGROUP: u32 = 256u;
const MOST_INVOCATIONS = 256u;

// No subgroup has fewer than four invocations.
const MOST_SUBGROUPS = 64u;

var<workgroup> reduce_scratch: array<vec4<u32>, MOST_SUBGROUPS>;

// Lets all invocations read what each subgroup has.
fn show_all(part: vec4<u32>, invocation: Invocation) {
    if (invocation.lane == 0u) {
        reduce_scratch[invocation.subgroup] = part;
    }
    workgroupBarrier();
}

fn workgroup_sum(value: vec4<f32>, invocation: Invocation) -> vec4<f32> {
    show_all(bitcast<vec4<u32>>(subgroupAdd(value)), invocation);
    var sum = bitcast<vec4<f32>>(reduce_scratch[0]);
    for (var k = 1u; k < invocation.subgroups; k++) {
        sum += bitcast<vec4<f32>>(reduce_scratch[k]);
    }
    workgroupBarrier();
    return sum;
}

fn workgroup_count(value: vec4<u32>, invocation: Invocation) -> vec4<u32> {
    show_all(subgroupAdd(value), invocation);
    var count = reduce_scratch[0];
    for (var k = 1u; k < invocation.subgroups; k++) {
        count += reduce_scratch[k];
    }
    workgroupBarrier();
    return count;
}

fn uniform_count(value: vec4<u32>, invocation: Invocation) -> vec4<u32> {
    let count = workgroup_count(value, invocation);
    if (invocation.index == 0u) {
        reduce_scratch[0] = count;
    }
    return workgroupUniformLoad(&reduce_scratch[0]);
}
