// What gradient/summation.wgsl sums up is scaled at once: gradient/scaling.wgsl scales it. Slices are
// stored as they are, and scaled where they are added up (gradient/finished_slices.wgsl).

// #include "shared/numbers.wgsl"
// #include "gradient/scaling.wgsl"
// #include "gradient/summation.wgsl"

// Beyond the rows that there are, the gradient is 0.
fn finished_row(row: u32, sum: vec4<f32>) -> vec4<f32> {
    return finished(select(vec4(0.0), sum, row < owners().count));
}

fn store_finished(row: u32, vector: u32, sums: mat4x4<f32>) {
    let values = mat4x4(
        finished_row(row, sums[0]), finished_row(row + 1u, sums[1]),
        finished_row(row + 2u, sums[2]), finished_row(row + 3u, sums[3]),
    );
    store_block(row, arrayLength(&gradient) / stripe.dimensions, vector, values);
}

@compute @workgroup_size(SIDE, SIDE)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    split_weights = vec2(totals.positive_weight, totals.negative_weight);
    let tile = tile_of(group);
    let count = owners().count;
    let end = select(0u, tile.end, tile.row < count);
    let vector = tile.vector + local.x;
    let row = tile.row + 4u * local.y;
    let sums = sums_over(tile.begin, end, tile.row, vector, local.xy);
    if (has_slices()) {
        store_sums(row, count, vector, sums);
        return;
    }
    store_finished(row, vector, sums.first);
    if (TILE_DIMENSIONS > BLOCK) {
        store_finished(row, vector + BLOCK / 4u, sums.beside);
    }
    if (TILE_ROWS > BLOCK) {
        store_finished(row + BLOCK, vector, sums.below);
        store_finished(row + BLOCK, vector + BLOCK / 4u, sums.across);
    }
    if (finish.last == 1u && tile.row == 0u && vector == 0u && local.y == 0u) {
        totals.sequence += 1u;
    }
}
