// Finishes the gradient of a set of rows: adds what came from the transposed coefficients, scales by the reduction, and for
// unit rows goes back to the raw ones:
//
//   g = factor * scale * (gradient + transposed)
//   raw gradient = (g - (g.u) u) / norm         for unit rows u; 0 where the norm is 0
//
//   gradient    count x D, tight; in place
//   transposed  count x D, tight, where there is any
//   points      count x 4 * vectors
//
// One workgroup of 64 per row.

// #include "shared/group.wgsl"
// #include "shared/numbers.wgsl"
// #include "shared/state.wgsl"
// #include "shared/summary.wgsl"

struct Finish {
    count: u32,
    dimensions: u32,  // D
    vectors: u32,     // ceil(D / 4)
    unit: u32,        // 1: points are unit rows
    add: u32,         // 1: there is a transposed part
    last: u32,        // 1: the last dispatch of a recording
    factor: f32,      // 2 where only one of two equal halves was computed, and what the terms left out
    padding: u32,
}

@group(0) @binding(0) var<uniform> subject: Finish;
@group(0) @binding(1) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> transposed: array<f32>;
@group(0) @binding(3) var<storage, read> points: array<f32>;
@group(0) @binding(4) var<storage, read> norms: array<f32>;
@group(0) @binding(5) var<storage, read_write> totals: Totals;
@group(0) @binding(6) var<storage, read_write> state: array<atomic<u32>, STATE_SIZE>;

const WORKGROUP = 64u;

var<workgroup> products: array<f32, WORKGROUP>;

fn scaled(index: u32) -> f32 {
    var value = gradient[index];
    if (subject.add == 1u) {
        value += transposed[index];
    }
    return value * subject.factor * totals.scale;
}

// g.u
fn radial_part(row: u32, local: u32) -> f32 {
    var sum = 0.0;
    for (var k = local; k < subject.dimensions; k += WORKGROUP) {
        sum += scaled(row * subject.dimensions + k) * points[row * 4u * subject.vectors + k];
    }
    products[local] = sum;
    workgroupBarrier();
    for (var width = WORKGROUP / 2u; width > 0u; width >>= 1u) {
        if (local < width) {
            products[local] += products[local + width];
        }
        workgroupBarrier();
    }
    return products[0];
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, @builtin(local_invocation_index) local: u32) {
    let row = number_of(group);
    if (row >= subject.count) {
        return;
    }
    var radial = 0.0;
    var norm = 1.0;
    if (subject.unit == 1u) {
        radial = radial_part(row, local);
        norm = norms[row];
    }
    // Values that are no rows are cut into some, of which the last may be shorter.
    let begin = row * subject.dimensions;
    let width = min(subject.dimensions, arrayLength(&gradient) - begin);
    var overflows = false;
    for (var k = local; k < width; k += WORKGROUP) {
        let index = begin + k;
        var value = scaled(index);
        if (subject.unit == 1u) {
            value = select((value - radial * points[row * 4u * subject.vectors + k]) / norm, 0.0, norm == 0.0);
        }
        overflows = overflows || !is_finite(value);
        gradient[index] = value;
    }
    if (overflows) {
        atomicMax(&state[OVERFLOW], 1u);
    }
    if (subject.last == 1u && row == 0u && local == 0u) {
        totals.sequence += 1u;
    }
}
