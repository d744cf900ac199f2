// What gradient/summation.wgsl sums up is stored as it is; finish/gradient.wgsl scales it.

// #include "shared/numbers.wgsl"
// #include "gradient/summation.wgsl"

@compute @workgroup_size(SIDE, SIDE)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let tile = tile_of(group);
    let count = owners().count;
    if (tile.begin >= tile.end || tile.row >= count) {
        return;
    }
    let vector = tile.vector + local.x;
    let sums = sums_over(tile.begin, tile.end, tile.row, vector, local.xy);
    store_sums(tile.row + 4u * local.y, count, vector, sums);
}
