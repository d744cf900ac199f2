// Which workgroup an invocation is in, and which of its invocations it is. More than 65,535 workgroups are folded to two dimensions.

struct Group {
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) count: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
}

fn number_of(group: Group) -> u32 {
    return group.id.y * group.count.x + group.id.x;
}
