// Finishes the gradient of a set of rows: adds what came from the transposed coefficients, scales
// by the reduction, and for unit rows goes back to the raw ones:
//
//   g = factor * scale * (gradient + transposed)
//   raw gradient = (g - (g.u) u) / norm         for unit rows u; 0 where the norm is 0
//
//   gradient    N or M x D, tight; in place
//   transposed  N x D, tight, where there is any
//   points      N or M x 4 * vectors
//
// One workgroup of 32 per row.

// #include "shared/finish.wgsl"
// #include "shared/group.wgsl"
// #include "shared/numbers.wgsl"
// #include "shared/row_sum.wgsl"
// #include "shared/sizes.wgsl"
// #include "shared/state.wgsl"
// #include "shared/summary.wgsl"

@group(0) @binding(0) var<uniform> subject: Finish;
@group(0) @binding(1) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> transposed: array<f32>;
@group(0) @binding(3) var<storage, read> points: array<f32>;
@group(0) @binding(4) var<storage, read> norms: array<f32>;
@group(0) @binding(5) var<storage, read_write> totals: Totals;
@group(0) @binding(6) var<storage, read_write> state: array<atomic<u32>, STATE_SIZE>;
@group(0) @binding(7) var<uniform> sizes: Sizes;

fn scaled(index: u32) -> f32 {
    var value = gradient[index];
    if (subject.add == 1u) {
        value += transposed[index];
    }
    return value * subject.factor * totals.scale;
}

// g.u
fn radial_part(row: u32, invocation: Invocation) -> f32 {
    var sum = 0.0;
    for (var k = invocation.index; k < subject.dimensions; k += WORKGROUP) {
        sum += scaled(row * subject.dimensions + k) * points[row * 4u * subject.vectors + k];
    }
    return row_sum(sum, invocation);
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = subject.first + number_of(group);
    let begin = row * subject.width;
    if (begin >= arrayLength(&gradient)) {
        return;
    }
    let rows = select(sizes.queries, sizes.references, subject.of_references == 1u);
    let end = min(begin + subject.width, arrayLength(&gradient));
    let valid_end = min(end, rows * subject.dimensions);
    // Beyond the rows that there are, the gradient is 0.
    for (var index = max(begin, valid_end) + invocation.index; index < end; index += WORKGROUP) {
        gradient[index] = 0.0;
    }
    var radial = 0.0;
    var norm = 1.0;
    if (subject.unit == 1u && begin < valid_end) {
        radial = radial_part(row, invocation);
        norm = norms[row];
    }
    var overflows = false;
    for (var index = begin + invocation.index; index < valid_end; index += WORKGROUP) {
        var value = scaled(index);
        if (subject.unit == 1u) {
            let point = points[row * 4u * subject.vectors + index - begin];
            value = select((value - radial * point) / norm, 0.0, norm == 0.0);
        }
        overflows = overflows || !is_finite(value);
        gradient[index] = value;
    }
    if (overflows) {
        atomicMax(&state[OVERFLOW], 1u);
    }
    if (subject.last == 1u && end == arrayLength(&gradient) && invocation.index == 0u) {
        totals.sequence += 1u;
    }
}
