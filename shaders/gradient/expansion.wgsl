// What gradient/summation.wgsl sums up where distances are expanded, of rows x and y less the
// centre, which stands behind the last row of both sets:
//
//   sum_j c_j (x - y_j) = (sum_j c_j) x - sum_j c_j y_j
//
// A multiply-add per pair and dimension. Pairs that are too near for it, which the kernel
// distance/pairwise.wgsl has marked, are left out of both sums, and added as they are.
//
//   distances  rows x stride   the lowest bit of those that are far is set

// #include "gradient/summation.wgsl"

@group(0) @binding(5) var<storage, read> distances: array<f32>;

// Tiles have 64 rows.
const BEYOND_64_ROWS = 0u;

// Summands of a dispatch, a multiple of a link. All pairs may be near, which takes a round of the
// loops for each summand (src/gpu/cut/loops.rs). Their coefficients are added up for themselves, so
// that it is the same for all tiles.
const PORTION = 16384u;

fn portion_size() -> u32 {
    return PORTION;
}

// Of every four rows of the tile: bit k says that summand k of a step is near to one of them. Those
// of the next step are cleared while those of this one are read.
var<workgroup> near_summands: array<atomic<u32>, 32>;

// Where those of the step begin: 0 or 16.
var<private> turn: u32;

// Sums of the coefficients that the invocation has loaded, of four rows.
var<private> weight_sums: vec4<f32>;

// Those of all invocations, for each row of the tile.
var<workgroup> row_weights: array<f32, BLOCK>;

// Where the invocation's four rows stand, what it has of the dimensions, those of the first block
// and those beside it, and where these stand in the centre.
var<private> own_rows: vec4<u32>;
var<private> own_vectors: vec2<u32>;
var<private> centres: vec2<u32>;

// Whether what the rows themselves give goes to the sums with every link: where these end with a
// stripe, so that the bits stay however the matrix is cut.
fn ends_with_stripe() -> bool {
    return TRANSPOSED == 1u || TRIANGLE == 1u;
}

fn begin_sums(row: u32, vector: u32, local: vec2<u32>) {
    turn = 0u;
    weight_sums = vec4(0.0);
    let all = owners();
    let rows = min(row + vec4(0u, 1u, 2u, 3u), vec4(max(all.count, 1u) - 1u));
    own_rows = (all.first + rows) * stripe.vectors;
    own_vectors = min(vec2(vector, vector + BLOCK / 4u), vec2(stripe.vectors - 1u));
    centres = arrayLength(&other) - stripe.vectors + own_vectors;
    if (local.x < 2u) {
        atomicStore(&near_summands[local.x * SIDE + local.y], 0u);
    }
    workgroupBarrier();
}

// Whether pairs at these distances are near.
fn are_near(d: vec4<f32>) -> vec4<bool> {
    let bits = bitcast<vec4<u32>>(d);
    return (bits & vec4(1u)) == vec4(0u);
}

// The distances of the pairs whose coefficients weights_at gives.
fn distances_at(rows: vec4<u32>, across: u32) -> vec4<f32> {
    if (TRANSPOSED == 1u) {
        return vec4(
            distances[across], distances[across + 1u],
            distances[across + 2u], distances[across + 3u],
        );
    }
    return vec4(distances[rows.x], distances[rows.y], distances[rows.z], distances[rows.w]);
}

fn loaded_coefficients(
    rows: vec4<u32>, across: u32, local: vec2<u32>, count: u32,
) -> vec4<f32> {
    let values = weights_at(rows, across);
    let near = are_near(distances_at(rows, across));
    if (any(near)) {
        atomicOr(&near_summands[turn + local.y], 1u << local.x);
    }
    let far = select(values, vec4(0.0), near);
    if (count == STEP || local.x < count) {
        weight_sums += far;
    }
    return far;
}

fn loaded_point(point: vec4<f32>, beside: u32) -> vec4<f32> {
    return point - other[centres[beside]];
}

// The four rows of the invocation less a row, in the first block of dimensions or the one beside it.
fn rows_less(row: vec4<f32>, beside: u32) -> mat4x4<f32> {
    let at = own_rows + own_vectors[beside];
    return mat4x4(own[at.x] - row, own[at.y] - row, own[at.z] - row, own[at.w] - row);
}

