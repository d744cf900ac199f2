// The distances of listed pairs, by direct differences.
//
//   left       N x vectors   points of the queries
//   right      M x vectors   points of the references (of one set: the same)
//   norms      N, M          0 for rows of norm 0
//   pairs      E x 2         the rows of every pair; ROW_ALIGNED: unused, pair e is row e of both
//   distances  E             written
//
// A workgroup computes 16 pairs, with 16 invocations along the dimensions of each.
// Cost per pair: D subtractions and D multiply-adds, twice as many reads for the Euclidean
// distance, which takes every pair at its own scale: its squares then neither overflow nor vanish.
// Memory-bound: 8 D bytes a pair.

// #include "shared/group.wgsl"
// #include "shared/numbers.wgsl"
// #include "shared/distance.wgsl"
// #include "shared/stripe.wgsl"

@group(0) @binding(1) var<storage, read> left: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> right: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> left_norms: array<f32>;
@group(0) @binding(4) var<storage, read> right_norms: array<f32>;
@group(0) @binding(5) var<storage, read> pairs: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read_write> distances: array<f32>;
@group(0) @binding(7) var<uniform> sizes: Sizes;

override ROW_ALIGNED: u32 = 0u;

const LANES = 16u;
const PAIRS_PER_GROUP = 16u;

var<workgroup> exponents: array<u32, PAIRS_PER_GROUP * LANES>;
var<workgroup> parts: array<f32, PAIRS_PER_GROUP * LANES>;

// The largest exponent of the pair's differences.
fn pair_exponent(pair: vec2<u32>, invocation: Invocation) -> u32 {
    var largest = 0u;
    for (var k = invocation.index % LANES; k < stripe.vectors; k += LANES) {
        let apart = abs(left[pair.x * stripe.vectors + k] - right[pair.y * stripe.vectors + k]);
        largest = max(largest, exponent_of(max(max(apart.x, apart.y), max(apart.z, apart.w))));
    }
    exponents[invocation.index] = largest;
    workgroupBarrier();
    for (var width = LANES / 2u; width > 0u; width >>= 1u) {
        if (invocation.index % LANES < width) {
            let other = exponents[invocation.index + width];
            exponents[invocation.index] = max(exponents[invocation.index], other);
        }
        workgroupBarrier();
    }
    return exponents[invocation.index - invocation.index % LANES];
}

// The sum of the parts of the pair scaled by a power of two.
fn pair_sum(pair: vec2<u32>, scale: f32, invocation: Invocation) -> f32 {
    var sum = 0.0;
    for (var k = invocation.index % LANES; k < stripe.vectors; k += LANES) {
        let x = left[pair.x * stripe.vectors + k];
        let y = right[pair.y * stripe.vectors + k];
        sum = with_scaled_part(sum, x, y, scale);
    }
    parts[invocation.index] = sum;
    workgroupBarrier();
    for (var width = LANES / 2u; width > 0u; width >>= 1u) {
        if (invocation.index % LANES < width) {
            parts[invocation.index] += parts[invocation.index + width];
        }
        workgroupBarrier();
    }
    return parts[invocation.index];
}

// Scaled after the subtraction: near rows may be far from the origin.
fn with_scaled_part(sum: f32, x: vec4<f32>, y: vec4<f32>, scale: f32) -> f32 {
    if (DISTANCE == EUCLIDEAN) {
        let difference = (x - y) * scale;
        return with_products(sum, difference, difference);
    }
    return with_part(sum, x, y);
}

@compute @workgroup_size(PAIRS_PER_GROUP * LANES)
fn main(group: Group, invocation: Invocation) {
    let entry = number_on_stripe(group) * PAIRS_PER_GROUP + invocation.index / LANES;
    // Those beyond the list work on its last pair and write nothing: barriers need everyone.
    let at = min(entry, sizes.pairs - 1u);
    var pair = vec2(at);
    if (ROW_ALIGNED == 0u) {
        pair = pairs[at];
    }
    var scale = 1.0;
    var unscale = 1.0;
    if (DISTANCE == EUCLIDEAN) {
        let exponent = pair_exponent(pair, invocation);
        scale = scale_for(exponent);
        unscale = inverse_scale_for(exponent);
    }
    let sum = pair_sum(pair, scale, invocation);
    if (invocation.index % LANES == 0u && entry < sizes.pairs) {
        var zero_row = false;
        if (DISTANCE == COSINE) {
            zero_row = left_norms[pair.x] == 0.0 || right_norms[pair.y] == 0.0;
        }
        distances[entry] = distance_from(sum, unscale, zero_row);
    }
}
