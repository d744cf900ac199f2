// Lifted structured loss. `statistics` gives every row i what its negatives k sum up to:
//
//   smooth  l(i) = log sum_k exp(margin - d(i, k))
//   EXACT   l(i) = max_k (margin - d(i, k)), at the lowest such k
//
// `main` then has, per positive pair (i, j), with h = max(0, J(i, j)):
//
//   smooth  J = log(exp(l(i)) + exp(l(j))) + d(i, j)      share of side i:  s = sigmoid(l(i) - l(j))
//   EXACT   J = max(l(i), l(j)) + d(i, j)                 share of side i:  s = 1 where it is the maximum, i < j first, else 0
//
//   term  h^2 / 2 of the unordered pair; slope of d(i, j)  h, half of it for each order
//   slope of d(i, k)  -W(i) exp(margin - d(i, k) - l(i)),  EXACT  -W(i) at the one k;   W(i) = sum_j h(i, j) s(i, j)
//
// Rows of one class have their negatives in common: both ends of a pair have negatives, or neither.
// One workgroup per row; `statistics` reads its distances twice, `main` twice, and writes its coefficients once.

// #include "shared/row.wgsl"
// #include "shared/coefficients.wgsl"
// #include "shared/extremes.wgsl"
// #include "shared/exponential.wgsl"

struct Parameters {
    margin: f32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

override EXACT: u32 = 0u;

fn nearest_negative(row: u32, group: Group) -> Extreme {
    let i = stripe.begin + row;
    var seen = Extremes(NO_EXTREME, NO_EXTREME);
    for (var j = group.local; j < sizes.references; j += WORKGROUP) {
        if (relation(i, j) == NEGATIVE) {
            seen.nearest = nearer(seen.nearest, Extreme(distances[row * stripe.stride + j], j));
        }
    }
    return workgroup_extremes(seen, group).nearest;
}

@compute @workgroup_size(WORKGROUP)
fn statistics(group: Group) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    let nearest = nearest_negative(row, group);
    var above = 0.0;
    if (EXACT == 0u) {
        // The largest summand is exp(0): nothing overflows.
        var sum = 0.0;
        for (var j = group.local; j < sizes.references; j += WORKGROUP) {
            if (relation(i, j) == NEGATIVE) {
                sum += exp(nearest.value - distances[row * stripe.stride + j]);
            }
        }
        above = log(max(workgroup_sum(vec4(sum, 0.0, 0.0, 0.0), group).x, 1.0));
    }
    if (group.local == 0u) {
        row_statistics[i] = Statistic(parameters.margin - nearest.value + above, nearest.column, 0.0);
    }
}

// How much of the pair's slope goes to the negatives of i.
fn share(i: u32, j: u32, own: f32, other: f32) -> f32 {
    if (EXACT == 1u) {
        return select(0.0, 1.0, own > other || (own == other && i < j));
    }
    return sigmoid(own - other);
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    let own = row_statistics[i];
    let has_negatives = own.column != NOWHERE;
    var pairs: Pairs;
    var loss = 0.0;
    var weight = 0.0;
    var unordered = vec2(0u);  // terms, non-zero terms
    for (var j = group.local; j < stripe.stride; j += WORKGROUP) {
        let at = row * stripe.stride + j;
        let kind = relation(i, j);
        var c = 0.0;
        if (kind != NO_PAIR) {
            let d = distances[at];
            see_pair(&pairs, kind, d);
            if (kind == POSITIVE) {
                let other = row_statistics[j].value;
                var reach = max(own.value, other);
                if (EXACT == 0u) {
                    reach = log_add(own.value, other);
                }
                let h = select(0.0, max(0.0, reach + d), has_negatives);
                weight += h * share(i, j, own.value, other);
                c = coefficient(0.5 * h, d);
                if (i < j) {
                    loss += 0.5 * h * h;
                    unordered += vec2(1u, select(0u, 1u, h > 0.0));
                }
            }
        }
        coefficients[at] = c;
    }
    let sums = workgroup_sum(vec4(loss, weight, pairs.positive_distance, pairs.negative_distance), group);
    let counts = workgroup_count(vec4(pairs.positives, pairs.negatives, unordered), group);
    for (var j = group.local; j < sizes.references; j += WORKGROUP) {
        if (relation(i, j) == NEGATIVE) {
            let at = row * stripe.stride + j;
            let d = distances[at];
            var slope = select(0.0, -sums.y, j == own.column);
            if (EXACT == 0u) {
                slope = -sums.y * exp(parameters.margin - d - own.value);
            }
            coefficients[at] = coefficient(slope, d);
        }
    }
    if (group.local == 0u) {
        rows[i] = Row(
            sums.x, 0.0, sums.z, sums.w, counts.x, counts.y, 0u, 0u,
            vec2(counts.z, 0u), vec2(counts.w, 0u), 0.0, 0u,
        );
    }
}
