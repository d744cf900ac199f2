// Supervised contrastive loss. With L(i) = log sum_j exp(l(i, j)) over all pairs of i, per anchor i
// with positives P(i):
//
//   term  mean over p in P(i) of L(i) - l(i, p)
//   slope of d(i, j)   1/|P(i)| - exp(l(i, j) - L(i))   for positives j
//                      -exp(l(i, j) - L(i))             for negatives j
//
// Both slopes lack the factor 1 / temperature, which is applied with the reduction.
// Without positives all of them are 0. The coefficients are made of these in terms/softmax.wgsl.
//
// Where a row is confident, both are differences of what is nearly equal. With the nearest pair m
// and e(j) = exp(l(i, j) - l(i, m)), whose sums are p over the positives, n over the negatives and
// r over all but m, they keep their digits as
//
//   term  mean over p in P(i) of l(i, m) - l(i, p), and log(1 + r)
//   slope of d(i, j)   (p - |P(i)| e(j) + n) / (|P(i)| (p + n))   for positives j
//                      -e(j) / (p + n)                            for negatives j
//
// `statistics` reads the distances of its row twice.

// #include "terms/softmax.wgsl"

struct Parameters {
    temperature: f32,
    inverse_temperature: f32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

fn is_summand(kind: u32) -> bool {
    return kind != NO_PAIR;
}

// `end.value` is the distance of m, `end.number` |P(i)|, `end.weight` p and `end.rest` n.
fn slope(end: Statistic, kind: u32, d: f32) -> f32 {
    if (end.number == 0u) {
        return 0.0;
    }
    let exponential = exp(-lead(end.value, d));
    let sum = end.weight + end.rest;
    if (kind == NEGATIVE) {
        return -exponential / sum;
    }
    let positives = f32(end.number);
    return ((end.weight - positives * exponential) + end.rest) / (positives * sum);
}

// The sums of exponentials, of one row or of what an invocation has seen of it.
struct Sums {
    positives: f32,
    negatives: f32,
    others: f32,    // of all but the nearest
    below: f32,     // no exponentials: how far the positives are below the nearest
}

fn sums_of_row(row: u32, nearest: Extreme, invocation: Invocation) -> Sums {
    let i = stripe.begin + row;
    let label = labels[i];
    var sums = vec4(0.0);
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let kinds = relations_of(i, label, quad);
        let is_positive = kinds == vec4(POSITIVE);
        let is_other = are_summands(kinds) & (columns_of(quad) != vec4(nearest.column));
        let behind = leads(nearest.value, distances_of(row, quad, kinds));
        let exponentials = exp(-behind);
        sums += vec4(
            sum_of(select(vec4(0.0), exponentials, is_positive)),
            sum_of(select(vec4(0.0), exponentials, kinds == vec4(NEGATIVE))),
            sum_of(select(vec4(0.0), exponentials, is_other)),
            sum_of(select(vec4(0.0), behind, is_positive)),
        );
    }
    sums = workgroup_sum(sums, invocation);
    return Sums(sums.x, sums.y, sums.z, sums.w);
}

@compute @workgroup_size(WORKGROUP)
fn statistics(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    var pairs: Pairs;
    let nearest = nearest_summand(row, invocation, &pairs);
    let sums = sums_of_row(row, nearest, invocation);
    let distances = workgroup_sum(vec4(pairs.distances, 0.0, 0.0), invocation).xy;
    let counts = workgroup_count(vec4(pairs.counts, 0u, 0u), invocation).xy;
    if (invocation.index == 0u) {
        row_statistics[i] = Statistic(nearest.value, counts.x, sums.positives, sums.negatives);
        var summary = row_of_pairs(distances, counts);
        if (counts.x > 0u) {
            let log_sum =
                select(log(1.0 + sums.others), log_one_plus(sums.others), sums.others <= 1.0);
            summary.loss = sums.below / f32(counts.x) + log_sum;
            summary.terms.x = 1u;
            // A sum of more than one exponential is greater than each, though f32 may round it to
            // the largest.
            summary.nonzero.x = select(0u, 1u, counts.x + counts.y > 1u);
        }
        rows[i] = summary;
    }
}
