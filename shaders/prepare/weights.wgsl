// The weight of every anchor, or of every entry of a list, and a check of the bits of all that are
// given.
//
//   raw      N, or BY_CLASS one for each class   the caller's; of a list one for each entry
//   labels   N
//   learned  place + N                           written from `place` on; of a list one for each
//                                                entry
//
// Memory-bound.

// #include "shared/group.wgsl"
// #include "shared/numbers.wgsl"
// #include "shared/sizes.wgsl"
// #include "shared/state.wgsl"

struct Weights {
    first: u32,  // the first workgroup of a dispatch, where several share them
    place: u32,  // how many numbers the loss learns: these stand before the weights
}

override BY_CLASS: u32 = 0u;

@group(0) @binding(0) var<uniform> subject: Weights;
@group(0) @binding(1) var<storage, read> raw: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> learned: array<f32>;
@group(0) @binding(4) var<storage, read_write> state: array<atomic<u32>, STATE_SIZE>;
@group(0) @binding(5) var<uniform> sizes: Sizes;

const WORKGROUP = 256u;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let index = (subject.first + number_of(group)) * WORKGROUP + invocation.index;
    let count = select(sizes.queries, sizes.listed, sizes.listed > 0u);
    let given = select(count, arrayLength(&raw), BY_CLASS == 1u);
    if (index < given && !(is_finite(raw[index]) && raw[index] >= 0.0)) {
        atomicMax(&state[WEIGHT_FAULT], fault_key(index));
    }
    if (index >= count) {
        return;
    }
    var place = index;
    if (BY_CLASS == 1u) {
        place = labels[index];
    }
    learned[subject.place + index] = raw[place];
}
