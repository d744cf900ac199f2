// The gradient from its slices (gradient/adding.wgsl), scaled at once (gradient/scaling.wgsl), where
// the stripe is the whole matrix.

// #include "gradient/adding.wgsl"
// #include "gradient/scaling.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let index = number_on_stripe(group) * WORKGROUP + invocation.index;
    if (index < arrayLength(&gradient)) {
        // Beyond the rows that there are, the gradient is 0.
        var sum = 0.0;
        if (index < slice_numbers()) {
            sum = sum_of_slices(index);
        }
        gradient[index] = finished(vec4(sum)).x;
    }
    if (finish.last == 1u && index == 0u) {
        totals.sequence += 1u;
    }
}
