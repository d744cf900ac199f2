// Where a dispatch begins, for kernels without a uniform of their own that could say it.

// #include "shared/group.wgsl"

struct Start {
    first: u32,  // the first workgroup of the dispatch, where several share them
}

@group(0) @binding(0) var<uniform> start: Start;

fn number_from_start(group: Group) -> u32 {
    return start.first + number_of(group);
}
