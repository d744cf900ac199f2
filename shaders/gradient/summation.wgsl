// The gradient from the coefficients of a stripe. TRANSPOSED = 0 gives the stripe's own rows i,
// over all columns j; TRANSPOSED = 1 adds what the stripe's rows i give to all columns j:
//
//   gradient_i  = sum_j C(i, j) direction(x_i, y_j)
//   gradient_j += sum_i C(i, j) direction(y_j, x_i)
//
// with the direction of shared/distance.wgsl.
//
// JOINED = 1, where the stripe is the whole matrix of one batch, gives both at once:
// C(i, j) + C(j, i) in the place of C(i, j).
//
// TRIANGLE = 1, in one batch, takes every pair once, for both its rows: by rows only the columns j
// up to the stripe's own end, transposed only for the rows j before the stripe, onto what their own
// stripes gave them.
//
//   own           points of the rows that the gradient is for: queries, or transposed references
//   other         points of the rows it is summed over
//   coefficients  rows x stride
//   gradient      rows of `own` x D, tight
//
// A workgroup of 16 x 16 invocations computes a tile in steps of 16 summands: 64 rows x 64
// dimensions, 4 x 4 of them an invocation, or 128 x 128, 8 x 8 an invocation.
// Cost per pair and dimension: a subtraction and a multiply-add, and 1 / 2 or 1 / 4 of a value from
// workgroup memory. The bits are the same. The sum is one chain in the order of the rows with the
// 16 of a step added up first, so a step that ends where a stripe ends leaves the bits the same
// however the matrix is cut.

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
// 1: the coefficients have no weights yet; those of positive pairs are above 0, those of negative
// pairs below.
override SPLIT_MEAN: u32 = 0u;

// Rows of a tile, and dimensions: 64 or 128.
override TILE: u32 = 64u;

const BLOCK = 64u;       // rows, and dimensions, that 4 x 4 of every invocation make
const SIDE = 16u;        // invocations along each
const STEP = 16u;        // summands per step
const TILE_SIZE = 512u;  // vec4s in workgroup memory of 128 rows or dimensions of a step

// Summands of a dispatch, a multiple of STEP: a round of the loop for each step
// (src/gpu/cut/loops.rs).
const PORTION = 65536u;

fn portion_size() -> u32 {
    return PORTION / (TILE / BLOCK) / (TILE / BLOCK);
}

// vec4s from row to row of the tile of coefficients, and transposed from summand to summand. Odd
// against bank conflicts, where workgroup memory is large enough.
fn row_pitch() -> u32 {
    return STEP / 4u + select(1u, 0u, TILE > BLOCK);
}

fn column_pitch() -> u32 {
    return TILE / 4u + select(1u, 0u, TILE > BLOCK);
}

var<workgroup> coefficient_tile: array<vec4<f32>, TILE_SIZE>;
var<workgroup> other_tile: array<vec4<f32>, TILE_SIZE>;

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

