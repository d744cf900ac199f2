// A product of matrices, for all ways through a linear projection and the layers of a perceptron:
//
//   forward               outputs  = inputs x weights              C(r, c) = sum_k A(r, k) B(k, c)
//   TRANSPOSED = 1        gradient = inputs^T x output gradient    C(r, c) = sum_k A(k, r) B(k, c)
//   RIGHT_TRANSPOSED = 1  gradient with respect to the inputs
//                                  = output gradient x weights^T   C(r, c) = sum_k A(r, k) B(c, k)
//
//   left     rows x summands, TRANSPOSED summands x rows; tight
//   right    summands x columns, RIGHT_TRANSPOSED columns x summands; tight, from right_begin on
//   product  rows x columns; tight, from product_begin on, written
//
// BIASED = 1 sets a column of ones behind those of the left matrix, which the weights have a row
// of biases for; RECTIFIED = 1 takes max(0, x) of its numbers.
//
// A workgroup computes a tile of 64 x 64 in steps of 16 summands: 16 x 16 invocations, each 4 x 4
// numbers.
// Cost per number: K multiply-adds; per tile and step, 2 x 64 x 16 values come from memory for
// 64 x 64 x 16 of them. The sum is one chain in the order of the summands with the 16 of a step
// added up first, so that long sums stay accurate.

// #include "shared/group.wgsl"

struct Product {
    first: u32,          // the first workgroup of a dispatch, where several share them
    rows: u32,
    columns: u32,
    summands: u32,       // K
    across: u32,         // tiles beside each other: ceil(columns / 64)
    right_begin: u32,    // the place of the first number of the right matrix
    product_begin: u32,  // and of the product
}

@group(0) @binding(0) var<uniform> size: Product;
@group(0) @binding(1) var<storage, read> left: array<f32>;
@group(0) @binding(2) var<storage, read> right: array<f32>;
@group(0) @binding(3) var<storage, read_write> product: array<f32>;

override TRANSPOSED: u32 = 0u;
override RIGHT_TRANSPOSED: u32 = 0u;
override BIASED: u32 = 0u;
override RECTIFIED: u32 = 0u;

const TILE = 64u;         // rows and columns of a tile
const SIDE = 16u;         // invocations along each
const STEP = 16u;         // summands per step
const PITCH = SIDE + 1u;  // odd, which keeps workgroup memory free of bank conflicts

// Four rows, or columns, of a summand in each vec4.
var<workgroup> left_tile: array<vec4<f32>, STEP * PITCH>;
var<workgroup> right_tile: array<vec4<f32>, STEP * SIDE>;

// 0 beyond the end of the matrix.
fn left_number(row: u32, k: u32) -> f32 {
    let inside = row < size.rows && k < size.summands;
    let pitch = select(size.summands, size.rows, TRANSPOSED == 1u) - BIASED;
    let place = select(vec2(row, k), vec2(k, row), TRANSPOSED == 1u);
    let is_one = BIASED == 1u && place.y == pitch;
    let at = select(0u, place.x * pitch + place.y, inside && !is_one);
    let number = select(left[at], max(left[at], 0.0), RECTIFIED == 1u);
    return select(0.0, select(number, 1.0, is_one), inside);
}

fn right_number(k: u32, column: u32) -> f32 {
    let inside = k < size.summands && column < size.columns;
    let place = select(
        k * size.columns + column,
        column * size.summands + k,
        RIGHT_TRANSPOSED == 1u,
    );
    return select(0.0, right[select(0u, size.right_begin + place, inside)], inside);
}

// Each invocation loads one vec4 of each tile; neighbours read what is beside each other in memory.
fn load(first_row: u32, first_column: u32, first: u32, invocation: Invocation) {
    let major = invocation.index / SIDE;
    let minor = invocation.index % SIDE;
    let k = select(minor, major, TRANSPOSED == 1u);
    let quad = select(major, minor, TRANSPOSED == 1u);
    let row = first_row + 4u * quad;
    left_tile[k * PITCH + quad] = vec4(
        left_number(row, first + k),
        left_number(row + 1u, first + k),
        left_number(row + 2u, first + k),
        left_number(row + 3u, first + k),
    );
    let column = first_column + 4u * minor;
    right_tile[invocation.index] = vec4(
        right_number(first + major, column),
        right_number(first + major, column + 1u),
        right_number(first + major, column + 2u),
        right_number(first + major, column + 3u),
    );
}

// What a summand of the step gives to the numbers of the invocation: a vector for each of its rows.
fn part(k: u32, invocation: Invocation) -> mat4x4<f32> {
    let a = left_tile[k * PITCH + invocation.index / SIDE];
    let b = right_tile[k * SIDE + invocation.index % SIDE];
    return mat4x4(a.x * b, a.y * b, a.z * b, a.w * b);
}

fn quarter_of_step(k: u32, invocation: Invocation) -> mat4x4<f32> {
    return part(k, invocation) + part(k + 1u, invocation)
        + part(k + 2u, invocation) + part(k + 3u, invocation);
}

fn store_one(row: u32, column: u32, value: f32) {
    if (row < size.rows && column < size.columns) {
        product[size.product_begin + row * size.columns + column] = value;
    }
}

fn store(row: u32, column: u32, values: vec4<f32>) {
    store_one(row, column, values.x);
    store_one(row, column + 1u, values.y);
    store_one(row, column + 2u, values.z);
    store_one(row, column + 3u, values.w);
}

@compute @workgroup_size(SIDE * SIDE)
fn main(group: Group, invocation: Invocation) {
    let tile = size.first + number_of(group);
    let first_row = tile / size.across * TILE;
    let first_column = tile % size.across * TILE;
    if (first_row >= size.rows) {
        return;
    }
    var sums: mat4x4<f32>;
    for (var first = 0u; first < size.summands; first += STEP) {
        load(first_row, first_column, first, invocation);
        workgroupBarrier();
        // Written out without a loop, because llvmpipe stops an invocation's loops, silently, after
        // 65,535 rounds in all.
        sums += quarter_of_step(0u, invocation) + quarter_of_step(4u, invocation)
            + quarter_of_step(8u, invocation) + quarter_of_step(12u, invocation);
        workgroupBarrier();
    }
    let row = first_row + 4u * (invocation.index / SIDE);
    let column = first_column + 4u * (invocation.index % SIDE);
    store(row, column, sums[0]);
    store(row + 1u, column, sums[1]);
    store(row + 2u, column, sums[2]);
    store(row + 3u, column, sums[3]);
}
