// Hands on what was counted and what is wrong with the inputs, and sets the counts back to 0 for
// the next recording.
//
//   tally  verification/marks.wgsl says what is where; set back to 0
//   found  written
//
// One workgroup.

// #include "shared/group.wgsl"
// #include "shared/sizes.wgsl"
// #include "shared/state.wgsl"
// #include "verification/found.wgsl"

const WORKGROUP = 256u;

@group(0) @binding(0) var<storage, read_write> tally: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> found: Found;
@group(0) @binding(2) var<storage, read_write> state: array<u32, STATE_SIZE>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(WORKGROUP)
fn main(invocation: Invocation) {
    if (invocation.index == 0u) {
        found.nearer = vec4(tally[0].xyz, 0u);
        found.overflow = tally[0].w;
        found.faults = vec4(state[EMBEDDINGS_FAULT], state[REFERENCES_FAULT], 0u, 0u);
        found.list_faults =
            vec4(state[INDEX_FAULT], state[PAIR_FAULT], state[TARGET_FAULT], 0u);
        found.given = sizes.given;
        found.sequence += 1u;
        for (var entry = 0u; entry < STATE_SIZE; entry++) {
            state[entry] = 0u;
        }
        tally[0] = vec4(0u);
    }
    for (var at = 1u + invocation.index; at < arrayLength(&tally); at += WORKGROUP) {
        tally[at] = vec4(0u);
    }
}
