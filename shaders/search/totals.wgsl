// Hands on what is wrong with the inputs, and whether the distance of a neighbour is.
//
//   tally  set back to 0
//   found  written
//
// One invocation.

// #include "shared/sizes.wgsl"
// #include "shared/state.wgsl"

struct FoundRows {
    faults: vec4<u32>,  // of embeddings and references: shared/state.wgsl
    given: vec4<u32>,   // sizes as the caller gave them: shared/sizes.wgsl
    overflow: u32,      // 1 where the distance of a neighbour is not finite
    sequence: u32,      // how many recordings have run to their last dispatch
}

@group(0) @binding(0) var<storage, read_write> tally: array<u32>;
@group(0) @binding(1) var<storage, read_write> found: FoundRows;
@group(0) @binding(2) var<storage, read_write> state: array<u32, STATE_SIZE>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(1)
fn main() {
    found.faults = vec4(state[EMBEDDINGS_FAULT], state[REFERENCES_FAULT], 0u, 0u);
    found.given = sizes.given;
    found.overflow = tally[0];
    found.sequence += 1u;
    tally[0] = 0u;
    for (var entry = 0u; entry < STATE_SIZE; entry++) {
        state[entry] = 0u;
    }
}
