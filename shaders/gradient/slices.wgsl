// The gradient of a stripe's owners from its slices (gradient/adding.wgsl), not finished.

// #include "gradient/adding.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let index = number_on_stripe(group) * WORKGROUP + invocation.index;
    if (index < slice_numbers()) {
        gradient[owners().first * stripe.dimensions + index] = sum_of_slices(index);
    }
}
