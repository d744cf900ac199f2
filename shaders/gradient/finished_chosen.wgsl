// The gradient of chosen pairs (gradient/choices.wgsl), scaled at once (gradient/scaling.wgsl): of
// one portion.

// #include "shared/group.wgsl"
// #include "shared/numbers.wgsl"
// #include "gradient/choices.wgsl"
// #include "gradient/scaling.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let first = first_row(group);
    if (first < row_count()) {
        look_for_choosers(first, invocation.index);
    }
    let place = place_of(first, group, invocation);
    if (place.row < arrayLength(&gradient) / stripe.dimensions && place.vector < stripe.vectors) {
        var sum = vec4(0.0);
        if (place.row < row_count()) {
            sum = sum_at(place);
        }
        // Beyond the rows that there are, the gradient is 0.
        store(place, finished(sum));
    }
    if (finish.last == 1u && place.row == 0u && place.vector == 0u) {
        totals.sequence += 1u;
    }
}