// Loads the coefficients of a block's rows, from `block` on in the tile, and 16 summands: by rows
// [row][summand / 4], transposed [summand][row / 4].
fn load_coefficients(first_row: u32, block: u32, first_summand: u32, local: u32) {
    let quarter_stride = stripe.stride / 4u;
    if (TRANSPOSED == 1u) {
        let summand = local / SIDE;
        let quad = block / 4u + local % SIDE;
        let at = first_row / 4u + quad;
        let inside = first_summand + summand < stripe_rows() && at < quarter_stride;
        let source = min(first_summand + summand, stripe_rows() - 1u) * quarter_stride
            + min(at, quarter_stride - 1u);
        coefficient_tile[summand * column_pitch() + quad] = select(
            vec4(0.0), weighted(coefficients[source]), inside,
        );
    } else {
        let row = block + local / 4u;
        let at = first_summand / 4u + local % 4u;
        let inside = first_row + row < stripe_rows() && at < quarter_stride;
        let source = min(first_row + row, stripe_rows() - 1u) * quarter_stride
            + min(at, quarter_stride - 1u);
        var values = coefficients[source];
        if (JOINED == 1u) {
            values += opposite(
                min(first_row + row, stripe_rows() - 1u), 4u * min(at, quarter_stride - 1u),
            );
        }
        coefficient_tile[row * row_pitch() + local % 4u] = select(
            vec4(0.0), weighted(values), inside,
        );
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
    return vec4(
        opposite_one(i, j),
        opposite_one(i, j + 1u),
        opposite_one(i, j + 2u),
        opposite_one(i, j + 3u),
    );
}

fn opposite_one(i: u32, j: u32) -> f32 {
    let value = coefficients[min(j, stripe_rows() - 1u) * (stripe.stride / 4u) + i / 4u][i % 4u];
    return select(0.0, value, j < stripe_rows());
}

fn load_others(first_summand: u32, block: u32, vector: u32, local: u32) {
    let all = summands();
    let row = all.first + min(first_summand + local / SIDE, all.count - 1u);
    other_tile[local / SIDE * (TILE / 4u) + block / 4u + local % SIDE] =
        other[row * stripe.vectors + min(vector + block / 4u, stripe.vectors - 1u)];
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
    let source = all.first + min(row, max(all.count, 1u) - 1u);
    return own[source * stripe.vectors + min(vector, stripe.vectors - 1u)];
}

// Four rows of an invocation: a vec4 of each of a block.
fn own_block(row: u32, vector: u32) -> mat4x4<f32> {
    return mat4x4(
        own_point(row, vector),
        own_point(row + 1u, vector),
        own_point(row + 2u, vector),
        own_point(row + 3u, vector),
    );
}

fn earlier_block(row: u32, vector: u32) -> mat4x4<f32> {
    return mat4x4(
        earlier(row, vector),
        earlier(row + 1u, vector),
        earlier(row + 2u, vector),
        earlier(row + 3u, vector),
    );
}

fn store_block(row: u32, count: u32, vector: u32, values: mat4x4<f32>) {
    store(row, count, vector, values[0]);
    store(row + 1u, count, vector, values[1]);
    store(row + 2u, count, vector, values[2]);
    store(row + 3u, count, vector, values[3]);
}

// weights[k][r]: the coefficient of summand k of the quarter and row r of the invocation in the
// block.
fn weights_of(quarter: u32, block: u32, local: u32) -> mat4x4<f32> {
    if (TRANSPOSED == 1u) {
        let at = 4u * quarter * column_pitch() + block / 4u + local / SIDE;
        let next = column_pitch();
        return mat4x4(
            coefficient_tile[at],
            coefficient_tile[at + next],
            coefficient_tile[at + 2u * next],
            coefficient_tile[at + 3u * next],
        );
    }
    let at = (block + 4u * (local / SIDE)) * row_pitch() + quarter;
    let next = row_pitch();
    return transpose(mat4x4(
        coefficient_tile[at],
        coefficient_tile[at + next],
        coefficient_tile[at + 2u * next],
        coefficient_tile[at + 3u * next],
    ));
}

// The four summands of the quarter.
fn others_of(quarter: u32, block: u32, local: u32) -> mat4x4<f32> {
    let next = TILE / 4u;
    let at = 4u * quarter * next + block / 4u + local % SIDE;
    return mat4x4(
        other_tile[at],
        other_tile[at + next],
        other_tile[at + 2u * next],
        other_tile[at + 3u * next],
    );
}

// What four summands give to four rows.
fn products(weights: mat4x4<f32>, points: mat4x4<f32>, others: mat4x4<f32>) -> mat4x4<f32> {
    return mat4x4(
        weights[0].x * direction(points[0], others[0])
            + weights[1].x * direction(points[0], others[1])
            + weights[2].x * direction(points[0], others[2])
            + weights[3].x * direction(points[0], others[3]),
        weights[0].y * direction(points[1], others[0])
            + weights[1].y * direction(points[1], others[1])
            + weights[2].y * direction(points[1], others[2])
            + weights[3].y * direction(points[1], others[3]),
        weights[0].z * direction(points[2], others[0])
            + weights[1].z * direction(points[2], others[1])
            + weights[2].z * direction(points[2], others[2])
            + weights[3].z * direction(points[2], others[3]),
        weights[0].w * direction(points[3], others[0])
            + weights[1].w * direction(points[3], others[1])
            + weights[2].w * direction(points[3], others[2])
            + weights[3].w * direction(points[3], others[3]),
    );
}

// What an invocation has of a tile: a block of 4 rows x 4 dimensions, or four.
struct Blocks {
    first: mat4x4<f32>,
    beside: mat4x4<f32>,
    below: mat4x4<f32>,
    across: mat4x4<f32>,
}

// What a quarter of a step gives to the invocation.
fn add_quarter(step: ptr<function, Blocks>, quarter: u32, points: Blocks, local: u32) {
    let weights = weights_of(quarter, 0u, local);
    let others = others_of(quarter, 0u, local);
    (*step).first += products(weights, points.first, others);
    if (TILE > BLOCK) {
        let weights_below = weights_of(quarter, BLOCK, local);
        let others_beside = others_of(quarter, BLOCK, local);
        (*step).beside += products(weights, points.beside, others_beside);
        (*step).below += products(weights_below, points.below, others);
        (*step).across += products(weights_below, points.across, others_beside);
    }
}

// The sums of the invocation over the summands from `begin` to `end`; row and vector are those of
// its first block.
fn sums_over(begin: u32, end: u32, first_row: u32, vector: u32, local: u32) -> Blocks {
    let row = first_row + 4u * (local / SIDE);
    var points: Blocks;
    var sums: Blocks;
    points.first = own_block(row, vector);
    sums.first = earlier_block(row, vector);
    if (TILE > BLOCK) {
        points.beside = own_block(row, vector + BLOCK / 4u);
        points.below = own_block(row + BLOCK, vector);
        points.across = own_block(row + BLOCK, vector + BLOCK / 4u);
        sums.beside = earlier_block(row, vector + BLOCK / 4u);
        sums.below = earlier_block(row + BLOCK, vector);
        sums.across = earlier_block(row + BLOCK, vector + BLOCK / 4u);
    }
    for (var first = begin; first < end; first += STEP) {
        load_coefficients(first_row, 0u, first, local);
        load_others(first, 0u, vector, local);
        if (TILE > BLOCK) {
            load_coefficients(first_row, BLOCK, first, local);
            load_others(first, BLOCK, vector, local);
        }
        workgroupBarrier();
        // Written out without a loop, because llvmpipe stops an invocation's loops, silently, after
        // 65,535 rounds in all.
        var step: Blocks;
        add_quarter(&step, 0u, points, local);
        add_quarter(&step, 1u, points, local);
        add_quarter(&step, 2u, points, local);
        add_quarter(&step, 3u, points, local);
        sums.first += step.first;
        if (TILE > BLOCK) {
            sums.beside += step.beside;
            sums.below += step.below;
            sums.across += step.across;
        }
        workgroupBarrier();
    }
    return sums;
}
