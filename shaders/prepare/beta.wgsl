// Copies the boundaries of Wu's margin and checks their bits.
//
//   raw   count  the caller's
//   beta  count  written

// #include "shared/group.wgsl"
// #include "shared/numbers.wgsl"
// #include "shared/state.wgsl"

@group(0) @binding(0) var<storage, read> raw: array<f32>;
@group(0) @binding(1) var<storage, read_write> beta: array<f32>;
@group(0) @binding(2) var<storage, read_write> state: array<atomic<u32>, STATE_SIZE>;

const WORKGROUP = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let index = number_of(group) * WORKGROUP + invocation.index;
    if (index < arrayLength(&beta)) {
        let value = raw[index];
        if (!is_finite(value)) {
            atomicMax(&state[BETA_FAULT], fault_key(index));
        }
        beta[index] = value;
    }
}
