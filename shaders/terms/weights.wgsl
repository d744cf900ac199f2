// The weights w(i) of anchors, which multiply their terms. They stand behind the numbers that the
// loss learns, one for each row that is planned.
//
// A loss whose coefficients are of both ends of a pair gives each its weight itself: it is WEIGHTED.
// terms/weigh.wgsl does it for the others.

// #include "terms/row.wgsl"

override WEIGHTED: u32 = 0u;

fn weight_of(i: u32) -> f32 {
    return learned[arrayLength(&learned) - arrayLength(&rows) + i];
}

// A number of anchor i's own.
fn weighed(i: u32, number: f32) -> f32 {
    if (WEIGHTED == 1u) {
        return weight_of(i) * number;
    }
    return number;
}

// The row of an anchor, of which only what its terms add up to is weighed.
fn weighed_row(row: Row, weight: f32) -> Row {
    var weighed = row;
    weighed.loss *= weight;
    weighed.negative_loss *= weight;
    weighed.learned_slopes *= weight;
    return weighed;
}
