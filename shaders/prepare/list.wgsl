// Prepares a list: checks the bits of every entry and writes the pairs that the other kernels read.
//
//   entries  count x 2 or 3  the caller's: rows of a pair, or anchor, positive and negative;
//                            unused where KIND is ROWS
//   same_or_targets  count   the caller's: 1 where the two rows are the same, 0 where they are
//                            different; SCORED: the bits of how similar they should be; unused for
//                            TRIPLETS
//   pairs    E x 2           written: the rows of every pair; unused where KIND is ROWS
//   kinds    E               written: 1 for a positive pair, 0 for a negative one; SCORED: a key
//                            that is in the order of the targets
//
// E is `count`; for TRIPLETS twice as many: the pairs 2t and 2t + 1 are anchor with positive and
// anchor with negative.
// One invocation per entry.

// #include "shared/numbers.wgsl"
// #include "shared/sizes.wgsl"
// #include "shared/start.wgsl"
// #include "shared/state.wgsl"

@group(0) @binding(1) var<storage, read> entries: array<u32>;
@group(0) @binding(2) var<storage, read> same_or_targets: array<u32>;
@group(0) @binding(3) var<storage, read_write> pairs: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read_write> kinds: array<u32>;
@group(0) @binding(5) var<storage, read_write> state: array<atomic<u32>, STATE_SIZE>;
@group(0) @binding(6) var<uniform> sizes: Sizes;

const WORKGROUP = 256u;

const ROWS = 0u;
const PAIRS = 1u;
const TRIPLETS = 2u;

override KIND: u32 = ROWS;
override SCORED: u32 = 0u;

const SIGN_BIT = 0x80000000u;

// The row at this place of the list; where there is none, one that exists: the fault makes the
// result an error anyway.
fn checked(place: u32) -> u32 {
    let row = entries[place];
    if (row >= sizes.queries) {
        atomicMax(&state[INDEX_FAULT], fault_key(place));
        return 0u;
    }
    return row;
}

// Negative numbers ascend as their bits fall, and 0 and -0 are equal.
fn key_of(bits: u32) -> u32 {
    if (bits == SIGN_BIT) {
        return SIGN_BIT;
    }
    return select(bits | SIGN_BIT, ~bits, bits >= SIGN_BIT);
}

fn write_kind(entry: u32) {
    let kind = same_or_targets[entry];
    if (SCORED == 1u) {
        if ((kind & EXPONENT_BITS) == EXPONENT_BITS) {
            atomicMax(&state[TARGET_VALUE_FAULT], fault_key(entry));
        }
        kinds[entry] = key_of(kind);
        return;
    }
    if (kind > 1u) {
        atomicMax(&state[TARGET_FAULT], fault_key(entry));
    }
    kinds[entry] = kind;
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let entry = number_from_start(group) * WORKGROUP + invocation.index;
    if (entry >= sizes.listed) {
        return;
    }
    if (KIND == TRIPLETS) {
        let anchor = checked(3u * entry);
        pairs[2u * entry] = vec2(anchor, checked(3u * entry + 1u));
        pairs[2u * entry + 1u] = vec2(anchor, checked(3u * entry + 2u));
        kinds[2u * entry] = 1u;
        kinds[2u * entry + 1u] = 0u;
        return;
    }
    write_kind(entry);
    if (KIND == PAIRS) {
        let pair = vec2(checked(2u * entry), checked(2u * entry + 1u));
        if (entries[2u * entry] == entries[2u * entry + 1u]) {
            atomicMax(&state[PAIR_FAULT], fault_key(entry));
        }
        pairs[entry] = pair;
    }
}
