// The squared norms of a set of rows less the centre, at the scale that distances take them at, and
// the centre behind the last row.
//
//   points   (count + 1) x vectors   the last row is written
//   centre   vectors
//   squares  count                   written
//
// One workgroup of 32 per row, and one for the centre.

// #include "shared/group.wgsl"
// #include "shared/row_sum.wgsl"
// #include "shared/scaled.wgsl"
// #include "shared/start.wgsl"
// #include "shared/state.wgsl"

@group(0) @binding(1) var<storage, read_write> points: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> centre: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> squares: array<f32>;
@group(0) @binding(4) var<storage, read> state: array<u32, STATE_SIZE>;

// The square of the row that begins there.
fn square_of(begin: u32, invocation: Invocation) -> f32 {
    let exponent = state[EXPONENT];
    let scale = select(1.0, scale_for(exponent), is_scaled(exponent));
    var sum = 0.0;
    for (var k = invocation.index; k < arrayLength(&centre); k += WORKGROUP) {
        let apart = points[begin + k] * scale - centre[k] * scale;
        sum += dot(apart, apart);
    }
    return row_sum(sum, invocation);
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_from_start(group);
    let vectors = arrayLength(&centre);
    let count = arrayLength(&squares);
    if (row < count) {
        let square = square_of(row * vectors, invocation);
        if (invocation.index == 0u) {
            squares[row] = square;
        }
    } else if (row == count) {
        for (var k = invocation.index; k < vectors; k += WORKGROUP) {
            points[row * vectors + k] = centre[k];
        }
    }
}
