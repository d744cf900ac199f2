// The centre of a set of rows: the mean of no more than 1,024 of them, evenly spaced. It takes out
// what all rows have in common, before they are squared; any other point of the middle would do.
//
//   points  rows x vectors
//   centre  vectors         written
//
// A workgroup of 16 x 16 takes 16 vec4s of a row: each invocation every sixteenth row, then one of
// them what all have.

// #include "shared/sizes.wgsl"

@group(0) @binding(0) var<storage, read> points: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> centre: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> sizes: Sizes;

const SIDE = 16u;
const MOST_ROWS = 1024u;

var<workgroup> sums: array<vec4<f32>, 256>;

@compute @workgroup_size(SIDE, SIDE)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let vectors = arrayLength(&centre);
    let vector = group.x * SIDE + local.x;
    let step = max((sizes.references + MOST_ROWS - 1u) / MOST_ROWS, 1u);
    let count = (sizes.references + step - 1u) / step;
    // Divided before they are added up, they stay within f32.
    let part = 1.0 / f32(max(count, 1u));
    var sum = vec4(0.0);
    if (vector < vectors) {
        for (var row = local.y; row < count; row += SIDE) {
            sum += points[row * step * vectors + vector] * part;
        }
    }
    sums[local.y * SIDE + local.x] = sum;
    workgroupBarrier();
    if (local.y == 0u && vector < vectors) {
        for (var other = 1u; other < SIDE; other++) {
            sum += sums[other * SIDE + local.x];
        }
        centre[vector] = sum;
    }
}
