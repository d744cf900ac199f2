// Cross-entropy of a row x of logits with the class y: log(sum over c of exp(x(c))) - x(y)
//
//   slope of x(c)  P(c)       c != y
//   slope of x(y)  P(y) - 1   taken from the others where x(y) is the largest: it keeps its digits
//
// One workgroup per row: reads it three times, writes its slopes once.

// #include "pointwise/logits.wgsl"

@group(0) @binding(3) var<storage, read> labels: array<u32>;

// The class of a row. One that does not exist is replaced by one that does: the fault makes the
// result an error anyway.
fn checked_label(row: u32) -> u32 {
    let label = labels[row];
    if (label >= cut.width) {
        atomicMax(&state[LABEL_FAULT], fault_key(row));
        return 0u;
    }
    return label;
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = row_of(group);
    if (row >= sizes.queries) {
        return;
    }
    let begin = row * cut.width;
    let own = checked_label(row);
    let softmax = softmax_of(row, invocation);
    for (var c = invocation.index; c < cut.width; c += WORKGROUP) {
        var slope = part_of(softmax, values[begin + c]);
        if (c == own) {
            slope = select(
                slope - 1.0, -softmax.others / (1.0 + softmax.others), c == softmax.column,
            );
        }
        gradient[begin + c] = slope;
    }
    if (invocation.index == 0u) {
        let loss = softmax.largest - values[begin + own] + softmax.log_sum;
        // The sum of several exponentials is greater than each, though f32 may round it to the largest.
        rows[row] = summary(loss, 1u, select(0u, 1u, cut.width > 1u));
    }
}
