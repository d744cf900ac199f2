// CoSENT over a list of scored pairs. With the distance d and the target t of every pair,
//
//   loss = log(1 + exp(L))    L = log sum exp(scale (d_b - d_a))    over all (a, b) with t_a < t_b
//
// and with what the pair r meets,
//
//   with lower    v(r) = log sum_{t_a < t_r} exp(scale (d_r - d_a))
//   with higher   u(r) = log sum_{t_b > t_r} exp(scale (d_b - d_r))
//   slope of d_r  (exp(v(r) - L) - exp(u(r) - L)) / (1 + exp(-L))    times scale, which comes later
//
// The pairs stand in the order of their targets, 1,024 in a row of the list. Of all places before
// those of a target, and of all behind, a scan knows the log-sum-exp:
//
//   scan   of every place, over the places of its row up to it, and from it on
//   carry  of every row, over the rows before it, and behind it; one workgroup
//   share  what every pair meets, and what the pairs of a row meet together
//   main   of what all rows meet the loss and the slopes
//
//   keys          E             of the pairs, in the order of their targets: prepare/list.wgsl
//   order         E             the pairs by their keys: incidence/digits.wgsl
//   coefficients  rows x 1,024  written
//   levels        rows x 1,026  of every place; of every row; of what the pairs of every row meet
//
// One workgroup per row but in `carry`.

// #include "shared/group.wgsl"
// #include "shared/distance.wgsl"
// #include "shared/exponential.wgsl"
// #include "shared/numbers.wgsl"
// #include "shared/stripe.wgsl"
// #include "shared/summary.wgsl"
// #include "shared/reduce.wgsl"
// #include "terms/coefficients.wgsl"

struct Parameters {
    scale: f32,
}

// A log-sum-exp of rate times height, rate top + log(sum): no summand is above exp(0), and nothing
// overflows.
struct Level {
    top: f32,  // the largest height
    sum: f32,  // of exp(rate (height - top)); 0 of nothing
}

struct Levels {
    lower: Level,
    higher: Level,
}

const NOTHING = Level(0.0, 0.0);

// What a pair meets that meets none: its exponential is 0. Others meet no less than half of it.
const LEAST = -0x1p127f;

@group(0) @binding(1) var<uniform> parameters: Parameters;
@group(0) @binding(2) var<storage, read> keys: array<u32>;
@group(0) @binding(3) var<storage, read> order: array<u32>;
@group(0) @binding(4) var<storage, read> distances: array<f32>;
@group(0) @binding(6) var<storage, read_write> rows: array<Row>;
@group(0) @binding(7) var<storage, read_write> levels: array<Levels>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

const STRIDE = 1024u;  // pairs of a row

var<workgroup> scanned: array<Levels, MOST_INVOCATIONS>;
var<workgroup> met: array<vec2<f32>, STRIDE>;

fn combined(rate: f32, a: Level, b: Level) -> Level {
    if (a.sum == 0.0) {
        return b;
    }
    if (b.sum == 0.0) {
        return a;
    }
    let small = exp(-rate * abs(a.top - b.top));
    let sum = select(a.sum * small + b.sum, a.sum + b.sum * small, a.top >= b.top);
    return Level(max(a.top, b.top), sum);
}

// Both levels, with another height in each.
fn with_heights(rate: f32, both: Levels, lower: f32, higher: f32) -> Levels {
    return Levels(
        combined(rate, both.lower, Level(lower, 1.0)),
        combined(rate, both.higher, Level(higher, 1.0)),
    );
}

// Leaves in `scanned` the lower levels of all invocations up to each, and the higher ones from each
// on. Every round takes in what stands a power of two away.
fn scan_levels(rate: f32, own: Levels, invocation: Invocation) {
    var both = own;
    scanned[invocation.index] = both;
    workgroupBarrier();
    for (var reach = 1u; reach < WORKGROUP; reach <<= 1u) {
        var before = NOTHING;
        var behind = NOTHING;
        if (invocation.index >= reach) {
            before = scanned[invocation.index - reach].lower;
        }
        if (invocation.index + reach < WORKGROUP) {
            behind = scanned[invocation.index + reach].higher;
        }
        workgroupBarrier();
        both = Levels(combined(rate, before, both.lower), combined(rate, both.higher, behind));
        scanned[invocation.index] = both;
        workgroupBarrier();
    }
}

