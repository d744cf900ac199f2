// What the whole batch collects while it is prepared and finished. Every entry only grows
// (atomicMax is the same in any order) and is set back to 0 by the last `totals`, so that a
// recording needs no clearing.

const EMBEDDINGS_FAULT = 0u;  // first value that is not finite, as 2^32 - 1 - (row * D + column)
const REFERENCES_FAULT = 1u;
const LEARNED_FAULT = 2u;
const LABEL_FAULT = 3u;       // first label without an entry, as 2^32 - 1 - row
const EXPONENT = 4u;          // largest biased exponent of any value
const OVERFLOW = 5u;          // 1 when a gradient is not finite
const INDEX_FAULT = 6u;       // first place of a list whose index has no row, as 2^32 - 1 - place
const PAIR_FAULT = 7u;        // first listed pair of a row with itself, as 2^32 - 1 - pair
const TARGET_FAULT = 8u;      // first target that is none of the allowed ones, as 2^32 - 1 - place
const TARGET_VALUE_FAULT = 9u; // first target that is not finite, as 2^32 - 1 - place
// The same of weights, which no mode with such targets has, that are not finite or below 0.
const WEIGHT_FAULT = TARGET_VALUE_FAULT;
const STATE_SIZE = 12u;

// The first fault is the largest key.
fn fault_key(index: u32) -> u32 {
    return 0xffffffffu - index;
}
