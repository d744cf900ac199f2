// The gradient of chosen pairs, not finished: gradient/choices.wgsl.

// #include "shared/group.wgsl"
// #include "shared/numbers.wgsl"
// #include "gradient/choices.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let first = first_row(group);
    if (first >= row_count() || (stripe.portion > 0u && portion_begin() >= sizes.queries)) {
        return;
    }
    look_for_choosers(first, invocation.index);
    let place = place_of(first, group, invocation);
    if (place.row >= row_count() || place.vector >= stripe.vectors) {
        return;
    }
    var sum = sum_at(place);
    if (stripe.portion > 0u) {
        sum += stored(place);
    }
    store(place, sum);
}
