// shared/group.wgsl with the subgroups that a workgroup consists of.

// #include "shared/folded.wgsl"

struct Group {
    @builtin(workgroup_id) id: vec3<u32>,
}

struct Invocation {
    @builtin(local_invocation_index) index: u32,
    @builtin(num_subgroups) subgroups: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(subgroup_invocation_id) lane: u32,
}

fn number_of(group: Group) -> u32 {
    return group.id.y * ACROSS + group.id.x;
}
