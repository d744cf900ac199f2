// A chunk of an anchor's positives, sorted by their distances.

// #include "shared/sorting.wgsl"
// #include "terms/row.wgsl"

alias Key = f32;

// Larger than every key: fills the chunk up to a power of two.
const LARGEST: Key = 0x1.fffffep+127f;

fn key_of(value: f32, column: u32) -> Key {
    return value;
}

fn is_before(a: Key, b: Key) -> bool {
    return a < b;
}
