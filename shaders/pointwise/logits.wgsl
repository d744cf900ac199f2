// A row of logits x, seen by one workgroup, and its softmax. With the largest logit m, at the
// lowest such column, taken out
//
//   sum = sum over c of exp(x(c) - m)
//   log sum over c of exp(x(c)) = m + log(sum)
//   P(c) = exp(x(c) - m) / sum
//
// nothing overflows. The summand of m is exactly 1, so it is left out of `others`, of which
// log(1 + others) keeps every digit however confident the row is.

// #include "pointwise/values.wgsl"
// #include "shared/reduce_extremes.wgsl"
// #include "shared/exponential.wgsl"

struct Softmax {
    largest: f32,  // m
    column: u32,   // of m
    others: f32,   // sum - 1
    log_sum: f32,  // log(sum)
}

// Reads the row twice, and checks its bits.
fn softmax_of(row: u32, invocation: Invocation) -> Softmax {
    let begin = row * cut.width;
    var seen = Extremes(NO_EXTREME, NO_EXTREME);
    for (var c = invocation.index; c < cut.width; c += WORKGROUP) {
        seen.farthest = farther(seen.farthest, Extreme(checked_value(begin + c), c));
    }
    report_faults();
    let largest = workgroup_extremes(seen, invocation).farthest;
    var others = 0.0;
    for (var c = invocation.index; c < cut.width; c += WORKGROUP) {
        if (c != largest.column) {
            others += exp(values[begin + c] - largest.value);
        }
    }
    others = workgroup_sum(vec4(others, 0.0, 0.0, 0.0), invocation).x;
    let log_sum = select(log(1.0 + others), log_one_plus(others), others <= 1.0);
    return Softmax(largest.value, largest.column, others, log_sum);
}

// P(c) of the logit x.
fn part_of(softmax: Softmax, x: f32) -> f32 {
    return exp(x - softmax.largest) / (1.0 + softmax.others);
}
