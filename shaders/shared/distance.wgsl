// The distances: all that the kernels know of them. d(x, y) is finished from a sum of parts over
// the dimensions, and the gradient of a sum of distances is a sum of coefficient * direction.

// #include "shared/numbers.wgsl"

// As the host numbers them: src/loss/choice/distance.rs.
const EUCLIDEAN = 0u;
const SQUARED_EUCLIDEAN = 1u;
const MANHATTAN = 2u;
const COSINE = 3u;
const INNER_PRODUCT = 4u;
const SCORES = 5u;  // no distance: the matrix is given, as negated scores

override DISTANCE: u32 = EUCLIDEAN;

// The sum and what four dimensions add to it, in a chain: a multiply-add for each.
fn with_part(sum: f32, x: vec4<f32>, y: vec4<f32>) -> f32 {
    if (DISTANCE == INNER_PRODUCT) {
        return with_products(sum, x, y);
    }
    let difference = x - y;
    if (DISTANCE == MANHATTAN) {
        let apart = abs(difference);
        return sum + apart.x + apart.y + apart.z + apart.w;
    }
    return with_products(sum, difference, difference);
}

fn with_products(sum: f32, x: vec4<f32>, y: vec4<f32>) -> f32 {
    return sum + x.x * y.x + x.y * y.y + x.z * y.z + x.w * y.w;
}

// The distance from the sum. `unscale`: what Euclidean points were divided by. `zero_row`: one of
// the two rows has norm 0.
fn distance_from(sum: f32, unscale: f32, zero_row: bool) -> f32 {
    if (DISTANCE == EUCLIDEAN) {
        let d = sqrt(sum) * unscale;
        return select(d, 0.0, d < SMALLEST_NORMAL);
    }
    if (DISTANCE == INNER_PRODUCT) {
        return -sum;
    }
    if (DISTANCE == COSINE) {
        // On unit rows 1 - u.v = |u - v|^2 / 2, which keeps its digits for near-duplicates.
        return select(min(0.5 * sum, 2.0), 1.0, zero_row);
    }
    return sum;
}

// The coefficient of a pair from its slope dL/dd.
fn coefficient(slope: f32, d: f32) -> f32 {
    if (DISTANCE == EUCLIDEAN) {
        return select(slope / d, 0.0, d == 0.0);
    }
    if (DISTANCE == SQUARED_EUCLIDEAN) {
        return 2.0 * slope;
    }
    return slope;
}

// The same of four pairs.
fn coefficients_from(slopes: vec4<f32>, d: vec4<f32>) -> vec4<f32> {
    return vec4(
        coefficient(slopes.x, d.x),
        coefficient(slopes.y, d.y),
        coefficient(slopes.z, d.z),
        coefficient(slopes.w, d.w),
    );
}

// coefficient * direction(x, y) is the gradient of the pair with respect to x; for cosine, up to a
// multiple of x, which finish/gradient.wgsl takes out for all unit rows.
fn direction(x: vec4<f32>, y: vec4<f32>) -> vec4<f32> {
    return direction_sign() * direction_without_sign(x, y);
}

// A sum of many directions takes its sign at the end.
fn direction_without_sign(x: vec4<f32>, y: vec4<f32>) -> vec4<f32> {
    if (DISTANCE == INNER_PRODUCT) {
        return y;
    }
    if (DISTANCE == MANHATTAN) {
        return sign(x - y);
    }
    return x - y;
}

fn direction_sign() -> f32 {
    return select(1.0, -1.0, DISTANCE == INNER_PRODUCT);
}
