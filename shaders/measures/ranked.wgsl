// A chunk of a row's positives, sorted as they are ranked: by their distances, and where those are
// equal by their columns.

// #include "shared/order.wgsl"
// #include "shared/sorting.wgsl"

// The order of the distance, and the column: no two columns have the same key.
alias Key = vec2<u32>;

// Larger than every key: fills the chunk up to a power of two.
const LARGEST: Key = vec2(0xffffffffu, 0xffffffffu);

fn key_of(value: f32, column: u32) -> Key {
    return vec2(order_of(value), column);
}

fn is_before(a: Key, b: Key) -> bool {
    return a.x < b.x || (a.x == b.x && a.y < b.y);
}
