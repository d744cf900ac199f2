// Which workgroup an invocation is in. More than 65,535 of them are folded to two dimensions.

struct Group {
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
}

fn number_of(group: Group) -> u32 {
    return group.id.y * group.count.x + group.id.x;
}
