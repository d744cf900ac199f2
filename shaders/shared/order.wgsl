// The order of floats as the order of whole numbers.

// Maps a float to a u32 so that their orders agree, and 0 and -0 to the same. No finite float maps
// to 2^32 - 1.
fn order_of(value: f32) -> u32 {
    let bits = bitcast<u32>(select(value, 0.0, value == 0.0));
    return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}

fn value_of(order: u32) -> f32 {
    return bitcast<f32>(select(~order, order & 0x7fffffffu, (order & 0x80000000u) != 0u));
}
