// What the losses of the softmax family share. With the logits l(i, j) = -d(i, j) / temperature,
// every row i has
//
//   L(i) = log sum_j exp(l(i, j))      over its pairs j that `is_summand` names
//
// The entry point `statistics` of a loss keeps L(i), and what else the slopes of the row need,
// beside the row's summary. The coefficients are made of them in terms/ends.wgsl.
//
// The file that includes it adds
//
//   fn is_summand(kind: u32) -> bool                     whether such a pair is in the log-sum-exp
//   fn slope(end: Statistic, kind: u32, d: f32) -> f32   temperature * d loss(i) / d d(i, j) from
//                                                        the statistic of i, whose `value` is the
//                                                        level that its leads are taken of
//   struct Parameters { temperature: f32, inverse_temperature: f32 }   may have more members
//   var<uniform> parameters: Parameters

// #include "terms/ends.wgsl"

// How far the logit l(i, j) is below a level, which is a distance: -temperature * L(i), or that of
// the nearest summand. At low temperatures the difference of two distances keeps digits that logits
// have lost.
fn lead(level: f32, d: f32) -> f32 {
    return leads(level, vec4(d)).x;
}

fn leads(level: f32, d: vec4<f32>) -> vec4<f32> {
    return (d - level) * parameters.inverse_temperature;
}

fn are_summands(kinds: vec4<u32>) -> vec4<bool> {
    return vec4(is_summand(kinds.x), is_summand(kinds.y), is_summand(kinds.z), is_summand(kinds.w));
}

// The nearest summand of a row, whose logit is the largest. Reads the distances once, and sees
// every pair.
fn nearest_summand(row: u32, invocation: Invocation, pairs: ptr<function, Pairs>) -> Extreme {
    let i = stripe.begin + row;
    let label = labels[i];
    var seen = Extremes(NO_EXTREME, NO_EXTREME);
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let kinds = relations_of(i, label, quad);
        let d = distances_of(row, quad, kinds);
        see_pairs(pairs, kinds, d);
        seen.nearest = nearest_of(seen.nearest, are_summands(kinds), d, 4u * quad);
    }
    return workgroup_extremes(seen, invocation).nearest;
}

// The level -temperature * L(i) of a row, which is the nearest of its summands less
// temperature * log(sum of exponentials). The largest of those is exp(0): nothing overflows. Reads
// the distances twice, and sees every pair.
fn level_of_row(row: u32, invocation: Invocation, pairs: ptr<function, Pairs>) -> f32 {
    let i = stripe.begin + row;
    let label = labels[i];
    let nearest = nearest_summand(row, invocation, pairs);
    var sum = 0.0;
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let kinds = relations_of(i, label, quad);
        let exponentials = exp(-leads(nearest.value, distances_of(row, quad, kinds)));
        sum += sum_of(select(vec4(0.0), exponentials, are_summands(kinds)));
    }
    let exponentials = max(workgroup_sum(vec4(sum, 0.0, 0.0, 0.0), invocation).x, 1.0);
    return nearest.value - parameters.temperature * log(exponentials);
}
