// Where every pair stands among the sorted distances of a piece of those that are the same:
//
//   nearer     sum over the pairs that are different, of how many of the piece are nearer than it
//              and how many are not farther: twice the couples of which the same one is nearer, and
//              once those as far
//   counts[k]  how many pairs have exactly k of the piece nearer than them, so that the sum of
//              counts[0 ..= k] is what the threshold sorted[k] accepts
//
//   sorted  piece      the orders of the distances of the piece, ascending
//   counts  piece x 4  64-bit counts of the same and of the different, added to
//   tally              `nearer` is added to its first three words
//
// Counts of whole numbers are the same in whatever order they are added.
// Cost: a bisection per pair. One workgroup per row.

// #include "shared/wide.wgsl"
// #include "verification/pairs.wgsl"
// #include "verification/piece.wgsl"

@group(0) @binding(1) var<storage, read> sorted: array<u32>;
@group(0) @binding(5) var<uniform> sizes: Sizes;
@group(0) @binding(6) var<uniform> piece: Piece;
@group(0) @binding(7) var<storage, read_write> counts: array<atomic<u32>>;
@group(0) @binding(8) var<storage, read_write> tally: array<atomic<u32>>;

fn step(found: u32, width: u32, key: u32) -> u32 {
    let size = piece.sizes.pairs;
    let next = found + width;
    let is_below = sorted[min(next, size) - 1u] < key;
    return select(found, next, next <= size && is_below);
}

// Six steps, of which each is half as wide as the one before.
fn six_steps(found: u32, widest: u32, key: u32) -> u32 {
    var next = step(found, widest, key);
    next = step(next, widest >> 1u, key);
    next = step(next, widest >> 2u, key);
    next = step(next, widest >> 3u, key);
    next = step(next, widest >> 4u, key);
    return step(next, widest >> 5u, key);
}

// How many of the piece are below the key. Written out without a loop, because llvmpipe stops an
// invocation's loops, silently, after 65,535 rounds in all. Steps that are wider than the piece find
// nothing.
fn keys_below(key: u32) -> u32 {
    let size = piece.sizes.pairs;
    var found = 0u;
    if (size >= 1u << 17u) {
        found = six_steps(found, 1u << 22u, key);
    }
    if (size >= 1u << 11u) {
        found = six_steps(found, 1u << 16u, key);
    }
    if (size >= 1u << 5u) {
        found = six_steps(found, 1u << 10u, key);
    }
    found = step(found, 1u << 4u, key);
    found = step(found, 1u << 3u, key);
    found = step(found, 1u << 2u, key);
    found = step(found, 1u << 1u, key);
    return step(found, 1u, key);
}

// Counts a pair that has `place` of the piece nearer than it.
fn count(place: u32, kind: u32) {
    if (place < piece.sizes.pairs) {
        let at = 4u * place + select(0u, 2u, kind == NEGATIVE);
        if (atomicAdd(&counts[at], 1u) == 0xffffffffu) {
            atomicAdd(&counts[at + 1u], 1u);
        }
    }
}

// Adds 64 bits to 96.
fn add_nearer(sum: vec2<u32>) {
    let low = atomicAdd(&tally[0], sum.x);
    let second = sum.y + select(0u, 1u, low + sum.x < low);
    let middle = atomicAdd(&tally[1], second);
    if (middle + second < middle) {
        atomicAdd(&tally[2], 1u);
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows() || piece.sizes.pairs == 0u) {
        return;
    }
    let i = stripe.begin + row;
    var own = vec2(0u);
    for (var j = first_column(i) + invocation.index; j < end_of_columns(); j += WORKGROUP) {
        let kind = relation(i, j);
        if (kind == NO_PAIR) {
            continue;
        }
        let key = order_of(distance_at(row * stripe.stride + j));
        let place = keys_below(key);
        count(place, kind);
        if (kind == NEGATIVE) {
            var up_to = place;
            if (place < piece.sizes.pairs && sorted[place] == key) {
                up_to = keys_below(key + 1u);
            }
            own = wide_add(own, vec2(place + up_to, 0u));
        }
    }
    let halves = workgroup_count(
        vec4(own.x & 0xffffu, own.x >> 16u, own.y & 0xffffu, own.y >> 16u), invocation,
    );
    if (invocation.index == 0u) {
        let low = wide_from_halves(halves.x, halves.y);
        add_nearer(wide_add(low, vec2(0u, halves.z + (halves.w << 16u))));
    }
}
