// The gradient from the coefficients of a stripe, as shared/summation.wgsl sums it up; finish/gradient.wgsl scales it.

// #include "shared/numbers.wgsl"
// #include "shared/summation.wgsl"

@compute @workgroup_size(SIDE * SIDE)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    // By columns the summands are the rows of a stripe, which are no more than a portion.
    let portion = stripe.portion * PORTION;
    let end = min(portion + PORTION, summands().count);
    let first_row = (stripe.first_y + group.y) * TILE;
    let count = owners().count;
    if (portion >= end || first_row >= count) {
        return;
    }
    let vector = (stripe.first_x + group.x) * SIDE + local % SIDE;
    let row = first_row + 4u * (local / SIDE);
    let sums = sums_over(portion, end, first_row, vector, local);
    store(row, count, vector, sums[0]);
    store(row + 1u, count, vector, sums[1]);
    store(row + 2u, count, vector, sums[2]);
    store(row + 3u, count, vector, sums[3]);
}
