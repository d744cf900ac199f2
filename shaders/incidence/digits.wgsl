// Sorting by the digits of a key, the lowest first, each time keeping the order of equals. What is
// sorted are PER_PAIR places for each of the E pairs of a list: the two that a pair has, by the row
// that stands there (place 2e is the first row of pair e, place 2e + 1 the second), or the pairs, by
// their targets.
//
//   keys   PER_PAIR x E  of every place
//   order  PER_PAIR x E  the places in their order so far; before the first digit their own

// #include "shared/group.wgsl"
// #include "shared/stripe.wgsl"

const WORKGROUP = 256u;
const DIGITS = 256u;
const ROUNDS = 4u;                    // a workgroup sorts ROUNDS x 256 places
const BLOCK = ROUNDS * WORKGROUP;

override SHIFT: u32 = 0u;             // bits below the digit
override PER_PAIR: u32 = 2u;

@group(0) @binding(1) var<storage, read> keys: array<u32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(5) var<uniform> sizes: Sizes;

fn places() -> u32 {
    return PER_PAIR * sizes.pairs;
}

fn blocks() -> u32 {
    return (places() + BLOCK - 1u) / BLOCK;
}

fn place_at(index: u32) -> u32 {
    if (SHIFT == 0u) {
        return index;
    }
    return order[index];
}

fn digit_of(place: u32) -> u32 {
    return (keys[place] >> SHIFT) % DIGITS;
}
