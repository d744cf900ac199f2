// The gradient of chosen pairs, not finished: shared/chosen.wgsl.

// #include "shared/group.wgsl"
// #include "shared/numbers.wgsl"
// #include "shared/chosen.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(group: Group) {
    let first = first_row(group);
    if (first >= row_count() || (stripe.portion > 0u && portion_begin() >= sizes.queries)) {
        return;
    }
    look_for_choosers(first, group.local);
    let place = place_of(first, group);
    if (place.row >= row_count() || place.vector >= stripe.vectors) {
        return;
    }
    var sum = sum_at(place);
    if (stripe.portion > 0u) {
        sum += stored(place);
    }
    store(place, sum);
}
