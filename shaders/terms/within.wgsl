// Leaves out every anchor i whose term is not within thresholds, after the kernel of a loss with one
// term for each anchor.
//
//   rows            N               of an anchor left out without loss and slopes; those that are
//                                   not are counted in the place of the terms greater than 0
//   coefficients    rows x stride   those of an anchor left out become 0
//   BY_STATISTICS, where coefficients are still to be made of the statistics of both ends
//   row_statistics  N               those of an anchor left out become 0, and so will its slopes
//
// One workgroup per row, which writes coefficients only where it is left out.

// #include "terms/row.wgsl"
// #include "terms/coefficient_quads.wgsl"
// #include "terms/thresholds.wgsl"

// Of this kernel, in the place of those of the loss.
struct Parameters {
    low: f32,
    high: f32,
    given: u32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

override BY_STATISTICS: u32 = 0u;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    var summary = rows[i];
    let is_taken = is_within(summary.loss);
    // Every invocation has read the row.
    storageBarrier();
    if (!is_taken && BY_STATISTICS == 0u) {
        for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
            coefficients[row * quads() + quad] = vec4(0.0);
        }
    }
    if (invocation.index > 0u) {
        return;
    }
    summary.nonzero = select(vec2(0u), summary.terms, is_taken);
    if (!is_taken) {
        summary.loss = 0.0;
        summary.learned_slopes = vec2(0.0);
        if (BY_STATISTICS == 1u) {
            row_statistics[i] = Statistic(row_statistics[i].value, 0u, 0.0, 0.0);
        }
    }
    rows[i] = summary;
}
