// The ranks of a query's positives among all its columns, by distance, the lowest column first
// where several are equal, and what is asked of the k nearest columns.
//
//   ranks        N            written
//   cutoffs      L            what is asked
//   ideal_gains  up to M      [k - 1]: the sum of 1 / log2(r + 1) over the ranks 1 ..= k
//   scores       up to L x N  written, of rows with a positive
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
@group(0) @binding(6) var<storage, read> cutoffs: array<Cutoff>;
@group(0) @binding(7) var<storage, read> ideal_gains: array<f32>;
@group(0) @binding(8) var<storage, read_write> scores: array<f32>;

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

// Adds to the scores of the row what the positives of a chunk contribute, four of every invocation,
// at the ranks `r`; those of the first chunk are the first.
fn add_scores(i: u32, r: vec4<u32>, is_first: bool, positives: u32, invocation: Invocation) {
    for (var at = 0u; at < arrayLength(&cutoffs); at++) {
        let cutoff = cutoffs[at];
        if (cutoff.measure == RECALL) {
            continue;
        }
        let is_gain = cutoff.measure == GAIN;
        let counts = r <= vec4(cutoff.k);
        let gains = select(vec4(1.0), 1.0 / log2(vec4<f32>(r) + 1.0), vec4(is_gain));
        let own = dot(select(vec4(0.0), gains, counts), vec4(1.0));
        var score = workgroup_sum(vec4(own, 0.0, 0.0, 0.0), invocation).x;
        if (invocation.index == 0u) {
            if (is_gain) {
                score /= ideal_gains[min(cutoff.k, positives) - 1u];
            }
            let place = cutoff.first + i;
            scores[place] = select(scores[place] + score, score, is_first);
        }
    }
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
    var precisions = vec2(0.0);
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
        let shares = select(vec4(0.0), vec4<f32>(q) / vec4<f32>(r), key < vec4(size));
        precisions.x += dot(select(vec4(0.0), shares, counts), vec4(1.0));
        precisions.y += dot(shares, vec4(1.0));
        // Of the first invocation: the nearest of each chunk.
        nearest = min(nearest, r.x);
        add_scores(i, r, first == 0u, positives, invocation);
        workgroupBarrier();
    }

    let sums = workgroup_sum(vec4(precisions, 0.0, 0.0), invocation);
    let total_within = workgroup_count(vec4(within, 0u, 0u, 0u), invocation).x;
    if (invocation.index == 0u) {
        var found = Ranks(positives, nearest, total_within, sums.x, sums.y, min(seen.y, 1u));
        if (portion > 0u) {
            found.first = min(found.first, ranks[i].first);
            found.within += ranks[i].within;
            found.precisions += ranks[i].precisions;
            found.all_precisions += ranks[i].all_precisions;
        }
        ranks[i] = found;
    }
}
