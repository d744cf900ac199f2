// What kernels of a matrix of distances have in common: what they are given, the distances of pairs
// that are too near for a sum, and how they are stored.

// #include "shared/numbers.wgsl"
// #include "shared/state.wgsl"
// #include "shared/distance.wgsl"
// #include "shared/scaled.wgsl"
// #include "shared/stripe.wgsl"

@group(0) @binding(1) var<storage, read> left: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> right: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> left_norms: array<f32>;
@group(0) @binding(4) var<storage, read> right_norms: array<f32>;
@group(0) @binding(5) var<storage, read> state: array<u32, STATE_SIZE>;
@group(0) @binding(6) var<storage, read_write> distances: array<f32>;
@group(0) @binding(7) var<uniform> sizes: Sizes;

// Whether distances are expanded.
override EXPANDED: u32 = 0u;

// Below it a sum of squares, in a batch of ordinary size, may have lost parts that were too small
// for f32.
const TINY = 0x1p-80f;

// A squared distance below this share of |x|^2 + |y|^2 is not taken from them.
const NEAR_SHARE = 0x1p-4f;

// Beyond it |x|^2 + |y|^2 may be no number any more.
const LARGEST_SQUARE = 0x1p125f;

// The bits of what is beyond f32.
const INFINITE = 0x7f800000u;

// The loops over near pairs take 16 vec4s a round, because llvmpipe stops an invocation's loops,
// silently, after 65,535 rounds in all (src/gpu/cut/loops.rs).
const NEAR_STEP = 16u;

// Vec4 k of the difference of two rows, 0 beyond their end.
fn difference(i: u32, j: u32, k: u32) -> vec4<f32> {
    if (k >= stripe.vectors) {
        return vec4(0.0);
    }
    return left[i * stripe.vectors + k] - right[j * stripe.vectors + k];
}

fn largest_of_4(i: u32, j: u32, k: u32) -> vec4<f32> {
    return max(
        max(abs(difference(i, j, k)), abs(difference(i, j, k + 1u))),
        max(abs(difference(i, j, k + 2u)), abs(difference(i, j, k + 3u))),
    );
}

// `sum` and the squares of four vec4s, one after the other.
fn add_4_squares(sum: f32, i: u32, j: u32, k: u32, scale: f32) -> f32 {
    let a = difference(i, j, k) * scale;
    let b = difference(i, j, k + 1u) * scale;
    let c = difference(i, j, k + 2u) * scale;
    let d = difference(i, j, k + 3u) * scale;
    return sum + dot(a, a) + dot(b, b) + dot(c, c) + dot(d, d);
}

// The largest exponent in the difference of two rows.
fn exponent_between(i: u32, j: u32) -> u32 {
    var largest = vec4(0.0);
    for (var k = 0u; k < stripe.vectors; k += NEAR_STEP) {
        largest = max(largest, max(
            max(largest_of_4(i, j, k), largest_of_4(i, j, k + 4u)),
            max(largest_of_4(i, j, k + 8u), largest_of_4(i, j, k + 12u)),
        ));
    }
    return exponent_of(max(max(largest.x, largest.y), max(largest.z, largest.w)));
}

fn square_between(i: u32, j: u32, scale: f32) -> f32 {
    var sum = 0.0;
    for (var k = 0u; k < stripe.vectors; k += NEAR_STEP) {
        sum = add_4_squares(sum, i, j, k, scale);
        sum = add_4_squares(sum, i, j, k + 4u, scale);
        sum = add_4_squares(sum, i, j, k + 8u, scale);
        sum = add_4_squares(sum, i, j, k + 12u, scale);
    }
    return sum;
}

// The distance of two rows that are much nearer than the batch is large; the Euclidean one at a
// scale of its own.
fn near_distance(i: u32, j: u32) -> f32 {
    if (DISTANCE != EUCLIDEAN) {
        return distance_from(square_between(i, j, 1.0), 1.0, false);
    }
    let exponent = exponent_between(i, j);
    let sum = square_between(i, j, scale_for(exponent));
    return distance_from(sum, inverse_scale_for(exponent), false);
}

// The distance of a far pair, or of a near one, with the mark of it. What is beyond f32 stays so; 0
// is what it is, and near, since a mark would make a number of it that a slope is divided by.
fn marked(d: f32, is_far: bool) -> f32 {
    if (EXPANDED == 0u) {
        return d;
    }
    let bits = bitcast<u32>(d);
    return bitcast<f32>(select(bits & ~1u, min(bits | 1u, INFINITE), is_far && d > 0.0));
}

fn store(row: u32, column: u32, d: f32, is_mirrored: bool) {
    distances[row * stripe.stride + column] = d;
    if (is_mirrored) {
        distances[column * stripe.stride + row] = d;
    }
}

// Whether the stripe is the whole matrix of one batch.
fn is_symmetric() -> bool {
    return stripe.same_set == 1u && stripe_rows() == sizes.references;
}
