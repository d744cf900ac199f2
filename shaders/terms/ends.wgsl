// What the losses share whose coefficients depend on both ends of a pair, by something that is
// known of every row. The entry point `statistics` of a loss keeps that of a row beside the row's
// summary. `main` is here, and makes the coefficients of
//
//   against references   c(i, j)             of all columns
//   in one batch         c(i, j) + c(j, i)   of the columns up to the stripe's own end: later rows
//                                            have no statistics yet, and take the pair when their
//                                            stripe comes
//
// The file that includes it adds
//
//   fn slope(end: Statistic, kind: u32, d: f32) -> f32   d loss(i) / d d(i, j) from the statistic
//                                                        of i, without the factor that is applied
//                                                        with the reduction
//
// Where anchors have weights, so has each c(i, j), and `main` also weighs the row's summary.
// One workgroup per row; `main` reads its distances once and writes its coefficients once.

// #include "terms/row.wgsl"
// #include "terms/coefficient_quads.wgsl"
// #include "terms/weights.wgsl"
// #include "shared/reduce_extremes.wgsl"
// #include "shared/exponential.wgsl"

// Summands per step in gradient/pairwise.wgsl: as far as that reads, coefficients must be there.
const GRADIENT_STEP = 16u;

// The coefficient of a pair in the gradient: 0 where there is none.
fn coefficient_of_pair(i: u32, j: u32, own: Statistic, kind: u32, d: f32) -> f32 {
    if (kind == NO_PAIR) {
        return 0.0;
    }
    return coefficient(slope_of_pair(i, j, own, kind, d), d);
}

// The slope of d(i, j) in the loss. In one batch both ends of the pair have a share, the lower
// row's first: so both places of the pair get the same bits.
fn slope_of_pair(i: u32, j: u32, own: Statistic, kind: u32, d: f32) -> f32 {
    if (stripe.same_set == 0u) {
        return weighed(i, slope(own, kind, d));
    }
    var low = own;
    var high = row_statistics[j];
    if (j < i) {
        low = high;
        high = own;
    }
    return weighed(min(i, j), slope(low, kind, d)) + weighed(max(i, j), slope(high, kind, d));
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    let label = labels[i];
    let own = row_statistics[i];
    var known = sizes.references;
    var written = stripe.stride;
    if (stripe.same_set == 1u) {
        known = stripe.begin + stripe_rows();
        written = min(stripe.stride, (known + GRADIENT_STEP - 1u) / GRADIENT_STEP * GRADIENT_STEP);
    }
    for (var quad = invocation.index; quad < written / 4u; quad += WORKGROUP) {
        let columns = columns_of(quad);
        let kinds = select(vec4(NO_PAIR), relations_of(i, label, quad), columns < vec4(known));
        let d = distances_of(row, quad, kinds);
        coefficients[row * quads() + quad] = vec4(
            coefficient_of_pair(i, columns.x, own, kinds.x, d.x),
            coefficient_of_pair(i, columns.y, own, kinds.y, d.y),
            coefficient_of_pair(i, columns.z, own, kinds.z, d.z),
            coefficient_of_pair(i, columns.w, own, kinds.w, d.w),
        );
    }
    if (WEIGHTED == 1u && invocation.index == 0u) {
        rows[i] = weighed_row(rows[i], weight_of(i));
    }
}
