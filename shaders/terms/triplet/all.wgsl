// Batch-all triplets: every (a, p, n) with max(0, d(a, p) + margin - d(a, n)), without enumerating
// any.
//
// The thresholds t = d(a, p) + margin of the positives are sorted. A negative at distance d is in
// the non-zero triplets of all thresholds above d: a(n) of them, found by bisection. A positive is
// in those of all negatives below its threshold: A(p) of them, by counting the negatives' places
// and summing up the counts. With T the largest threshold:
//
//   loss  sum over n of a(n) (T - d(n))  -  sum over p of A(p) (T - t(p))
//   slope of d(a, n)  -a(n)      slope of d(a, p)  A(p)
//
// With thresholds a negative is in the triplets of those t alone that are also above d + low and
// below d + high: a range of the sorted ones, whose ends are found by bisection too.
//
// An anchor with more positives than fit goes through them in chunks, PORTION of them a dispatch.
// Cost: M log K + K log^2 K per anchor for K positives.
// One workgroup per row.

// #include "terms/row.wgsl"
// #include "terms/coefficients.wgsl"
// #include "terms/triplet/sorted.wgsl"
// #include "terms/triplet/term.wgsl"
// #include "shared/places.wgsl"

// Whether there are thresholds. Without them nothing is left of them in the loops.
override THRESHOLDS: u32 = 0u;

// The keys that are in the triplets of a negative: from `counted` to `end` their terms count, from
// `begin` on they are not 0.
struct Reach {
    counted: u32,
    begin: u32,
    end: u32,
}

fn reach_of(size: u32, d: f32) -> Reach {
    let begin = keys_up_to(size, d);
    if (THRESHOLDS == 0u) {
        return Reach(begin, begin, size);
    }
    var counted = 0u;
    // A term is at least 0.
    if ((parameters.given & HAS_LOW) != 0u && parameters.low >= 0.0) {
        counted = keys_up_to(size, d + parameters.low);
    }
    var end = size;
    if ((parameters.given & HAS_HIGH) != 0u) {
        end = select(0u, keys_below(size, d + parameters.high), parameters.high > 0.0);
    }
    counted = min(counted, end);
    return Reach(counted, clamp(begin, counted, end), end);
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    let begin = row * stripe.stride;
    var pairs: Pairs;
    for (var j = invocation.index; j < stripe.stride; j += WORKGROUP) {
        let kind = relation(i, j);
        if (kind != NO_PAIR) {
            see_pair(&pairs, kind, distance_at(begin + j));
        }
        if (stripe.portion == 0u) {
            coefficients[begin + j] = 0.0;
        }
    }
    let seen = uniform_count(vec4(pairs.counts, 0u, 0u), invocation);
    let portion = stripe.portion * PORTION;
    if (portion > 0u && portion >= seen.x) {
        return;
    }
    let number = exclusive_scan(pairs.counts.x, invocation);

    var loss = 0.0;
    var nonzero = 0u;
    for (var first = portion; first < min(portion + PORTION, seen.x); first += CHUNK) {
        let size = min(CHUNK, seen.x - first);
        let is_last = first + size == seen.x;
        sort_positives(i, row, invocation, number, first, size, parameters.margin);
        clear_places(size, invocation);

        let largest = keys[size - 1u];
        for (var j = invocation.index; j < sizes.references; j += WORKGROUP) {
            if (relation(i, j) == NEGATIVE) {
                let d = distance_at(begin + j);
                let reach = reach_of(size, d);
                let above = reach.end - reach.begin;
                nonzero += reach.end - reach.counted;
                if (above > 0u) {
                    atomicAdd(&places[reach.begin], 1u);
                    if (reach.end < size) {
                        // What comes before in the sum is at least 1.
                        atomicSub(&places[reach.end], 1u);
                    }
                    loss += f32(above) * (largest - d);
                }
                // Until the last chunk the coefficient holds a(n), summed up over the chunks.
                let sum = coefficients[begin + j] + f32(above);
                coefficients[begin + j] = select(sum, coefficient(-sum, d), is_last);
            }
        }
        workgroupBarrier();
        sum_up_places(size, invocation);

        var next = number;
        for (var j = invocation.index; j < sizes.references; j += WORKGROUP) {
            if (relation(i, j) == POSITIVE) {
                if (next >= first && next < first + size) {
                    let d = distance_at(begin + j);
                    let threshold = d + parameters.margin;
                    let above = f32(atomicLoad(&places[place_of(size, threshold)]));
                    loss -= above * (largest - threshold);
                    coefficients[begin + j] = coefficient(above, d);
                }
                next += 1u;
            }
        }
        workgroupBarrier();
    }

    let sums = workgroup_sum(vec4(loss, pairs.distances, 0.0), invocation);
    let halves = workgroup_count(vec4(nonzero & 0xffffu, nonzero >> 16u, 0u, 0u), invocation);
    if (invocation.index == 0u) {
        var summary = row_of_pairs(sums.yz, seen.xy);
        summary.loss = max(sums.x, 0.0);
        summary.terms = wide_product(seen.x, seen.y);
        summary.nonzero = wide_from_halves(halves.x, halves.y);
        if (portion > 0u) {
            summary.loss += rows[i].loss;
            summary.nonzero = wide_add(summary.nonzero, rows[i].nonzero);
        }
        rows[i] = summary;
    }
}
