// The distances of a stripe: d(i, j) for its rows i and all columns j, by direct differences.
//
//   left       N x vectors     points of the queries
//   right      M x vectors     points of the references (in batch mode the same)
//   norms      N, M            0 for rows of norm 0
//   distances  rows x stride   written
//
// A workgroup of 16 x 16 invocations computes a tile: of 64 x 64 in steps of 16 dimensions, 4 x 4
// pairs an invocation, or of 128 x 128 in steps of 8, 8 x 8 pairs an invocation.
// Cost per pair and dimension: a subtraction and a multiply-add, 1 / 2 or 1 / 4 of a value from
// workgroup memory, and 1 / 32 or 1 / 64 of one from memory. The bits are the same. Where the
// stripe is the whole matrix of a batch, the tiles above the diagonal write those below it as well.

// #include "shared/numbers.wgsl"
// #include "shared/state.wgsl"
// #include "shared/distance.wgsl"
// #include "shared/stripe.wgsl"

@group(0) @binding(1) var<storage, read> left: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> right: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> left_norms: array<f32>;
@group(0) @binding(4) var<storage, read> right_norms: array<f32>;
@group(0) @binding(5) var<storage, read> state: array<u32, STATE_SIZE>;
@group(0) @binding(6) var<storage, read_write> distances: array<f32>;
@group(0) @binding(7) var<uniform> sizes: Sizes;

// Rows and columns of a tile: 64 or 128.
override TILE: u32 = 64u;

const SIDE = 16u;        // invocations along each
const BLOCK = 64u;       // pairs along each that 4 x 4 of every invocation make
const TILE_SIZE = 384u;  // vec4s of a tile in workgroup memory: 64 rows of 5, or 128 of 3

// vec4s of a point per step.
fn step_size() -> u32 {
    return SIDE * SIDE / TILE;
}

// From row to row of a tile; odd, which keeps workgroup memory free of bank conflicts.
fn pitch() -> u32 {
    return step_size() + 1u;
}

// Below it a sum of squares, in a batch of ordinary size, may have lost parts that were too small
// for f32.
const TINY = 0x1p-80f;

// Biased exponents of batches of ordinary size: from 2^-10 to 2^56 f32 holds their squares.
const SMALLEST_ORDINARY = 117u;
const LARGEST_ORDINARY = 183u;

// Whether the points are scaled to about 1 by a power of two: only for the Euclidean distance the
// squares can be beyond f32 and the result is not. Unit rows report no exponent and stay as they
// are.
fn is_scaled(exponent: u32) -> bool {
    let ordinary = exponent >= SMALLEST_ORDINARY && exponent <= LARGEST_ORDINARY;
    return DISTANCE == EUCLIDEAN && exponent > 0u && !ordinary;
}

var<workgroup> left_tile: array<vec4<f32>, TILE_SIZE>;
var<workgroup> right_tile: array<vec4<f32>, TILE_SIZE>;

fn parts(x: vec4<f32>, y0: vec4<f32>, y1: vec4<f32>, y2: vec4<f32>, y3: vec4<f32>) -> vec4<f32> {
    return vec4(
        distance_part(x, y0), distance_part(x, y1), distance_part(x, y2), distance_part(x, y3),
    );
}

// Each row with each column: a vector for each row.
fn parts_of_block(rows: mat4x4<f32>, columns: mat4x4<f32>) -> mat4x4<f32> {
    return mat4x4(
        parts(rows[0], columns[0], columns[1], columns[2], columns[3]),
        parts(rows[1], columns[0], columns[1], columns[2], columns[3]),
        parts(rows[2], columns[0], columns[1], columns[2], columns[3]),
        parts(rows[3], columns[0], columns[1], columns[2], columns[3]),
    );
}

// vec4 k of a step, of the four rows of a block that the invocation has.
fn left_points(k: u32, row: u32) -> mat4x4<f32> {
    let at = row * pitch() + k;
    let next = SIDE * pitch();
    return mat4x4(
        left_tile[at], left_tile[at + next], left_tile[at + 2u * next], left_tile[at + 3u * next],
    );
}

fn right_points(k: u32, column: u32) -> mat4x4<f32> {
    let at = column * pitch() + k;
    let next = SIDE * pitch();
    return mat4x4(
        right_tile[at],
        right_tile[at + next],
        right_tile[at + 2u * next],
        right_tile[at + 3u * next],
    );
}

// The sums of an invocation: one block of 4 x 4 pairs, or four.
struct Sums {
    first: mat4x4<f32>,
    beside: mat4x4<f32>,
    below: mat4x4<f32>,
    across: mat4x4<f32>,
}

// What vec4 k of a step gives to the pairs of the invocation.
fn add_parts(sums: ptr<function, Sums>, k: u32, x: u32, y: u32) {
    let rows = left_points(k, y);
    let columns = right_points(k, x);
    (*sums).first += parts_of_block(rows, columns);
    if (TILE > BLOCK) {
        let rows_below = left_points(k, y + BLOCK);
        let columns_beside = right_points(k, x + BLOCK);
        (*sums).beside += parts_of_block(rows, columns_beside);
        (*sums).below += parts_of_block(rows_below, columns);
        (*sums).across += parts_of_block(rows_below, columns_beside);
    }
}

