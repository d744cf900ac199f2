// What gradient/summation.wgsl sums up is scaled at once: gradient/scaling.wgsl scales it.

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
    let first_row = (stripe.first_y + group.y) * TILE_ROWS;
    let end = select(0u, summands().count, first_row < owners().count);
    let vector = (stripe.first_x + group.x) * (TILE_DIMENSIONS / 4u) + local.x;
    let row = first_row + 4u * local.y;
    let sums = sums_over(0u, end, first_row, vector, local.xy);
    store_finished(row, vector, sums.first);
    if (TILE_DIMENSIONS > BLOCK) {
        store_finished(row, vector + BLOCK / 4u, sums.beside);
    }
    if (TILE_ROWS > BLOCK) {
        store_finished(row + BLOCK, vector, sums.below);
        store_finished(row + BLOCK, vector + BLOCK / 4u, sums.across);
    }
    if (finish.last == 1u && first_row == 0u && vector == 0u && local.y == 0u) {
        totals.sequence += 1u;
    }
}
