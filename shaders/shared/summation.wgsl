// The gradient from the coefficients of a stripe. TRANSPOSED = 0 gives the stripe's own rows i, over all columns j;
// TRANSPOSED = 1 adds what the stripe's rows i give to all columns j:
//
//   gradient_i  = sum_j C(i, j) direction(x_i, y_j)
//   gradient_j += sum_i C(i, j) direction(y_j, x_i)
//
// with the direction of shared/distance.wgsl.
//
// JOINED = 1, where the stripe is the whole matrix of one batch, gives both at once: C(i, j) + C(j, i) in the place of C(i, j).
//
// TRIANGLE = 1, in one batch, takes every pair once, for both its rows: by rows only the columns j up to the stripe's own end,
// transposed only for the rows j before the stripe, onto what their own stripes gave them.
//
//   own           points of the rows that the gradient is for (queries, or transposed the references)
//   other         points of the rows it is summed over
//   coefficients  rows x stride
//   gradient      rows of `own` x D, tight
//
// A workgroup computes 64 rows x 64 dimensions in steps of 16 summands: 16 x 16 invocations, each 4 rows x 4 dimensions.
// Cost per pair: D subtractions and D multiply-adds. The sum is one chain in the order of the rows with the 16 of a step
// added up first, so a step that ends where a stripe ends leaves the bits the same however the matrix is cut.

// #include "shared/distance.wgsl"
// #include "shared/stripe.wgsl"

@group(0) @binding(1) var<storage, read> own: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> other: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> coefficients: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(6) var<uniform> sizes: Sizes;

override TRANSPOSED: u32 = 0u;
override TRIANGLE: u32 = 0u;
override JOINED: u32 = 0u;
// 1: the coefficients have no weights yet; those of positive pairs are above 0, those of negative pairs below.
override SPLIT_MEAN: u32 = 0u;

const TILE = 64u;                   // rows of a tile; also its dimensions
const SIDE = 16u;                   // invocations along each
const STEP = 16u;                   // summands per step
const PORTION = 65536u;             // summands of a dispatch, a multiple of STEP: a round of the loop for each step (src/gpu/limits.rs)
const ROW_PITCH = STEP / 4u + 1u;   // vec4s from row to row of the tile of coefficients; odd, against bank conflicts
const COLUMN_PITCH = TILE / 4u + 1u;

var<workgroup> coefficient_tile: array<vec4<f32>, TILE * ROW_PITCH>;  // transposed, STEP * COLUMN_PITCH are used
var<workgroup> other_tile: array<vec4<f32>, STEP * SIDE>;

// What the coefficients of positive and of negative pairs are multiplied with.
var<private> split_weights: vec2<f32>;

struct Summands {
    first: u32,   // index of the first row of `other`
    count: u32,
}

fn summands() -> Summands {
    if (TRANSPOSED == 1u) {
        return Summands(stripe.begin, stripe_rows());
    }
    if (TRIANGLE == 1u) {
        return Summands(0u, stripe.begin + stripe_rows());
    }
    return Summands(0u, sizes.references);
}

// The rows of `own` that the gradient is for.
fn owners() -> Summands {
    if (TRANSPOSED == 1u) {
        return Summands(0u, select(sizes.references, stripe.begin, TRIANGLE == 1u));
    }
    return Summands(stripe.begin, stripe_rows());
}

// Loads the coefficients of 64 rows and 16 summands: by rows [row][summand / 4], transposed [summand][row / 4].
fn load_coefficients(first_row: u32, first_summand: u32, local: u32) {
    let quarter_stride = stripe.stride / 4u;
    if (TRANSPOSED == 1u) {
        let summand = local / SIDE;
        let at = first_row / 4u + local % SIDE;
        let inside = first_summand + summand < stripe_rows() && at < quarter_stride;
        let source = min(first_summand + summand, stripe_rows() - 1u) * quarter_stride + min(at, quarter_stride - 1u);
        coefficient_tile[summand * COLUMN_PITCH + local % SIDE] = select(vec4(0.0), weighted(coefficients[source]), inside);
    } else {
        let row = local / 4u;
        let at = first_summand / 4u + local % 4u;
        let inside = first_row + row < stripe_rows() && at < quarter_stride;
        let source = min(first_row + row, stripe_rows() - 1u) * quarter_stride + min(at, quarter_stride - 1u);
        var values = coefficients[source];
        if (JOINED == 1u) {
            values += opposite(min(first_row + row, stripe_rows() - 1u), 4u * min(at, quarter_stride - 1u));
        }
        coefficient_tile[row * ROW_PITCH + local % 4u] = select(vec4(0.0), weighted(values), inside);
    }
}

fn weighted(values: vec4<f32>) -> vec4<f32> {
    if (SPLIT_MEAN == 1u) {
        return values * select(vec4(split_weights.y), vec4(split_weights.x), values > vec4(0.0));
    }
    return values;
}

// C(j, i) of four summands j, 0 beyond the last one.
fn opposite(i: u32, j: u32) -> vec4<f32> {
    return vec4(opposite_one(i, j), opposite_one(i, j + 1u), opposite_one(i, j + 2u), opposite_one(i, j + 3u));
}

