// Copies numbers of a loss's own, the boundaries of Wu's margin, a scale or a bias, and checks
// their bits.
//
//   raw      count          the caller's
//   learned  PLACE + count  written from PLACE on

// #include "shared/group.wgsl"
// #include "shared/numbers.wgsl"
// #include "shared/state.wgsl"

override IS_SCALE: u32 = 0u;
override PLACE: u32 = 0u;

@group(0) @binding(0) var<storage, read> raw: array<f32>;
@group(0) @binding(1) var<storage, read_write> learned: array<f32>;
@group(0) @binding(2) var<storage, read_write> state: array<atomic<u32>, STATE_SIZE>;

const WORKGROUP = 64u;

// A scale is a normal number above 0, which its bits say too.
fn is_allowed(value: f32) -> bool {
    let is_scale = exponent_of(value) != 0u && (bitcast<u32>(value) >> 31u) == 0u;
    return is_finite(value) && (IS_SCALE == 0u || is_scale);
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let index = number_of(group) * WORKGROUP + invocation.index;
    if (index < arrayLength(&raw)) {
        let value = raw[index];
        if (!is_allowed(value)) {
            atomicMax(&state[LEARNED_FAULT], fault_key(PLACE + index));
        }
        learned[PLACE + index] = value;
    }
}
