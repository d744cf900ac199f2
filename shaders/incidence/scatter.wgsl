// Brings the places into the order of the digit, equals in the order they had.
//
//   begins   DIGITS x blocks  where each block's places of each digit begin
//   ordered  PER_PAIR x E     written

// #include "incidence/digits.wgsl"

@group(0) @binding(3) var<storage, read_write> begins: array<u32>;
@group(0) @binding(4) var<storage, read_write> ordered: array<u32>;

const BITS = 32u;  // of a word
const WORDS = WORKGROUP / BITS;

// For every digit, which invocations hold a place of it: bit i of word w for invocation 32 w + i.
var<workgroup> holders: array<atomic<u32>, DIGITS * WORDS>;
var<workgroup> next: array<u32, DIGITS>;

// How many invocations before this one hold the same digit.
fn earlier_holders(digit: u32, invocation: Invocation) -> u32 {
    let own_word = invocation.index / BITS;
    let before = (1u << (invocation.index % BITS)) - 1u;
    var count = countOneBits(atomicLoad(&holders[digit * WORDS + own_word]) & before);
    for (var word = 0u; word < own_word; word++) {
        count += countOneBits(atomicLoad(&holders[digit * WORDS + word]));
    }
    return count;
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let block = number_on_stripe(group);
    if (block >= blocks()) {
        return;
    }
    next[invocation.index] = begins[invocation.index * blocks() + block];
    for (var word = 0u; word < WORDS; word++) {
        atomicStore(&holders[invocation.index * WORDS + word], 0u);
    }
    workgroupBarrier();
    for (var round = 0u; round < ROUNDS; round++) {
        let index = block * BLOCK + round * WORKGROUP + invocation.index;
        let inside = index < places();
        var place = 0u;
        var digit = 0u;
        if (inside) {
            place = place_at(index);
            digit = digit_of(place);
            atomicOr(
                &holders[digit * WORDS + invocation.index / BITS], 1u << (invocation.index % BITS),
            );
        }
        workgroupBarrier();
        if (inside) {
            ordered[next[digit] + earlier_holders(digit, invocation)] = place;
        }
        workgroupBarrier();
        // Invocation d moves digit d on to the next round.
        for (var word = 0u; word < WORDS; word++) {
            let held = atomicExchange(&holders[invocation.index * WORDS + word], 0u);
            next[invocation.index] += countOneBits(held);
        }
        workgroupBarrier();
    }
}
