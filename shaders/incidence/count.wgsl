// Counts how often each digit occurs in each block of places.
//
//   counts  DIGITS x blocks  written

// #include "shared/digits.wgsl"

@group(0) @binding(3) var<storage, read_write> counts: array<u32>;

var<workgroup> seen: array<atomic<u32>, DIGITS>;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, @builtin(local_invocation_index) local: u32) {
    let block = number_on_stripe(group);
    if (block >= blocks()) {
        return;
    }
    atomicStore(&seen[local], 0u);
    workgroupBarrier();
    for (var round = 0u; round < ROUNDS; round++) {
        let index = block * BLOCK + round * WORKGROUP + local;
        if (index < places()) {
            atomicAdd(&seen[digit_of(place_at(index))], 1u);
        }
    }
    workgroupBarrier();
    counts[local * blocks() + block] = atomicLoad(&seen[local]);
}
