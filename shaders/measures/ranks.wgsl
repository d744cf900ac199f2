// The ranks of a query's positives among all its columns, by distance, the lowest column first
// where several are equal.
//
//   ranks  N  written
//
// The positives are sorted. Every negative finds its place among them by bisection; the counts of
// the places, summed up, say how many negatives stand before each positive.
//
// Of a row with more positives than fit, R in all, only what is among the R nearest columns counts,
// beside the nearest positive: the others are left out. Where what is left of the positives does
// not fit either, it is taken in chunks, PORTION a dispatch, and then the positives of the other
// chunks find their places as well.
//
// Cost: M + M log R + R log^2 R per row up to CHUNK positives; of more M for each chunk of those
// that are left, and the bisections of R columns.
// One workgroup per row.

// #include "shared/group.wgsl"
// #include "shared/numbers.wgsl"
// #include "shared/reduce.wgsl"
// #include "shared/pairs.wgsl"
// #include "measures/ranked.wgsl"
// #include "shared/places.wgsl"
// #include "measures/summary.wgsl"

@group(0) @binding(1) var<storage, read_write> ranks: array<Ranks>;
@group(0) @binding(5) var<uniform> sizes: Sizes;

// Rows of more columns are taken whole: NARROWED of src/measures.rs.
const NARROWED = 1u << 20u;

// Bits of an order that the search goes through at once: CHUNK has a place for each.
const DIGIT = 10u;
const DIGITS = 2u;
const REST = 32u - DIGITS * DIGIT;

var<workgroup> found: vec2<u32>;

fn order_at(row: u32, j: u32) -> u32 {
    return order_of(distance_at(row * stripe.stride + j));
}

// An order that at least `rank` columns of the row are up to, and few more: that of the column with
// this rank, with ones in its lowest bits. It is found a digit at a time, the highest first.
fn order_of_rank(i: u32, row: u32, rank: u32, invocation: Invocation) -> u32 {
    var known = 0u;
    var left = rank;
    for (var digit = 1u; digit <= DIGITS; digit++) {
        let shift = 32u - DIGIT * digit;
        clear_places(CHUNK, invocation);
        for (var j = invocation.index; j < sizes.references; j += WORKGROUP) {
            if (relation(i, j) != NO_PAIR) {
                let digits = order_at(row, j) >> shift;
                if (digit == 1u || digits >> DIGIT == known) {
                    atomicAdd(&places[digits % CHUNK], 1u);
                }
            }
        }
        workgroupBarrier();
        sum_up_places(CHUNK, invocation);
        for (var k = invocation.index; k < CHUNK; k += WORKGROUP) {
            let before = select(atomicLoad(&places[max(k, 1u) - 1u]), 0u, k == 0u);
            if (before < left && left <= atomicLoad(&places[k])) {
                found = vec2(k, left - before);
            }
        }
        workgroupBarrier();
        known = (known << DIGIT) | found.x;
        left = found.y;
        workgroupBarrier();
    }
    return (known << REST) | ((1u << REST) - 1u);
}

// The smallest of a number of each invocation.
fn least_of(own: u32, invocation: Invocation) -> u32 {
    if (invocation.index == 0u) {
        atomicStore(&places[0], own);
    }
    workgroupBarrier();
    atomicMin(&places[0], own);
    workgroupBarrier();
    let least = atomicLoad(&places[0]);
    workgroupBarrier();
    return least;
}

// Sorts `size` of the positives with an order up to `most` into `keys`, from number `first` on.
fn sort_nearest(
    i: u32, row: u32, invocation: Invocation, number: u32, first: u32, size: u32, most: u32,
) {
    let padded = clear_keys(size, invocation);
    var next = number;
    for (var j = invocation.index; j < sizes.references; j += WORKGROUP) {
        if (relation(i, j) == POSITIVE) {
            let key = key_of(distance_at(row * stripe.stride + j), j);
            if (key.x <= most) {
                if (next >= first && next < first + size) {
                    keys[next - first] = key;
                }
                next += 1u;
            }
        }
    }
    workgroupBarrier();
    sort_keys(padded, invocation);
}

