// shared/reduce.wgsl by subgroups: each reduces its own invocations without a barrier, then all invocations add up what the subgroups have, in
// their order. In which order a subgroup adds up is its device's affair: the same on every run.

override WORKGROUP: u32 = 256u;
const MOST_INVOCATIONS = 256u;

// No subgroup has fewer than four invocations.
const MOST_SUBGROUPS = 64u;

var<workgroup> reduce_scratch: array<vec4<u32>, MOST_SUBGROUPS>;

// Lets all invocations read what each subgroup has.
fn show_all(part: vec4<u32>, group: Group) {
    if (group.lane == 0u) {
        reduce_scratch[group.subgroup] = part;
    }
    workgroupBarrier();
}

fn workgroup_sum(value: vec4<f32>, group: Group) -> vec4<f32> {
    show_all(bitcast<vec4<u32>>(subgroupAdd(value)), group);
    var sum = bitcast<vec4<f32>>(reduce_scratch[0]);
    for (var k = 1u; k < group.subgroups; k++) {
        sum += bitcast<vec4<f32>>(reduce_scratch[k]);
    }
    workgroupBarrier();
    return sum;
}

fn workgroup_count(value: vec4<u32>, group: Group) -> vec4<u32> {
    show_all(subgroupAdd(value), group);
    var count = reduce_scratch[0];
    for (var k = 1u; k < group.subgroups; k++) {
        count += reduce_scratch[k];
    }
    workgroupBarrier();
    return count;
}
