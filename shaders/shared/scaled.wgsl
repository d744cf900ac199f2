// Whether the points of a batch are scaled before they are squared.

// #include "shared/distance.wgsl"

// Biased exponents of batches of ordinary size: from 2^-10 to 2^56 f32 holds their squares.
const SMALLEST_ORDINARY = 117u;
const LARGEST_ORDINARY = 183u;

// Whether the points are scaled to about 1 by a power of two: only for the Euclidean distance the
// squares can be beyond f32 and the result is not. Unit rows report no exponent and stay as they
// are.
fn is_scaled(exponent: u32) -> bool {
    let ordinary = exponent >= SMALLEST_ORDINARY && exponent <= LARGEST_ORDINARY;
    return DISTANCE == EUCLIDEAN && exponent > 0u && !ordinary;
}
