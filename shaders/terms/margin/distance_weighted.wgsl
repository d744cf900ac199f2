// Margin loss of Wu et al. over all positive pairs and as many drawn negative ones: the term is in
// terms/margin/term.wgsl.
//
// For the positive of rank r of anchor i, a negative at distance d is drawn with the weight
//
//   log w = (2 - D) log d + ((3 - D) / 2) log(1 - d^2 / 4)
//
// less the row's maximum, with d at least NEAREST. At FARTHEST and beyond w is 0, but where all
// negatives are there, it is 1 for all of them. The negative is drawn by the inverse of the
// cumulative sum of the weights in the order of the columns: it is the first whose sum is greater
// than u(seed, i, r) times the whole sum, u from terms/margin/random.wgsl. There i is the row of the
// whole batch, where ranks share one.
//
// The invocations own consecutive segments of the columns, whose sums are summed up; a draw finds
// its segment by bisection, then walks it. How often a column was drawn is counted in its
// coefficient, until the last sweep makes one of it: here those are words. Anchors of more
// positives than PORTION draw in as many dispatches as it takes.
// One workgroup per row.

// #include "terms/row.wgsl"
// #include "shared/reduce_extremes.wgsl"
// #include "terms/margin/term.wgsl"
// #include "terms/margin/random.wgsl"

