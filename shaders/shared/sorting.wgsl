// A chunk of a row's positives, sorted in workgroup memory.
//
// Invocation t owns the columns t, t + WORKGROUP, ... of the row; the positives are numbered by
// owner, then by column. A chunk is CHUNK consecutive numbers, so which positives it holds depends
// on nothing but the labels.
//
// The file that includes it adds
//
//   alias Key                                   what is sorted
//   const LARGEST: Key                          greater than every key: fills the chunk up
//   fn key_of(value: f32, column: u32) -> Key   of a positive in this column
//   fn is_before(a: Key, b: Key) -> bool

// #include "shared/pairs.wgsl"
// #include "shared/reduce.wgsl"
// #include "shared/scan.wgsl"

const CHUNK = 1024u;

// Positives that a dispatch works on, in chunks: so many that its loops, which grow with the
// columns, are not stopped (src/gpu/cut/loops.rs).
override PORTION: u32 = 8u * CHUNK;

var<workgroup> keys: array<Key, CHUNK>;

// How many of `size` keys, or of what belongs to them, an invocation owns; the last ones may own
// some that are not there.
fn owned_of(size: u32) -> u32 {
    return (size + WORKGROUP - 1u) / WORKGROUP;
}

// Makes room for `size` keys; gives how many there are, a power of two.
fn clear_keys(size: u32, invocation: Invocation) -> u32 {
    var padded = 1u;
    while (padded < size) {
        padded <<= 1u;
    }
    for (var k = invocation.index; k < padded; k += WORKGROUP) {
        keys[k] = LARGEST;
    }
    workgroupBarrier();
    return padded;
}

// Puts the keys of the positives first, first + 1, ... first + size - 1, their distances plus
// `offset`, into `keys`, in ascending order. `number` is the number of the invocation's first
// positive. `first` and `size` are uniform.
fn sort_positives(
    i: u32, row: u32, invocation: Invocation, number: u32, first: u32, size: u32, offset: f32,
) {
    let padded = clear_keys(size, invocation);
    var next = number;
    for (var j = invocation.index; j < sizes.references; j += WORKGROUP) {
        if (relation(i, j) == POSITIVE) {
            if (next >= first && next < first + size) {
                keys[next - first] = key_of(distance_at(row * stripe.stride + j) + offset, j);
            }
            next += 1u;
        }
    }
    workgroupBarrier();
    sort_keys(padded, invocation);
}

// Sorts as many keys, a power of two.
fn sort_keys(padded: u32, invocation: Invocation) {
    // Bitonic sort: `run` is the length of the sorted runs being made, `reach` how far apart
    // compared keys are.
    for (var run = 2u; run <= padded; run <<= 1u) {
        for (var reach = run >> 1u; reach > 0u; reach >>= 1u) {
            for (var t = invocation.index; t < padded / 2u; t += WORKGROUP) {
                let low = 2u * t - (t & (reach - 1u));
                let high = low + reach;
                let ascending = (low & run) == 0u;
                let a = keys[low];
                let b = keys[high];
                if (is_before(b, a) == ascending) {
                    keys[low] = b;
                    keys[high] = a;
                }
            }
            workgroupBarrier();
        }
    }
}

// One step of the search for the number of leading keys before `value`, or also equal to it;
// written out without a loop, because llvmpipe stops an invocation's loops, silently, after 65,535
// rounds in all.
fn search_step(found: u32, width: u32, size: u32, value: Key, or_equal: bool) -> u32 {
    let next = found + width;
    let key = keys[min(next, size) - 1u];
    return select(
        found,
        next,
        next <= size && (is_before(key, value) || (or_equal && !is_before(value, key))),
    );
}

// Steps that are wider than there are keys find nothing.
fn search(size: u32, value: Key, or_equal: bool) -> u32 {
    var found = 0u;
    if (size >= 128u) {
        found = search_step(found, 1024u, size, value, or_equal);
        found = search_step(found, 512u, size, value, or_equal);
        found = search_step(found, 256u, size, value, or_equal);
        found = search_step(found, 128u, size, value, or_equal);
    }
    if (size >= 8u) {
        found = search_step(found, 64u, size, value, or_equal);
        found = search_step(found, 32u, size, value, or_equal);
        found = search_step(found, 16u, size, value, or_equal);
        found = search_step(found, 8u, size, value, or_equal);
    }
    found = search_step(found, 4u, size, value, or_equal);
    found = search_step(found, 2u, size, value, or_equal);
    return search_step(found, 1u, size, value, or_equal);
}

// How many of the `size` sorted keys are smaller than `value`. Needs size > 0, as does
// `keys_up_to`.
fn keys_below(size: u32, value: Key) -> u32 {
    return search(size, value, false);
}

// How many of the `size` sorted keys are smaller than `value` or equal to it.
fn keys_up_to(size: u32, value: Key) -> u32 {
    return search(size, value, true);
}

// Where the key `value` stands among the `size` sorted keys. Rows that are not finite, which
// prepare/rows.wgsl has reported already, leave the keys unsorted: even then it is a place that
// exists.
fn place_of(size: u32, value: Key) -> u32 {
    return min(keys_below(size, value), size - 1u);
}
