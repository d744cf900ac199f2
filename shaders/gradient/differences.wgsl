// What gradient/summation.wgsl sums up: coefficients times differences of rows.

// #include "gradient/summation.wgsl"

const BEYOND_64_ROWS = 240u;

// Summands of a dispatch with the smallest tile, a multiple of a link: a round of the loops for
// each step (src/gpu/cut/loops.rs).
const PORTION = 65536u;

fn portion_size() -> u32 {
    return PORTION / (TILE_ROWS / BLOCK) / (TILE_DIMENSIONS / BLOCK);
}

fn begin_sums(row: u32, vector: u32, local: vec2<u32>) {}

fn loaded_coefficients(
    rows: vec4<u32>, across: u32, local: vec2<u32>, count: u32,
) -> vec4<f32> {
    return weights_at(rows, across);
}

fn loaded_point(point: vec4<f32>, beside: u32) -> vec4<f32> {
    return point;
}

fn points_of(row: u32, vector: u32) -> mat4x4<f32> {
    return own_block(row, vector);
}

fn add_beside_links(sums: ptr<function, Blocks>, reads: Reads, local: vec2<u32>, count: u32) {}

// The sums of a block, and what a summand adds to them.
fn with_summand(
    sums: mat4x4<f32>, weights: vec4<f32>, points: mat4x4<f32>, other: vec4<f32>,
) -> mat4x4<f32> {
    return mat4x4(
        sums[0] + weights.x * direction_without_sign(points[0], other),
        sums[1] + weights.y * direction_without_sign(points[1], other),
        sums[2] + weights.z * direction_without_sign(points[2], other),
        sums[3] + weights.w * direction_without_sign(points[3], other),
    );
}

// Adds the sums of a link.
fn add_link(sums: ptr<function, Blocks>, link: Blocks, local: vec2<u32>) {
    (*sums).first += direction_sign() * link.first;
    if (TILE_DIMENSIONS > BLOCK) {
        (*sums).beside += direction_sign() * link.beside;
    }
    if (TILE_ROWS > BLOCK) {
        (*sums).below += direction_sign() * link.below;
        (*sums).across += direction_sign() * link.across;
    }
}

fn finish_sums(sums: ptr<function, Blocks>, local: vec2<u32>) {}
