// One triplet per anchor with a positive and a negative:
//
//   positive  HARD the farthest, EASY the nearest
//   negative  HARD the nearest, EASY the farthest, SEMI_HARD the nearest that is farther than the
//             positive, or where there is none the farthest
//
// The term is in terms/triplet/term.wgsl.
// One workgroup per row; one read of its distances (SEMI_HARD two), one write of its choice.

// #include "terms/row.wgsl"
// #include "shared/choice.wgsl"
// #include "shared/reduce_extremes.wgsl"
// #include "shared/exponential.wgsl"
// #include "terms/triplet/term.wgsl"

// As the host numbers them: src/loss/choice/mining.rs.
const EASY = 0u;
const SEMI_HARD = 1u;
const HARD = 2u;

// Of all N anchors, in the place of a stripe of coefficients.
@group(0) @binding(5) var<storage, read_write> choices: array<Choice>;

override POSITIVE_DIFFICULTY: u32 = HARD;
override NEGATIVE_DIFFICULTY: u32 = HARD;

// The chosen positive has the largest key, the chosen negative the smallest. A key is a distance or
// its negative.
fn positive_keys(d: vec4<f32>) -> vec4<f32> {
    return select(-d, d, POSITIVE_DIFFICULTY == HARD);
}

fn negative_keys(d: vec4<f32>) -> vec4<f32> {
    return select(-d, d, NEGATIVE_DIFFICULTY == HARD);
}

// The nearest negative farther than d.
fn nearest_negative_beyond(i: u32, row: u32, least: f32, invocation: Invocation) -> Extreme {
    var beyond = NO_EXTREME;
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let kinds = relations(i, quad);
        let d = distances_of(row, quad, kinds);
        beyond = nearest_of(beyond, (kinds == vec4(NEGATIVE)) & (d > vec4(least)), d, 4u * quad);
    }
    return workgroup_extremes(Extremes(beyond, NO_EXTREME), invocation).nearest;
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    var pairs: Pairs;
    var seen = Extremes(NO_EXTREME, NO_EXTREME);
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let kinds = relations(i, quad);
        let d = distances_of(row, quad, kinds);
        see_pairs(&pairs, kinds, d);
        seen.farthest = farthest_of(
            seen.farthest, kinds == vec4(POSITIVE), positive_keys(d), 4u * quad,
        );
        seen.nearest = nearest_of(
            seen.nearest, kinds == vec4(NEGATIVE), negative_keys(d), 4u * quad,
        );
    }
    let sums = workgroup_sum(vec4(pairs.distances, 0.0, 0.0), invocation);
    let counts = workgroup_count(vec4(pairs.counts, 0u, 0u), invocation);
    let extremes = workgroup_extremes(seen, invocation);
    let positive = Extreme(
        positive_keys(vec4(extremes.farthest.value)).x, extremes.farthest.column,
    );
    var negative = Extreme(negative_keys(vec4(extremes.nearest.value)).x, extremes.nearest.column);
    if (NEGATIVE_DIFFICULTY == SEMI_HARD) {
        let beyond = nearest_negative_beyond(i, row, positive.value, invocation);
        if (beyond.column != NOWHERE) {
            negative = beyond;
        }
    }
    if (invocation.index == 0u) {
        var choice = Choice(NOWHERE, NOWHERE, 0.0, 0.0);
        var summary = row_of_pairs(sums.xy, counts.xy);
        if (positive.column != NOWHERE && negative.column != NOWHERE) {
            summary.loss = triplet_term(positive.value, negative.value);
            summary.terms.x = 1u;
            summary.nonzero.x = triplet_nonzero(positive.value, negative.value);
            let slope = triplet_slope(positive.value, negative.value);
            choice = Choice(
                positive.column, negative.column,
                coefficient(slope, positive.value), coefficient(-slope, negative.value),
            );
        }
        choices[i] = choice;
        rows[i] = summary;
    }
}