// Writes four pairs of a row; bit k of the result says that pair k is too near for its sum.
fn write(row: u32, column: u32, sums: vec4<f32>, unscale: f32) -> u32 {
    write_one(row, column, sums.x, unscale);
    write_one(row, column + SIDE, sums.y, unscale);
    write_one(row, column + 2u * SIDE, sums.z, unscale);
    write_one(row, column + 3u * SIDE, sums.w, unscale);
    let near = select(vec4(0u), vec4(1u, 2u, 4u, 8u), sums < vec4(TINY));
    return near.x + near.y + near.z + near.w;
}

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

// The Euclidean distance of two rows that are much nearer than the batch is large, at a scale of
// its own.
fn near_distance(i: u32, j: u32) -> f32 {
    var largest = vec4(0.0);
    for (var k = 0u; k < stripe.vectors; k += NEAR_STEP) {
        largest = max(largest, max(
            max(largest_of_4(i, j, k), largest_of_4(i, j, k + 4u)),
            max(largest_of_4(i, j, k + 8u), largest_of_4(i, j, k + 12u)),
        ));
    }
    let exponent = exponent_of(max(max(largest.x, largest.y), max(largest.z, largest.w)));
    let scale = scale_for(exponent);
    var sum = 0.0;
    for (var k = 0u; k < stripe.vectors; k += NEAR_STEP) {
        sum = add_4_squares(sum, i, j, k, scale);
        sum = add_4_squares(sum, i, j, k + 4u, scale);
        sum = add_4_squares(sum, i, j, k + 8u, scale);
        sum = add_4_squares(sum, i, j, k + 12u, scale);
    }
    return distance_from(sum, inverse_scale_for(exponent), false);
}

fn write_one(row: u32, column: u32, sum: f32, unscale: f32) {
    if (row < stripe_rows() && column < sizes.references) {
        var zero_row = false;
        if (DISTANCE == COSINE) {
            zero_row = left_norms[stripe.begin + row] == 0.0 || right_norms[column] == 0.0;
        }
        store(row, column, distance_from(sum, unscale, zero_row));
    }
}

// d(j, i) is d(i, j) to the bit.
fn store(row: u32, column: u32, d: f32) {
    distances[row * stripe.stride + column] = d;
    if (is_symmetric() && column / TILE > row / TILE) {
        distances[column * stripe.stride + row] = d;
    }
}

// Whether the stripe is the whole matrix of one batch.
fn is_symmetric() -> bool {
    return stripe.same_set == 1u && stripe_rows() == sizes.references;
}

// Writes the pairs of a block that the invocation has.
fn write_block(first_row: u32, first_column: u32, sums: mat4x4<f32>, unscale: f32) {
    var near = write(first_row, first_column, sums[0], unscale)
        | (write(first_row + SIDE, first_column, sums[1], unscale) << 4u)
        | (write(first_row + 2u * SIDE, first_column, sums[2], unscale) << 8u)
        | (write(first_row + 3u * SIDE, first_column, sums[3], unscale) << 12u);
    if (DISTANCE == EUCLIDEAN) {
        // Few, but for duplicates. The direction to a near row is worth as much in the gradient as
        // that to any other.
        for (; near != 0u; near &= near - 1u) {
            let pair = countTrailingZeros(near);
            let row = first_row + pair / 4u * SIDE;
            let column = first_column + pair % 4u * SIDE;
            if (row < stripe_rows() && column < sizes.references) {
                store(row, column, near_distance(stripe.begin + row, column));
            }
        }
    }
}

@compute @workgroup_size(SIDE * SIDE)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let tile = vec2(stripe.first_x, stripe.first_y) + group.xy;
    if (is_symmetric() && tile.x < tile.y) {
        return;
    }
    let exponent = state[EXPONENT];
    let scale = select(1.0, scale_for(exponent), is_scaled(exponent));
    let unscale = select(1.0, inverse_scale_for(exponent), is_scaled(exponent));

    let first_row = tile.y * TILE;
    let first_column = tile.x * TILE;
    if (first_row >= stripe_rows() || first_column >= sizes.references) {
        return;
    }
    let x = local % SIDE;
    let y = local / SIDE;
    // Each invocation loads one vec4 of each tile per step.
    let load_row = local / step_size();
    let load_part = local % step_size();
    let load_left = stripe.begin + min(first_row + load_row, stripe_rows() - 1u);
    let load_right = min(first_column + load_row, sizes.references - 1u);

    var sums: Sums;
    for (var first = 0u; first < stripe.vectors; first += step_size()) {
        let index = first + load_part;
        let inside = index < stripe.vectors;
        let source = min(index, stripe.vectors - 1u);
        left_tile[load_row * pitch() + load_part] =
            select(vec4(0.0), left[load_left * stripe.vectors + source] * scale, inside);
        right_tile[load_row * pitch() + load_part] =
            select(vec4(0.0), right[load_right * stripe.vectors + source] * scale, inside);
        workgroupBarrier();
        // Written out without a loop, as the loops over near pairs.
        add_parts(&sums, 0u, x, y);
        add_parts(&sums, 1u, x, y);
        if (TILE == BLOCK) {
            add_parts(&sums, 2u, x, y);
            add_parts(&sums, 3u, x, y);
        }
        workgroupBarrier();
    }
    write_block(first_row + y, first_column + x, sums.first, unscale);
    if (TILE > BLOCK) {
        write_block(first_row + y, first_column + x + BLOCK, sums.beside, unscale);
        write_block(first_row + y + BLOCK, first_column + x, sums.below, unscale);
        write_block(first_row + y + BLOCK, first_column + x + BLOCK, sums.across, unscale);
    }
}
