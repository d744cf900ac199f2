// Gives the term of every anchor its weight, after the kernel of a loss whose anchors choose a
// positive and a negative each.
//
//   choices  N   both coefficients times the weight
//   rows     N   losses times the weight
//
// One workgroup per row, of which one invocation has something to do.

// #include "terms/row.wgsl"
// #include "shared/choice.wgsl"
// #include "terms/weights.wgsl"

@group(0) @binding(5) var<storage, read_write> choices: array<Choice>;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows() || invocation.index > 0u) {
        return;
    }
    let i = stripe.begin + row;
    let own = weight_of(i);
    choices[i].positive_coefficient *= own;
    choices[i].negative_coefficient *= own;
    rows[i] = weighed_row(rows[i], own);
}
