// Which workgroup an invocation is in, and which of its invocations it is. They are parameters of
// their own, because compilers that hold barriers to uniform control flow take every member of a
// struct for as uniform as the least uniform one.

// The same for all invocations of a workgroup.
// #include "shared/folded.wgsl"

struct Group {
    @builtin(workgroup_id) id: vec3<u32>,
}

struct Invocation {
    @builtin(local_invocation_index) index: u32,
}

fn number_of(group: Group) -> u32 {
    return group.id.y * ACROSS + group.id.x;
}
