// Numbers as bits. WGSL lets an implementation assume that NaN and infinity do not exist, so a
// comparison cannot find them: only their bits can.

// The smallest normal f32. GPUs may flush what is below to 0, so below it everything counts as 0.
const SMALLEST_NORMAL = 0x1p-126f;

const EXPONENT_BITS = 0x7f800000u;

fn is_finite(value: f32) -> bool {
    return (bitcast<u32>(value) & EXPONENT_BITS) != EXPONENT_BITS;
}

// NaN, with these bits set. It has no literal, and expressions of constants may not come to it.
fn not_a_number(bits: u32) -> f32 {
    return bitcast<f32>(0x7fc00000u | bits);
}

// The biased exponent, 0 for zeros and subnormals.
fn exponent_of(value: f32) -> u32 {
    return (bitcast<u32>(value) & EXPONENT_BITS) >> 23u;
}

// The power of two that brings a value of this biased exponent to [1, 2), as near as normal numbers
// reach.
fn scale_for(exponent: u32) -> f32 {
    return bitcast<f32>(clamp(254u - exponent, 1u, 253u) << 23u);
}

// 1 / scale_for(exponent), exactly.
fn inverse_scale_for(exponent: u32) -> f32 {
    return bitcast<f32>((254u - clamp(254u - exponent, 1u, 253u)) << 23u);
}
