// The cross-entropy over classes of which the nearest centre stands for the class: of equals the
// first. The scale is an input. The sums and the coefficients are in terms/classes.wgsl.

// #include "terms/classes.wgsl"

fn loss_scale() -> f32 {
    return learned[0];
}

fn nearest_center(row: u32, first: u32) -> Extreme {
    var nearest = NO_EXTREME;
    for (var column = first; column < first + parameters.centers; column++) {
        nearest = nearer(nearest, Extreme(distance_at(row * stripe.stride + column), column));
    }
    return nearest;
}

fn distance_of_centers(row: u32, first: u32) -> f32 {
    return nearest_center(row, first).value;
}

fn share_of_center(row: u32, column: u32, first: u32) -> f32 {
    return select(0.0, 1.0, column == nearest_center(row, first).column);
}
