// The ranks of a query's positives among all its columns, by distance, the lowest column first
// where several are equal.
//
//   ranks  N  written
//
// The positives are sorted. Every negative finds its place among them by bisection; the counts of
// the places, summed up, say how many negatives stand before each positive. A row with more
// positives than fit goes through them in chunks, PORTION of them a dispatch, and then the
// positives of the other chunks find their places as well.
// Cost: M log K + K log^2 K per row for K positives, M K / CHUNK log K for many.
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

// For the four sorted positives from 4 * invocation.index (CHUNK has four for each of 256
// invocations): how many columns of this kind stand before each.
fn columns_before(i: u32, row: u32, invocation: Invocation, size: u32, kind: u32) -> vec4<u32> {
    clear_places(CHUNK, invocation);
    for (var j = invocation.index; j < sizes.references; j += WORKGROUP) {
        if (relation(i, j) == kind) {
            let place = keys_up_to(size, key_of(distance_at(row * stripe.stride + j), j));
            if (place < size) {
                atomicAdd(&places[place], 1u);
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
    for (var j = invocation.index; j < sizes.references; j += WORKGROUP) {
        let kind = relation(i, j);
        own_positives += select(0u, 1u, kind == POSITIVE);
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
    let number = exclusive_scan(own_positives, invocation);

    var nearest = NO_RANK;
    var within = 0u;
    var precisions = 0.0;
    for (var first = portion; first < min(portion + PORTION, positives); first += CHUNK) {
        let size = min(CHUNK, positives - first);
        sort_positives(i, row, invocation, number, first, size, 0.0);
        let key = vec4(invocation.index * 4u) + vec4(0u, 1u, 2u, 3u);
        var positives_before = key;
        if (positives > CHUNK) {
            positives_before = columns_before(i, row, invocation, size, POSITIVE);
        }
        let negatives_before = columns_before(i, row, invocation, size, NEGATIVE);
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
        var found = Ranks(positives, nearest, total_within, total_precisions, min(seen.y, 1u));
        if (portion > 0u) {
            found.first = min(found.first, ranks[i].first);
            found.within += ranks[i].within;
            found.precisions += ranks[i].precisions;
        }
        ranks[i] = found;
    }
}
