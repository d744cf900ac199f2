// What gradient/summation.wgsl sums up is stored as it is; finish/gradient.wgsl scales it.

// #include "shared/numbers.wgsl"
// #include "gradient/summation.wgsl"

@compute @workgroup_size(SIDE, SIDE)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let portion = stripe.portion * portion_size();
    let end = min(portion + portion_size(), summands().count);
    let first_row = (stripe.first_y + group.y) * TILE_ROWS;
    let count = owners().count;
    if (portion >= end || first_row >= count) {
        return;
    }
    let vector = (stripe.first_x + group.x) * (TILE_DIMENSIONS / 4u) + local.x;
    let row = first_row + 4u * local.y;
    let sums = sums_over(portion, end, first_row, vector, local.xy);
    store_block(row, count, vector, sums.first);
    if (TILE_DIMENSIONS > BLOCK) {
        store_block(row, count, vector + BLOCK / 4u, sums.beside);
    }
    if (TILE_ROWS > BLOCK) {
        store_block(row + BLOCK, count, vector, sums.below);
        store_block(row + BLOCK, count, vector + BLOCK / 4u, sums.across);
    }
}
