// A chunk of an anchor's positives, sorted by their distances. Needs shared/row.wgsl.

// #include "shared/sorting.wgsl"

alias Key = f32;

// Larger than every key: fills the chunk up to a power of two.
const LARGEST: Key = 0x1.fffffep+127f;

fn key_of(value: f32, column: u32) -> Key {
    return value;
}

fn is_before(a: Key, b: Key) -> bool {
    return a < b;
}
