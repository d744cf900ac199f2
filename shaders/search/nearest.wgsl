// The k nearest columns of every row, by distance, the lowest column first where several are equal.
//
//   indices    N x k  written: which columns they are, the nearest first
//   nearest    N x k  written: how far they are
//   wanted            k
//   tally             the first word is 1 where such a distance is not finite
//
// The keys of columns, their distance and then their number, have 64 bits. The last key that is
// wanted is found by its digits, of 8 bits, the highest first: the columns that have the digits so
// far are counted by their next one. No further digit is looked for once all that have those so far
// are wanted. Then what is up to it is sorted. More than CHUNK neighbours are found in portions,
// each behind the last key of the one before.
// Cost: up to 9 M per row and portion, most often 4 M, and CHUNK log^2 CHUNK.
// One workgroup per row.

// #include "shared/numbers.wgsl"
// #include "shared/pairs.wgsl"
// #include "measures/ranked.wgsl"

@group(0) @binding(1) var<storage, read_write> indices: array<u32>;
@group(0) @binding(5) var<uniform> sizes: Sizes;
@group(0) @binding(6) var<uniform> wanted: Wanted;
@group(0) @binding(7) var<storage, read_write> nearest: array<f32>;
@group(0) @binding(8) var<storage, read_write> tally: array<atomic<u32>>;

struct Wanted {
    k: u32,
}

const DIGIT_BITS = 8u;
const BINS = 256u;
const DIGITS = 8u;       // of a key
const WORD_DIGITS = 4u;  // of the distance, and of the column

var<workgroup> bins: array<atomic<u32>, BINS>;
// A digit, how many have a lower one, how many have it, and 1 if it is found.
var<workgroup> chosen: vec4<u32>;
var<workgroup> taken: atomic<u32>;

// The bits of the first so many digits of a key.
fn mask(digits: u32) -> Key {
    let in_words = vec2(min(digits, WORD_DIGITS), max(digits, WORD_DIGITS) - WORD_DIGITS);
    let shifts = (vec2(32u) - DIGIT_BITS * in_words) % 32u;
    return select(vec2(0xffffffffu) << shifts, vec2(0u), in_words == vec2(0u));
}

// Bits below a digit in its word.
fn shift_of(digit: u32) -> u32 {
    return DIGIT_BITS * (WORD_DIGITS - 1u - digit % WORD_DIGITS);
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    let first = stripe.portion * CHUNK;
    if (row >= stripe_rows() || first >= wanted.k) {
        return;
    }
    let i = stripe.begin + row;
    let size = min(CHUNK, wanted.k - first);
    let begin = i * wanted.k + first;
    // What the portion before has found is left out.
    let is_behind = stripe.portion > 0u;
    var before = vec2(0u);
    if (is_behind) {
        before = vec2(order_of(nearest[begin - 1u]), indices[begin - 1u]);
    }

    var last = vec2(0u);
    var left = size;
    for (var digit = 0u; digit < DIGITS; digit++) {
        atomicStore(&bins[invocation.index], 0u);
        if (invocation.index == 0u) {
            chosen = vec4(0u);
        }
        workgroupBarrier();
        let known = mask(digit);
        for (var j = invocation.index; j < sizes.references; j += WORKGROUP) {
            let key = key_of(distance_at(row * stripe.stride + j), j);
            let is_there = relation(i, j) != NO_PAIR && (!is_behind || is_before(before, key));
            if (is_there && all((key & known) == last)) {
                let word = select(key.x, key.y, digit >= WORD_DIGITS);
                atomicAdd(&bins[(word >> shift_of(digit)) % BINS], 1u);
            }
        }
        workgroupBarrier();
        let own = atomicLoad(&bins[invocation.index]);
        let lower = exclusive_scan(own, invocation);
        if (lower < left && left <= lower + own) {
            chosen = vec4(invocation.index, lower, own, 1u);
        }
        workgroupBarrier();
        let found = workgroupUniformLoad(&chosen);
        if (found.w == 0u) {
            // There are fewer columns than are wanted, which is an error.
            last = LARGEST;
            break;
        }
        let bits = found.x << shift_of(digit);
        last |= select(vec2(bits, 0u), vec2(0u, bits), digit >= WORD_DIGITS);
        left -= found.y;
        if (found.z == left) {
            last |= ~mask(digit + 1u);
            break;
        }
    }

    if (invocation.index == 0u) {
        atomicStore(&taken, 0u);
    }
    let padded = clear_keys(size, invocation);
    for (var j = invocation.index; j < sizes.references; j += WORKGROUP) {
        let key = key_of(distance_at(row * stripe.stride + j), j);
        let is_there = relation(i, j) != NO_PAIR && (!is_behind || is_before(before, key));
        if (is_there && !is_before(last, key)) {
            let place = atomicAdd(&taken, 1u);
            if (place < size) {
                keys[place] = key;
            }
        }
    }
    workgroupBarrier();
    // In whatever order they were taken.
    sort_keys(padded, invocation);
    for (var at = invocation.index; at < size; at += WORKGROUP) {
        let d = value_of(keys[at].x);
        indices[begin + at] = keys[at].y;
        nearest[begin + at] = d;
        if (!is_finite(d)) {
            atomicMax(&tally[0], 1u);
        }
    }
}
