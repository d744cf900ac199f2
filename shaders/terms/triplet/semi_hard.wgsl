// Semi-hard triplets: every (a, p) with the nearest negative farther than p, or the farthest
// negative where there is none. The term is in terms/triplet/term.wgsl.
//
// The positives are sorted. Each negative falls between two of them, and only the nearest negative
// of such a gap can be chosen: by the positive before the gap, and by those further before it whose
// own gaps are empty. So per gap the smallest distance is kept, the gaps are swept from the far end
// (an empty gap takes what the next one has), and a negative that was chosen counts the positives
// that chose it: a run of them, ending before its gap.
//
// An anchor with more positives than fit goes through them in chunks, PORTION of them a dispatch.
// Cost: M log K + K log^2 K per anchor for K positives.
// One workgroup per row.

// #include "terms/row.wgsl"
// #include "shared/order.wgsl"
// #include "terms/coefficients.wgsl"
// #include "terms/triplet/sorted.wgsl"
// #include "shared/reduce_extremes.wgsl"
// #include "shared/exponential.wgsl"
// #include "terms/triplet/term.wgsl"

const EMPTY = 0xffffffffu;

// After sorted positive k: the order (below) of the nearest negative beyond it, EMPTY where there
// is none.
var<workgroup> gaps: array<atomic<u32>, CHUNK>;
// The lowest column of the negatives of gap k that are that near.
var<workgroup> columns: array<atomic<u32>, CHUNK>;

// gaps[k] becomes the smallest of gaps[k ..].
fn sweep_gaps(size: u32, invocation: Invocation) {
    // Invocation 0 takes the far end, so that the sweep is a scan over earlier invocations.
    let each = owned_of(size);
    let first = (WORKGROUP - invocation.index - 1u) * each;
    var own = EMPTY;
    for (var k = first; k < first + each; k++) {
        own = min(own, atomicLoad(&gaps[k]));
    }
    scan_scratch[invocation.index] = own;
    workgroupBarrier();
    for (var reach = 1u; reach < WORKGROUP; reach <<= 1u) {
        var beyond = EMPTY;
        if (invocation.index >= reach) {
            beyond = scan_scratch[invocation.index - reach];
        }
        workgroupBarrier();
        scan_scratch[invocation.index] = min(scan_scratch[invocation.index], beyond);
        workgroupBarrier();
    }
    var smallest = EMPTY;
    if (invocation.index > 0u) {
        smallest = scan_scratch[invocation.index - 1u];
    }
    for (var k = first + each; k > first; k--) {
        smallest = min(smallest, atomicLoad(&gaps[k - 1u]));
        atomicStore(&gaps[k - 1u], smallest);
    }
    workgroupBarrier();
}

// The slopes of the sorted positives that chose the negative of this order at distance d: those
// before `end`, as long as their gaps hold it.
fn slopes_of_choosers(end: u32, order: u32, d: f32) -> f32 {
    var sum = 0.0;
    for (var k = end; k > 0u; k--) {
        if (atomicLoad(&gaps[k - 1u]) != order) {
            break;
        }
        sum += triplet_slope(keys[k - 1u], d);
    }
    return sum;
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
    var seen_negatives = Extremes(NO_EXTREME, NO_EXTREME);
    for (var j = invocation.index; j < stripe.stride; j += WORKGROUP) {
        let kind = relation(i, j);
        if (kind != NO_PAIR) {
            let d = distance_at(begin + j);
            see_pair(&pairs, kind, d);
            if (kind == NEGATIVE) {
                seen_negatives.farthest = farther(seen_negatives.farthest, Extreme(d, j));
            }
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
    let farthest = workgroup_extremes(seen_negatives, invocation).farthest;
    // Without a negative an anchor has no triplet.
    let positives = select(0u, seen.x, seen.y > 0u);

    var loss = 0.0;
    var nonzero = 0u;
    for (var first = portion; first < min(portion + PORTION, positives); first += CHUNK) {
        let size = min(CHUNK, positives - first);
        let is_last = first + size == positives;
        sort_positives(i, row, invocation, number, first, size, 0.0);
        for (var k = invocation.index; k < owned_of(size) * WORKGROUP; k += WORKGROUP) {
            atomicStore(&gaps[k], EMPTY);
            atomicStore(&columns[k], NOWHERE);
        }
        workgroupBarrier();
        for (var j = invocation.index; j < sizes.references; j += WORKGROUP) {
            if (relation(i, j) == NEGATIVE) {
                let d = distance_at(begin + j);
                let before = keys_below(size, d);
                if (before > 0u) {
                    atomicMin(&gaps[before - 1u], order_of(d));
                }
            }
        }
        workgroupBarrier();
        sweep_gaps(size, invocation);
        for (var j = invocation.index; j < sizes.references; j += WORKGROUP) {
            if (relation(i, j) == NEGATIVE) {
                let d = distance_at(begin + j);
                let before = keys_below(size, d);
                if (before > 0u && atomicLoad(&gaps[before - 1u]) == order_of(d)) {
                    atomicMin(&columns[before - 1u], j);
                }
            }
        }
        workgroupBarrier();

        var next = number;
        for (var j = invocation.index; j < sizes.references; j += WORKGROUP) {
            let kind = relation(i, j);
            if (kind == POSITIVE) {
                if (next >= first && next < first + size) {
                    let d = distance_at(begin + j);
                    let order = atomicLoad(&gaps[place_of(size, d)]);
                    let negative = select(value_of(order), farthest.value, order == EMPTY);
                    loss += triplet_term(d, negative);
                    nonzero += triplet_nonzero(d, negative);
                    coefficients[begin + j] = coefficient(triplet_slope(d, negative), d);
                }
                next += 1u;
            } else if (kind == NEGATIVE) {
                let d = distance_at(begin + j);
                let before = keys_below(size, d);
                // Until the last chunk the coefficient holds the slopes, summed up over the chunks.
                var slopes = coefficients[begin + j];
                if (before > 0u && atomicLoad(&columns[before - 1u]) == j) {
                    slopes += slopes_of_choosers(before, order_of(d), d);
                }
                if (j == farthest.column) {
                    slopes += slopes_of_choosers(size, EMPTY, d);
                }
                coefficients[begin + j] = select(slopes, coefficient(-slopes, d), is_last);
            }
        }
        workgroupBarrier();
    }

    let sums = workgroup_sum(vec4(loss, pairs.distances, 0.0), invocation);
    let counts = workgroup_count(vec4(nonzero, 0u, 0u, 0u), invocation);
    if (invocation.index == 0u) {
        var summary = row_of_pairs(sums.yz, seen.xy);
        summary.loss = sums.x;
        summary.terms.x = positives;
        summary.nonzero.x = counts.x;
        if (portion > 0u) {
            summary.loss += rows[i].loss;
            summary.nonzero.x += rows[i].nonzero.x;
        }
        rows[i] = summary;
    }
}