// Rows are read where they are needed, and take no registers.
fn points_of(row: u32, vector: u32) -> mat4x4<f32> {
    return mat4x4<f32>();
}

// Adds the near pairs of a step of so many summands.
fn add_beside_links(sums: ptr<function, Blocks>, reads: Reads, local: vec2<u32>, count: u32) {
    if (local.x == 0u) {
        atomicStore(&near_summands[(turn ^ SIDE) + local.y], 0u);
    }
    var left = atomicLoad(&near_summands[turn + local.y]) & ((1u << count) - 1u);
    while (left != 0u) {
        add_near(sums, reads, countTrailingZeros(left), local);
        left &= left - 1u;
    }
    turn ^= SIDE;
}

// Adds what a summand gives to the four rows of the invocation, of those that are near to it.
fn add_near(sums: ptr<function, Blocks>, reads: Reads, summand: u32, local: vec2<u32>) {
    // From what the invocation has loaded to what belongs to the summand.
    let rows = reads.rows + (summand - local.x);
    let across = reads.across.x + (summand - local.x) * stripe.stride;
    let others = reads.others + (summand - local.y) * stripe.vectors;
    let values = weights_at(rows, across);
    let weights = select(vec4(0.0), values, are_near(distances_at(rows, across)));
    (*sums).first = with_rows((*sums).first, weights, rows_less(other[others.x], 0u));
    if (TILE_DIMENSIONS > BLOCK) {
        (*sums).beside = with_rows((*sums).beside, weights, rows_less(other[others.y], 1u));
    }
}

// The sums of a block, and rows times their coefficients.
fn with_rows(sums: mat4x4<f32>, weights: vec4<f32>, rows: mat4x4<f32>) -> mat4x4<f32> {
    return mat4x4(
        sums[0] + weights.x * rows[0],
        sums[1] + weights.y * rows[1],
        sums[2] + weights.z * rows[2],
        sums[3] + weights.w * rows[3],
    );
}

// The sums of a block, and what a summand adds to them.
fn with_summand(
    sums: mat4x4<f32>, weights: vec4<f32>, points: mat4x4<f32>, other: vec4<f32>,
) -> mat4x4<f32> {
    return mat4x4(
        sums[0] + weights.x * other,
        sums[1] + weights.y * other,
        sums[2] + weights.z * other,
        sums[3] + weights.w * other,
    );
}

// Adds what the rows themselves give, by the coefficients loaded since that was last done.
fn add_own_rows(sums: ptr<function, Blocks>, local: vec2<u32>) {
    // Nobody reads the coefficients of the last step any more.
    coefficient_tile[local.x * pitch() + local.y] = weight_sums;
    weight_sums = vec4(0.0);
    workgroupBarrier();
    if (local.x < 4u) {
        var sum = 0.0;
        for (var x = 0u; x < SIDE; x++) {
            sum += coefficient_tile[x * pitch() + local.y][local.x];
        }
        row_weights[4u * local.y + local.x] = sum;
    }
    workgroupBarrier();
    let at = 4u * local.y;
    let weights = vec4(
        row_weights[at], row_weights[at + 1u], row_weights[at + 2u], row_weights[at + 3u],
    );
    (*sums).first = with_rows((*sums).first, weights, rows_less(other[centres.x], 0u));
    if (TILE_DIMENSIONS > BLOCK) {
        (*sums).beside = with_rows((*sums).beside, weights, rows_less(other[centres.y], 1u));
    }
}

fn add_link(sums: ptr<function, Blocks>, link: Blocks, local: vec2<u32>) {
    if (ends_with_stripe()) {
        add_own_rows(sums, local);
    }
    (*sums).first -= link.first;
    if (TILE_DIMENSIONS > BLOCK) {
        (*sums).beside -= link.beside;
    }
}

fn finish_sums(sums: ptr<function, Blocks>, local: vec2<u32>) {
    if (!ends_with_stripe()) {
        add_own_rows(sums, local);
    }
}
