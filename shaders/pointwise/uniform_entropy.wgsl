// Cross-entropy of a row x of C logits against every class alike: sum over c of (log(sum over k of
// exp(x(k))) - x(c))
//
//   slope of x(c)  C P(c) - 1
//
// One workgroup per row: reads it three times, writes its slopes once.

// #include "pointwise/logits.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = row_of(group);
    if (row >= sizes.queries) {
        return;
    }
    let begin = row * cut.width;
    let classes = f32(cut.width);
    let softmax = softmax_of(row, invocation);
    var below = 0.0;
    for (var c = invocation.index; c < cut.width; c += WORKGROUP) {
        let x = values[begin + c];
        below += softmax.largest - x;
        gradient[begin + c] = classes * part_of(softmax, x) - 1.0;
    }
    let sum = workgroup_sum(vec4(below, 0.0, 0.0, 0.0), invocation).x;
    if (invocation.index == 0u) {
        let loss = sum + classes * softmax.log_sum;
        // The sum of several exponentials is greater than each, though f32 may round it to the largest.
        rows[row] = summary(loss, 1u, select(0u, 1u, cut.width > 1u));
    }
}