struct Parameters {
    alpha: f32,
    seed: u32,
    low: f32,
    high: f32,
    given: u32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

// The bits of the coefficients, which terms/coefficients.wgsl declares as f32.
@group(0) @binding(5) var<storage, read_write> coefficients: array<atomic<u32>>;

const NEAREST = 0.5;
const FARTHEST = 1.4;

// Draws of a dispatch: so many that its loops, which grow with the columns, are not stopped
// (src/gpu/cut/loops.rs).
override PORTION: u32 = 16u * WORKGROUP;

// Segments are summed up in blocks of 16, at most 16 of them.
const BLOCK = 16u;

// The weight of a row's segments up to and with each.
var<workgroup> cumulative: array<f32, MOST_INVOCATIONS>;
var<workgroup> before_block: array<f32, BLOCK>;

fn log_weight(at: f32) -> f32 {
    let d = max(at, NEAREST);
    let dimensions = f32(stripe.dimensions);
    return (2.0 - dimensions) * log(d) + 0.5 * (3.0 - dimensions) * log(1.0 - 0.25 * d * d);
}

// A row's negatives as the draws see them.
struct Negatives {
    any_is_near: bool,
    largest_log_weight: f32,
    // One of positive weight, NOWHERE when there is no negative.
    some: u32,
}

fn negatives_from(extremes: Extremes) -> Negatives {
    let any_is_near = extremes.farthest.column != NOWHERE;
    let some = select(extremes.nearest.column, extremes.farthest.column, any_is_near);
    return Negatives(any_is_near, extremes.farthest.value, some);
}

fn weight(i: u32, row: u32, j: u32, negatives: Negatives) -> f32 {
    if (relation(i, j) != NEGATIVE) {
        return 0.0;
    }
    let d = distance_at(row * stripe.stride + j);
    if (!negatives.any_is_near) {
        return 1.0;
    }
    if (d >= FARTHEST) {
        return 0.0;
    }
    return exp(log_weight(d) - negatives.largest_log_weight);
}

// `cumulative` becomes the sums of `own` up to and with each invocation. They never fall, and rise
// only where `own` is not 0, whatever is rounded: within a block all are one chain of additions,
// and a block begins where the one before it ends.
fn sum_up_segments(own: f32, invocation: Invocation) {
    cumulative[invocation.index] = own;
    workgroupBarrier();
    if (invocation.index < WORKGROUP / BLOCK) {
        for (var k = invocation.index * BLOCK + 1u; k < (invocation.index + 1u) * BLOCK; k++) {
            cumulative[k] += cumulative[k - 1u];
        }
    }
    workgroupBarrier();
    if (invocation.index == 0u) {
        before_block[0] = 0.0;
        for (var k = 1u; k < WORKGROUP / BLOCK; k++) {
            before_block[k] = before_block[k - 1u] + cumulative[k * BLOCK - 1u];
        }
    }
    workgroupBarrier();
    cumulative[invocation.index] += before_block[invocation.index / BLOCK];
    workgroupBarrier();
}

// The first segment whose sum is greater than `threshold`, the last one where none is.
fn segment_of(threshold: f32) -> u32 {
    var segment = 0u;
    for (var width = WORKGROUP / 2u; width > 0u; width >>= 1u) {
        segment += select(0u, width, cumulative[segment + width - 1u] <= threshold);
    }
    return segment;
}

// The negative that the positive of this rank draws. Its weight is positive: a column is taken only
// when it has one, and where rounding leaves none it is `negatives.some`.
fn draw(i: u32, row: u32, rank: u32, segment_size: u32, negatives: Negatives) -> u32 {
    let key = vec3(parameters.seed, stripe.first_row + i, rank);
    let threshold = uniform_number(key) * cumulative[WORKGROUP - 1u];
    let segment = segment_of(threshold);
    var sum = 0.0;
    if (segment > 0u) {
        sum = cumulative[segment - 1u];
    }
    var drawn = negatives.some;
    let begin = segment * segment_size;
    for (var j = begin; j < min(begin + segment_size, sizes.references); j++) {
        let own = weight(i, row, j, negatives);
        sum += own;
        if (own > 0.0) {
            drawn = j;
            if (sum > threshold) {
                break;
            }
        }
    }
    return drawn;
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    let first = stripe.portion * PORTION;
    var pairs: Pairs;
    // The heaviest negative is the one whose log-weight is the farthest up.
    var seen = Extremes(NO_EXTREME, NO_EXTREME);
    for (var j = invocation.index; j < stripe.stride; j += WORKGROUP) {
        let kind = relation(i, j);
        if (kind != NO_PAIR) {
            let d = distance_at(row * stripe.stride + j);
            see_pair(&pairs, kind, d);
            if (kind == NEGATIVE) {
                seen.nearest = nearer(seen.nearest, Extreme(d, j));
                if (d < FARTHEST) {
                    seen.farthest = farther(seen.farthest, Extreme(log_weight(d), j));
                }
            }
        }
        if (first == 0u) {
            atomicStore(&coefficients[row * stripe.stride + j], 0u);
        }
    }
    let counts = uniform_count(vec4(pairs.counts, 0u, 0u), invocation);
    if (first > 0u && first >= counts.x) {
        return;
    }
    let negatives = negatives_from(workgroup_extremes(seen, invocation));
    let draws = select(counts.x, 0u, negatives.some == NOWHERE);

    let segment_size = (sizes.references + WORKGROUP - 1u) / WORKGROUP;
    let begin = invocation.index * segment_size;
    var own = 0.0;
    for (var j = begin; j < min(begin + segment_size, sizes.references); j++) {
        own += weight(i, row, j, negatives);
    }
    sum_up_segments(own, invocation);
    storageBarrier();
    let end = min(first + PORTION, draws);
    for (var rank = first + invocation.index; rank < end; rank += WORKGROUP) {
        let drawn = draw(i, row, rank, segment_size, negatives);
        atomicAdd(&coefficients[row * stripe.stride + drawn], 1u);
    }
    storageBarrier();
    if (first + PORTION < counts.x) {
        return;
    }

    boundary = beta_of(i);
    var losses = vec2(0.0);
    var counted = vec2(0u);
    var steep = vec2(0u);
    for (var j = invocation.index; j < stripe.stride; j += WORKGROUP) {
        let at = row * stripe.stride + j;
        let kind = relation(i, j);
        var c = 0.0;
        if (kind != NO_PAIR) {
            let d = distance_at(at);
            if (kind == POSITIVE) {
                let hinge = positive_hinges(vec4(d));
                let is_steep = are_steep(hinge).x;
                losses.x += terms_of(hinge).x;
                counted.x += select(0u, 1u, are_counted(hinge).x);
                steep.x += select(0u, 1u, is_steep);
                c = coefficient(select(0.0, 1.0, is_steep), d);
            } else {
                let times = atomicLoad(&coefficients[at]);
                let hinge = negative_hinges(vec4(d));
                let is_steep = are_steep(hinge).x;
                losses.y += f32(times) * terms_of(hinge).x;
                counted.y += select(0u, times, are_counted(hinge).x);
                steep.y += select(0u, times, is_steep);
                c = coefficient(select(0.0, -f32(times), is_steep), d);
            }
        }
        atomicStore(&coefficients[at], bitcast<u32>(c));
    }
    let sums = workgroup_sum(vec4(losses, pairs.distances), invocation);
    let within = workgroup_count(vec4(counted, steep), invocation);
    if (invocation.index == 0u) {
        var summary = row_of_pairs(sums.zw, counts.xy);
        summary.loss = sums.x;
        summary.negative_loss = sums.y;
        summary.nonzero_positives = within.x;
        summary.nonzero_negatives = within.y;
        summary.terms.x = counts.x + draws;
        summary.nonzero.x = within.x + within.y;
        summary.learned_slopes.x = f32(i32(within.w) - i32(within.z));
        rows[i] = summary;
    }
}