// The lower level of all invocations before this one, and the higher level of all behind it.
fn around(invocation: Invocation) -> Levels {
    var both = Levels(NOTHING, NOTHING);
    if (invocation.index > 0u) {
        both.lower = scanned[invocation.index - 1u].lower;
    }
    if (invocation.index + 1u < WORKGROUP) {
        both.higher = scanned[invocation.index + 1u].higher;
    }
    return both;
}

// Where the levels of rows stand, and those of what their pairs meet.
fn row_at(row: u32) -> u32 {
    return stripe.rows * STRIDE + row;
}

fn met_at(row: u32) -> u32 {
    return row_at(stripe.rows + row);
}

// Every invocation has neighbouring places.
@compute @workgroup_size(WORKGROUP)
fn scan(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe.rows) {
        return;
    }
    let rate = parameters.scale;
    let first = row * STRIDE + invocation.index * (STRIDE / WORKGROUP);
    let end = max(min(first + STRIDE / WORKGROUP, sizes.pairs), first);
    var own = Levels(NOTHING, NOTHING);
    for (var place = first; place < end; place++) {
        let d = distances[order[place]];
        own = with_heights(rate, own, -d, d);
    }
    scan_levels(rate, own, invocation);
    var both = around(invocation);
    for (var place = first; place < end; place++) {
        both.lower = combined(rate, both.lower, Level(-distances[order[place]], 1.0));
        levels[place].lower = both.lower;
    }
    for (var place = end; place > first; place--) {
        both.higher = combined(rate, Level(distances[order[place - 1u]], 1.0), both.higher);
        levels[place - 1u].higher = both.higher;
    }
}

// The levels of a whole row.
fn levels_of_row(row: u32) -> Levels {
    let first = row * STRIDE;
    if (first >= sizes.pairs) {
        return Levels(NOTHING, NOTHING);
    }
    return Levels(levels[min(first + STRIDE, sizes.pairs) - 1u].lower, levels[first].higher);
}

// Every invocation has neighbouring rows.
@compute @workgroup_size(WORKGROUP)
fn carry(invocation: Invocation) {
    let rate = parameters.scale;
    let count = (stripe.rows + WORKGROUP - 1u) / WORKGROUP;
    let first = min(invocation.index * count, stripe.rows);
    let end = min(first + count, stripe.rows);
    var own = Levels(NOTHING, NOTHING);
    for (var row = first; row < end; row++) {
        let of_row = levels_of_row(row);
        own.lower = combined(rate, own.lower, of_row.lower);
        own.higher = combined(rate, own.higher, of_row.higher);
    }
    scan_levels(rate, own, invocation);
    var both = around(invocation);
    for (var row = first; row < end; row++) {
        levels[row_at(row)].lower = both.lower;
        both.lower = combined(rate, both.lower, levels_of_row(row).lower);
    }
    for (var row = end; row > first; row--) {
        levels[row_at(row - 1u)].higher = both.higher;
        both.higher = combined(rate, levels_of_row(row - 1u).higher, both.higher);
    }
}

