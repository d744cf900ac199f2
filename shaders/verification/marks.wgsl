// The thresholds that are looked for, each by the digits of its order (shared/order.wgsl), the
// highest first: of all pairs that have the digits so far, those with each next digit are counted.

// #include "shared/wider.wgsl"

const DIGIT_BITS = 8u;
const BINS = 256u;
const FIRST_SHIFT = 24u;

override SHIFT: u32 = FIRST_SHIFT;  // bits below the digit

// Counts of pairs are of 64 bits, those that are the same in `xy`, the different ones in `zw`.
struct Mark {
    before: vec4<u32>,    // accepted by every threshold below the digits so far
    accepted: vec4<u32>,  // and by the threshold
    totals: vec4<u32>,    // all pairs
    share: vec2<u32>,     // the FPR, in parts of WHOLE
    is_of_errors: u32,    // 1: the EER is looked for, and no FPR
    prefix: u32,          // the digits so far, at last all of the order
    is_open: u32,         // 1: no pair is beyond the FPR
    below: u32,           // the largest order of a pair below the threshold; 0: there is none
}

// What all marks count together: the sum of verification/places.wgsl in three words and whether a
// distance is not finite, then for every round of digits and every mark BINS counts and in `x` of
// another one the largest order below the digits so far.
fn place_of(mark: u32, bin: u32, marks: u32) -> u32 {
    let round = (FIRST_SHIFT - SHIFT) / DIGIT_BITS;
    return 1u + (round * marks + mark) * (BINS + 1u) + bin;
}
