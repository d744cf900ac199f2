// Gives the terms of every anchor i their weight w(i), after the kernel of a loss whose coefficients
// c(i, j) are those of row i alone:
//
//   rows                 N               losses and slopes times w(i)
//   coefficients         rows x stride   c(i, j) w(i)
//   SYMMETRIC, c(i, j) = c(j, i)         c(i, j) (w(i) + w(j)) / 2: the gradient is the same, and
//                                        is twice its half by rows as without weights
//
// One workgroup per row; one read and one write of its coefficients.

// #include "terms/row.wgsl"
// #include "terms/coefficient_quads.wgsl"
// #include "terms/weights.wgsl"

override SYMMETRIC: u32 = 0u;

// What the coefficients of a quad are multiplied by. Beyond the columns that there are they are 0.
fn weights_of(own: f32, quad: u32) -> vec4<f32> {
    if (SYMMETRIC == 0u) {
        return vec4(own);
    }
    let columns = min(columns_of(quad), vec4(sizes.references - 1u));
    let others = vec4(
        weight_of(columns.x), weight_of(columns.y), weight_of(columns.z), weight_of(columns.w),
    );
    return 0.5 * (own + others);
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    let own = weight_of(i);
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        coefficients[row * quads() + quad] *= weights_of(own, quad);
    }
    if (invocation.index == 0u) {
        rows[i] = weighed_row(rows[i], own);
    }
}
