// Counts how often each digit occurs in each block of places.
//
//   counts  DIGITS x blocks  written

// #include "incidence/digits.wgsl"

@group(0) @binding(3) var<storage, read_write> counts: array<u32>;

var<workgroup> seen: array<atomic<u32>, DIGITS>;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let block = number_on_stripe(group);
    if (block >= blocks()) {
        return;
    }
    atomicStore(&seen[invocation.index], 0u);
    workgroupBarrier();
    for (var round = 0u; round < ROUNDS; round++) {
        let index = block * BLOCK + round * WORKGROUP + invocation.index;
        if (index < places()) {
            atomicAdd(&seen[digit_of(place_at(index))], 1u);
        }
    }
    workgroupBarrier();
    counts[invocation.index * blocks() + block] = atomicLoad(&seen[invocation.index]);
}