// For the four sorted positives from 4 * invocation.index (CHUNK has four for each of 256
// invocations): how many columns of this kind stand before each, of an order up to `most`.
fn columns_before(
    i: u32, row: u32, invocation: Invocation, size: u32, kind: u32, most: u32,
) -> vec4<u32> {
    clear_places(CHUNK, invocation);
    for (var j = invocation.index; j < sizes.references; j += WORKGROUP) {
        if (relation(i, j) == kind) {
            let key = key_of(distance_at(row * stripe.stride + j), j);
            if (key.x <= most) {
                let place = keys_up_to(size, key);
                if (place < size) {
                    atomicAdd(&places[place], 1u);
                }
            }
        }
    }
    workgroupBarrier();
    sum_up_places(CHUNK, invocation);
    let first = invocation.index * 4u;
    return vec4(
        atomicLoad(&places[first]),
        atomicLoad(&places[first + 1u]),
        atomicLoad(&places[first + 2u]),
        atomicLoad(&places[first + 3u]),
    );
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    var own_positives = 0u;
    var infinite = 0u;
    var own_nearest = 0xffffffffu;
    for (var j = invocation.index; j < sizes.references; j += WORKGROUP) {
        let kind = relation(i, j);
        if (kind == POSITIVE) {
            own_positives += 1u;
            own_nearest = min(own_nearest, order_at(row, j));
        }
        infinite += select(
            0u, 1u, kind != NO_PAIR && !is_finite(distance_at(row * stripe.stride + j)),
        );
    }
    let seen = uniform_count(vec4(own_positives, infinite, 0u, 0u), invocation);
    let positives = seen.x;
    let portion = stripe.portion * PORTION;
    if (portion > 0u && portion >= positives) {
        return;
    }
    var most = 0xffffffffu;
    var own_left = own_positives;
    var all_left = positives;
    if (positives > CHUNK && sizes.references <= NARROWED) {
        most = order_of_rank(i, row, positives, invocation);
        most = max(most, least_of(own_nearest, invocation));
        own_left = 0u;
        for (var j = invocation.index; j < sizes.references; j += WORKGROUP) {
            own_left += select(0u, 1u, relation(i, j) == POSITIVE && order_at(row, j) <= most);
        }
        all_left = uniform_count(vec4(own_left, 0u, 0u, 0u), invocation).x;
        if (portion > 0u && portion >= all_left) {
            return;
        }
    }
    let number = exclusive_scan(own_left, invocation);

    var nearest = NO_RANK;
    var within = 0u;
    var precisions = 0.0;
    for (var first = portion; first < min(portion + PORTION, all_left); first += CHUNK) {
        let size = min(CHUNK, all_left - first);
        sort_nearest(i, row, invocation, number, first, size, most);
        let key = vec4(invocation.index * 4u) + vec4(0u, 1u, 2u, 3u);
        var positives_before = key;
        if (all_left > CHUNK) {
            positives_before = columns_before(i, row, invocation, size, POSITIVE, most);
        }
        let negatives_before = columns_before(i, row, invocation, size, NEGATIVE, most);
        let q = positives_before + 1u;
        let r = select(vec4(NO_RANK), q + negatives_before, key < vec4(size));
        let counts = r <= vec4(positives);
        within += dot(select(vec4(0u), vec4(1u), counts), vec4(1u));
        precisions += dot(select(vec4(0.0), vec4<f32>(q) / vec4<f32>(r), counts), vec4(1.0));
        // Of the first invocation: the nearest of each chunk.
        nearest = min(nearest, r.x);
        workgroupBarrier();
    }

    let total_precisions = workgroup_sum(vec4(precisions, 0.0, 0.0, 0.0), invocation).x;
    let total_within = workgroup_count(vec4(within, 0u, 0u, 0u), invocation).x;
    if (invocation.index == 0u) {
        var ranked = Ranks(positives, nearest, total_within, total_precisions, min(seen.y, 1u));
        if (portion > 0u) {
            ranked.first = min(ranked.first, ranks[i].first);
            ranked.within += ranks[i].within;
            ranked.precisions += ranks[i].precisions;
        }
        ranks[i] = ranked;
    }
}