// How many places have a lower key.
fn places_below(key: u32) -> u32 {
    var low = 0u;
    var high = sizes.pairs;
    while (low < high) {
        let middle = (low + high) / 2u;
        if (keys[order[middle]] < key) {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    return low;
}

// The level of all places before one, and that of all from one on.
fn level_before(place: u32) -> Level {
    if (place == 0u) {
        return NOTHING;
    }
    let last = place - 1u;
    return combined(parameters.scale, levels[row_at(last / STRIDE)].lower, levels[last].lower);
}

fn level_behind(place: u32) -> Level {
    if (place >= sizes.pairs) {
        return NOTHING;
    }
    let row = row_at(place / STRIDE);
    return combined(parameters.scale, levels[place].higher, levels[row].higher);
}

// The log-sum-exp of a level over a height.
fn over(level: Level, height: f32) -> f32 {
    let apart = parameters.scale * (level.top - height) + log(level.sum);
    return select(max(apart, 0.5 * LEAST), LEAST, level.sum == 0.0);
}

// What a pair meets with lower targets, and with higher ones. Where the distance is beyond f32, or
// NaN of summands that are, both are infinite, and so is the loss.
fn met_by(pair: u32) -> vec2<f32> {
    let key = keys[pair];
    let d = distances[pair];
    if (!is_finite(d)) {
        return vec2(bitcast<f32>(bitcast<u32>(d) & EXPONENT_BITS));
    }
    // Keys of finite numbers are below the largest u32.
    let lower = level_before(places_below(key));
    let higher = level_behind(places_below(key + 1u));
    return vec2(over(lower, -d), over(higher, d));
}

// The largest of what the pairs of a row meet.
fn top_of(both: Levels) -> f32 {
    let top = max(both.lower.top, both.higher.top);
    return select(
        select(top, both.lower.top, both.higher.sum == 0.0),
        both.higher.top,
        both.lower.sum == 0.0,
    );
}

@compute @workgroup_size(WORKGROUP)
fn share(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe.rows) {
        return;
    }
    var own = Levels(NOTHING, NOTHING);
    for (var k = invocation.index; k < STRIDE; k += WORKGROUP) {
        let place = row * STRIDE + k;
        if (place < sizes.pairs) {
            let found = met_by(order[place]);
            met[k] = found;
            own = with_met(own, found);
        }
    }
    scan_levels(1.0, own, invocation);
    let both = Levels(scanned[WORKGROUP - 1u].lower, scanned[0].higher);
    if (invocation.index == 0u) {
        levels[met_at(row)] = both;
    }
    let top = top_of(both);
    for (var k = invocation.index; k < STRIDE; k += WORKGROUP) {
        let place = row * STRIDE + k;
        if (place < sizes.pairs) {
            let parts = exp(met[k] - vec2(top));
            coefficients[order[place]] = parts.x - parts.y;
        }
    }
}

// Both levels, with what a pair meets, if it meets any.
fn with_met(both: Levels, found: vec2<f32>) -> Levels {
    let next = with_heights(1.0, both, found.x, found.y);
    var kept = both;
    if (found.x > LEAST) {
        kept.lower = next.lower;
    }
    if (found.y > LEAST) {
        kept.higher = next.higher;
    }
    return kept;
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe.rows) {
        return;
    }
    var own = Levels(NOTHING, NOTHING);
    for (var k = invocation.index; k < stripe.rows; k += WORKGROUP) {
        own.lower = combined(1.0, own.lower, levels[met_at(k)].lower);
    }
    scan_levels(1.0, own, invocation);
    let total = scanned[WORKGROUP - 1u].lower;
    let has_terms = total.sum > 0.0;
    let spread = log(select(1.0, total.sum, has_terms));
    // Neither is above the level of all.
    let behind = min(top_of(levels[met_at(row)]) - total.top - spread, 0.0);
    let factor = select(0.0, sigmoid(total.top + spread) * exp(behind), has_terms);
    for (var k = invocation.index; k < STRIDE; k += WORKGROUP) {
        let place = row * STRIDE + k;
        if (place < sizes.pairs) {
            let pair = order[place];
            coefficients[pair] = coefficient(factor * coefficients[pair], distances[pair]);
        }
    }
    if (invocation.index == 0u) {
        var summary: Row;
        if (row == 0u && has_terms) {
            summary.loss = total.top;
            if (is_finite(total.top)) {
                summary.loss = softplus(total.top + spread);
            }
            summary.terms.x = 1u;
            summary.nonzero.x = 1u;
        }
        rows[row] = summary;
    }
}
