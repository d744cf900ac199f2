// FastAP loss: one less the average precision of an anchor's ranking, by a histogram of its
// distances. Each distance is shared between the two nearest of the centres l width, l = 0..BINS,
// linearly. With what the positives of an anchor have at centre l, p(l), and what its positives,
// its negatives and all its pairs have at the centres up to l, P(l), N(l) and H(l), per anchor with
// positives:
//
//   term  sum_l p(l) N(l) / H(l), over the number of positives
//
// A pair between the centres l and l + 1 has the slope, over the width and that number,
//
//   N(l + 1) / H(l + 1) - N(l) / H(l) * (H(l) - p(l)) / H(l)   of a positive
//   -p(l) / H(l) * P(l) / H(l)                                  of a negative
//
// and 0 exactly at a centre. 1 / width is applied with the reduction. Neither has a difference of
// what is nearly equal: H(l) - p(l) is H(l - 1) and what negatives have at l.
//
// Shares are added up as integers, of 2^24 for 1: in any order the same.
// One workgroup per row; two reads of its distances, one write of its coefficients.

// #include "terms/row.wgsl"
// #include "terms/coefficient_quads.wgsl"

struct Parameters {
    bins: u32,
    inverse_width: f32,
    farthest: f32,      // what no distance is beyond, but by its rounding
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

const MOST_CENTRES = 256u;
const WHOLE = 0x1p24f;

// Of every centre, the low and the high word of what positives and what negatives have there.
var<workgroup> shares: array<atomic<u32>, 4u * MOST_CENTRES>;

// The slopes of a positive and of a negative beyond every centre.
var<workgroup> slopes: array<vec2<f32>, MOST_CENTRES>;

// Where a distance is: so many widths beyond the first centre.
fn place_of(d: f32) -> f32 {
    return clamp(d, 0.0, parameters.farthest) * parameters.inverse_width;
}

// The last centre at or before a place. Rounding may take places beyond the last centre.
fn centre_of(place: f32) -> u32 {
    return min(u32(place), parameters.bins);
}

// How far a place is beyond its centre; never beyond the last.
fn part_beyond(place: f32, centre: u32) -> f32 {
    return select(min(place - f32(centre), 1.0), 0.0, centre == parameters.bins);
}

fn add_share(centre: u32, kind: u32, share: u32) {
    let at = 4u * centre + select(0u, 2u, kind == NEGATIVE);
    let before = atomicAdd(&shares[at], share);
    if (before + share < before) {
        atomicAdd(&shares[at + 1u], 1u);
    }
}

fn add_pair(kind: u32, d: f32) {
    if (kind == NO_PAIR) {
        return;
    }
    let place = place_of(d);
    let centre = centre_of(place);
    let beyond = u32(part_beyond(place, centre) * WHOLE);
    add_share(centre, kind, u32(WHOLE) - beyond);
    if (beyond > 0u) {
        add_share(centre + 1u, kind, beyond);
    }
}

fn share_at(centre: u32) -> vec2<f32> {
    let at = 4u * centre;
    let low = vec2(f32(atomicLoad(&shares[at])), f32(atomicLoad(&shares[at + 2u])));
    let high = vec2(f32(atomicLoad(&shares[at + 1u])), f32(atomicLoad(&shares[at + 3u])));
    return high * (0x1p32f / WHOLE) + low / WHOLE;
}

// Of a whole that may be nothing, and is no less than the least share else.
fn ratio(part: f32, whole: f32) -> f32 {
    return select(0.0, part / max(whole, 1.0 / WHOLE), whole > 0.0);
}

// Fills `slopes` and gives the sum over the centres.
fn rank() -> f32 {
    var sum = 0.0;
    var before = vec2(0.0);     // P and N up to the last centre
    var of_last = vec2(0.0);    // a positive's and a negative's slope without the next centre
    for (var centre = 0u; centre <= parameters.bins; centre += 1u) {
        let share = share_at(centre);
        let up_to = before + share;
        let all = up_to.x + up_to.y;
        let negatives = ratio(up_to.y, all);
        sum += share.x * negatives;
        if (centre > 0u) {
            slopes[centre - 1u] = vec2(negatives - of_last.x, -of_last.y);
        }
        of_last = vec2(
            negatives * ratio(before.x + before.y + share.y, all),
            ratio(share.x, all) * ratio(up_to.x, all),
        );
        before = up_to;
    }
    return sum;
}

fn slope(kind: u32, d: f32) -> f32 {
    let place = place_of(d);
    let centre = centre_of(place);
    if (kind == NO_PAIR || part_beyond(place, centre) == 0.0) {
        return 0.0;
    }
    return select(slopes[centre].x, slopes[centre].y, kind == NEGATIVE);
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    let label = labels[i];
    for (var at = invocation.index; at < 4u * MOST_CENTRES; at += WORKGROUP) {
        atomicStore(&shares[at], 0u);
    }
    workgroupBarrier();
    var pairs: Pairs;
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let kinds = relations_of(i, label, quad);
        let d = distances_of(row, quad, kinds);
        see_pairs(&pairs, kinds, d);
        add_pair(kinds.x, d.x);
        add_pair(kinds.y, d.y);
        add_pair(kinds.z, d.z);
        add_pair(kinds.w, d.w);
    }
    let distances = workgroup_sum(vec4(pairs.distances, 0.0, 0.0), invocation).xy;
    let counts = workgroup_count(vec4(pairs.counts, 0u, 0u), invocation).xy;
    let weight = select(0.0, 1.0 / f32(counts.x), counts.x > 0u);
    if (invocation.index == 0u) {
        var summary = row_of_pairs(distances, counts);
        summary.loss = rank() * weight;
        summary.terms.x = select(0u, 1u, counts.x > 0u);
        summary.nonzero.x = select(0u, 1u, summary.loss > 0.0);
        rows[i] = summary;
    }
    workgroupBarrier();
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let kinds = relations_of(i, label, quad);
        let d = distances_of(row, quad, kinds);
        let all = vec4(
            slope(kinds.x, d.x), slope(kinds.y, d.y), slope(kinds.z, d.z), slope(kinds.w, d.w),
        );
        coefficients[row * quads() + quad] = coefficients_from(weight * all, d);
    }
}