fn opposite_one(i: u32, j: u32) -> f32 {
    let value = coefficients[min(j, stripe_rows() - 1u) * (stripe.stride / 4u) + i / 4u][i % 4u];
    return select(0.0, value, j < stripe_rows());
}

fn load_others(first_summand: u32, vector: u32, local: u32) {
    let all = summands();
    let row = all.first + min(first_summand + local / SIDE, all.count - 1u);
    other_tile[local] = other[row * stripe.vectors + min(vector, stripe.vectors - 1u)];
}

// Of the first `count` rows.
fn store(row: u32, count: u32, vector: u32, value: vec4<f32>) {
    if (row < count && vector < stripe.vectors) {
        let at = (owners().first + row) * stripe.dimensions + 4u * vector;
        let left = stripe.dimensions - 4u * vector;
        gradient[at] = value.x;
        if (left > 1u) {
            gradient[at + 1u] = value.y;
        }
        if (left > 2u) {
            gradient[at + 2u] = value.z;
        }
        if (left > 3u) {
            gradient[at + 3u] = value.w;
        }
    }
}

// What earlier portions, or transposed earlier stripes, have summed up.
fn earlier(row: u32, vector: u32) -> vec4<f32> {
    var value = vec4(0.0);
    let all = owners();
    let has_earlier = stripe.portion > 0u || (TRANSPOSED == 1u && stripe.begin > 0u);
    if (has_earlier && row < all.count && vector < stripe.vectors) {
        let at = (all.first + row) * stripe.dimensions + 4u * vector;
        let left = stripe.dimensions - 4u * vector;
        value.x = gradient[at];
        if (left > 1u) {
            value.y = gradient[at + 1u];
        }
        if (left > 2u) {
            value.z = gradient[at + 2u];
        }
        if (left > 3u) {
            value.w = gradient[at + 3u];
        }
    }
    return value;
}

fn own_point(row: u32, vector: u32) -> vec4<f32> {
    let all = owners();
    return own[(all.first + min(row, max(all.count, 1u) - 1u)) * stripe.vectors + min(vector, stripe.vectors - 1u)];
}

// What four of the summands of a step give to the four rows of the invocation.
fn quarter_of_step(quarter: u32, local: u32, points: mat4x4<f32>) -> mat4x4<f32> {
    // weights[k][r]: the coefficient of summand k of the quarter and row r of the invocation.
    var weights: mat4x4<f32>;
    if (TRANSPOSED == 1u) {
        let at = 4u * quarter * COLUMN_PITCH + local / SIDE;
        weights = mat4x4(
            coefficient_tile[at],
            coefficient_tile[at + COLUMN_PITCH],
            coefficient_tile[at + 2u * COLUMN_PITCH],
            coefficient_tile[at + 3u * COLUMN_PITCH],
        );
    } else {
        let at = 4u * (local / SIDE) * ROW_PITCH + quarter;
        weights = transpose(mat4x4(
            coefficient_tile[at],
            coefficient_tile[at + ROW_PITCH],
            coefficient_tile[at + 2u * ROW_PITCH],
            coefficient_tile[at + 3u * ROW_PITCH],
        ));
    }
    let source = 4u * quarter * SIDE + local % SIDE;
    let others =
        mat4x4(other_tile[source], other_tile[source + SIDE], other_tile[source + 2u * SIDE], other_tile[source + 3u * SIDE]);
    return mat4x4(
        weights[0].x * direction(points[0], others[0]) + weights[1].x * direction(points[0], others[1])
            + weights[2].x * direction(points[0], others[2]) + weights[3].x * direction(points[0], others[3]),
        weights[0].y * direction(points[1], others[0]) + weights[1].y * direction(points[1], others[1])
            + weights[2].y * direction(points[1], others[2]) + weights[3].y * direction(points[1], others[3]),
        weights[0].z * direction(points[2], others[0]) + weights[1].z * direction(points[2], others[1])
            + weights[2].z * direction(points[2], others[2]) + weights[3].z * direction(points[2], others[3]),
        weights[0].w * direction(points[3], others[0]) + weights[1].w * direction(points[3], others[1])
            + weights[2].w * direction(points[3], others[2]) + weights[3].w * direction(points[3], others[3]),
    );
}

// The sums of the invocation's four rows over the summands from `begin` to `end`.
fn sums_over(begin: u32, end: u32, first_row: u32, vector: u32, local: u32) -> mat4x4<f32> {
    let row = first_row + 4u * (local / SIDE);
    let points =
        mat4x4(own_point(row, vector), own_point(row + 1u, vector), own_point(row + 2u, vector), own_point(row + 3u, vector));
    var sums =
        mat4x4(earlier(row, vector), earlier(row + 1u, vector), earlier(row + 2u, vector), earlier(row + 3u, vector));

    for (var first = begin; first < end; first += STEP) {
        load_coefficients(first_row, first, local);
        load_others(first, vector, local);
        workgroupBarrier();
        // Written out without a loop, because llvmpipe stops an invocation's loops, silently, after 65,535 rounds in all.
        sums += quarter_of_step(0u, local, points) + quarter_of_step(1u, local, points)
            + quarter_of_step(2u, local, points) + quarter_of_step(3u, local, points);
        workgroupBarrier();
    }
    return sums;
}
