// Counts the pairs that have the digits so far of a threshold that is looked for, by their next
// digit. The first digit counts for all thresholds.
//
//   marks  thresholds, a multiple of MARKS; a portion of the work are MARKS of them
//   tally  verification/marks.wgsl says what is where: added to
//
// Counts of whole numbers are the same in whatever order they are added.
// One workgroup per row.

// #include "shared/numbers.wgsl"
// #include "verification/marks.wgsl"
// #include "verification/pairs.wgsl"

const MARKS = 4u;

@group(0) @binding(1) var<storage, read> marks: array<Mark>;
@group(0) @binding(5) var<uniform> sizes: Sizes;
@group(0) @binding(6) var<storage, read_write> tally: array<atomic<u32>>;

const INFINITE = 3u;  // the word that says whether a distance is not finite

var<workgroup> bins: array<atomic<u32>, 2u * MARKS * BINS>;
var<workgroup> largest: array<atomic<u32>, MARKS>;

fn count(mark: u32, is_counted: bool, kind: u32, digit: u32) {
    if (is_counted) {
        atomicAdd(&bins[(2u * mark + select(0u, 1u, kind == NEGATIVE)) * BINS + digit], 1u);
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    let first = stripe.portion * MARKS;
    let counted = select(MARKS, 1u, SHIFT == FIRST_SHIFT);
    for (var at = invocation.index; at < 2u * counted * BINS; at += WORKGROUP) {
        atomicStore(&bins[at], 0u);
    }
    if (invocation.index < MARKS) {
        atomicStore(&largest[invocation.index], 0u);
    }
    workgroupBarrier();

    let prefixes = vec4(
        marks[first].prefix,
        marks[first + 1u].prefix,
        marks[first + 2u].prefix,
        marks[first + 3u].prefix,
    );
    var below = vec4(0u);
    var is_infinite = false;
    for (var j = first_column(i) + invocation.index; j < end_of_columns(); j += WORKGROUP) {
        let kind = relation(i, j);
        if (kind == NO_PAIR) {
            continue;
        }
        let d = distance_at(row * stripe.stride + j);
        is_infinite = is_infinite || !is_finite(d);
        let key = order_of(d);
        let digit = (key >> SHIFT) % BINS;
        if (SHIFT == FIRST_SHIFT) {
            count(0u, true, kind, digit);
            continue;
        }
        let has_prefix = vec4((key >> SHIFT) / BINS) == prefixes;
        count(0u, has_prefix.x, kind, digit);
        count(1u, has_prefix.y, kind, digit);
        count(2u, has_prefix.z, kind, digit);
        count(3u, has_prefix.w, kind, digit);
        if (SHIFT == 0u) {
            below = max(below, select(vec4(0u), vec4(key), vec4(key) < prefixes * BINS));
        }
    }
    if (SHIFT == 0u) {
        atomicMax(&largest[0], below.x);
        atomicMax(&largest[1], below.y);
        atomicMax(&largest[2], below.z);
        atomicMax(&largest[3], below.w);
    }
    if (is_infinite) {
        atomicMax(&tally[INFINITE], 1u);
    }
    workgroupBarrier();

    let all = arrayLength(&marks);
    for (var at = invocation.index; at < 2u * counted * BINS; at += WORKGROUP) {
        let own = atomicLoad(&bins[at]);
        if (own > 0u) {
            let place = place_of(first + at / BINS / 2u, at % BINS, all);
            let word = 4u * place + 2u * (at / BINS % 2u);
            let old = atomicAdd(&tally[word], own);
            if (old + own < old) {
                atomicAdd(&tally[word + 1u], 1u);
            }
        }
    }
    if (invocation.index < MARKS) {
        let own = atomicLoad(&largest[invocation.index]);
        if (own > 0u) {
            atomicMax(&tally[4u * place_of(first + invocation.index, BINS, all)], own);
        }
    }
}
