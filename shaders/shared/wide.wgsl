// Counts of 64 bits as (low, high): a batch of 4,096 rows in 2 classes already has 1.7e10 triplets.

fn wide_add(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.x + b.x;
    return vec2(low, a.y + b.y + select(0u, 1u, low < a.x));
}

// a * b, exactly.
fn wide_product(a: u32, b: u32) -> vec2<u32> {
    let a_low = a & 0xffffu;
    let a_high = a >> 16u;
    let b_low = b & 0xffffu;
    let b_high = b >> 16u;
    let middle = vec2((a_high * b_low) << 16u, (a_high * b_low) >> 16u);
    let other_middle = vec2((a_low * b_high) << 16u, (a_low * b_high) >> 16u);
    return wide_add(wide_add(vec2(a_low * b_low, a_high * b_high), middle), other_middle);
}

// The sum of numbers whose low and high 16 bits were summed apart.
fn wide_from_halves(low_sum: u32, high_sum: u32) -> vec2<u32> {
    return wide_add(vec2(low_sum, 0u), vec2(high_sum << 16u, high_sum >> 16u));
}

fn wide_to_float(a: vec2<u32>) -> f32 {
    return f32(a.y) * 4294967296.0 + f32(a.x);
}
