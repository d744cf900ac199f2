// Prepares a set of rows: checks the bits of every value, takes the norms, and writes the points
// that the other kernels read: padded to whole vec4s with 0, unit rows where the loss asks for
// them.
//
//   raw                          the caller's rows: row i begins at offset + i * stride
//   points  count x 4 * vectors  written
//   norms   count                written; 0 where the norm is below the smallest normal f32
//   labels  count                written: the caller's, or for prototypes the row's index
//
// One workgroup of 32 per row.

// #include "shared/group.wgsl"
// #include "shared/numbers.wgsl"
// #include "shared/row_sum.wgsl"
// #include "shared/sizes.wgsl"
// #include "shared/state.wgsl"

struct Rows {
    first: u32,          // the first workgroup of a dispatch, where several share them
    of_references: u32,  // 1: the rows are the references, else the queries
    dimensions: u32,     // D
    vectors: u32,        // ceil(D / 4)
    unit: u32,           // 1: divide each row by its norm
    labelled: u32,       // 1: labels are given
    classes: u32,        // labels must be below it; 0: any label will do
    fault: u32,          // entry of the state for values that are not finite
    offset: u32,         // of the first row in `raw`
    stride: u32,         // from row to row in `raw`
}

@group(0) @binding(0) var<uniform> subject: Rows;
@group(0) @binding(1) var<storage, read> raw: array<f32>;
@group(0) @binding(2) var<storage, read> raw_labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> points: array<f32>;
@group(0) @binding(4) var<storage, read_write> norms: array<f32>;
@group(0) @binding(5) var<storage, read_write> labels: array<u32>;
@group(0) @binding(6) var<storage, read_write> state: array<atomic<u32>, STATE_SIZE>;
@group(0) @binding(7) var<uniform> sizes: Sizes;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = subject.first + number_of(group);
    if (row >= select(sizes.queries, sizes.references, subject.of_references == 1u)) {
        return;
    }
    let exponent = row_exponent(row, invocation);
    // Scaled by a power of two, squares neither overflow nor vanish.
    let scale = scale_for(exponent);
    let scaled_norm = sqrt(row_square(row, invocation, scale));
    let norm = scaled_norm * inverse_scale_for(exponent);
    let is_zero = norm < SMALLEST_NORMAL;
    for (var k = invocation.index; k < 4u * subject.vectors; k += WORKGROUP) {
        var value = 0.0;
        if (k < subject.dimensions) {
            value = raw[place_of(row) + k];
        }
        if (subject.unit == 1u) {
            value = select(value * scale / scaled_norm, 0.0, is_zero);
        }
        points[row * 4u * subject.vectors + k] = value;
    }
    if (invocation.index == 0u) {
        norms[row] = select(norm, 0.0, is_zero);
        if (subject.unit == 0u) {
            atomicMax(&state[EXPONENT], exponent);
        }
        write_label(row);
    }
}

// Where a row begins.
fn place_of(row: u32) -> u32 {
    return subject.offset + row * subject.stride;
}

// The largest exponent of the row; reports the values that are not finite.
fn row_exponent(row: u32, invocation: Invocation) -> u32 {
    var largest = 0u;
    for (var k = invocation.index; k < subject.dimensions; k += WORKGROUP) {
        let value = raw[place_of(row) + k];
        if (!is_finite(value)) {
            atomicMax(&state[subject.fault], fault_key(row * subject.dimensions + k));
        }
        largest = max(largest, exponent_of(value));
    }
    return row_largest(largest, invocation);
}

// sum (scale x)^2 over the row
fn row_square(row: u32, invocation: Invocation, scale: f32) -> f32 {
    var sum = 0.0;
    for (var k = invocation.index; k < subject.dimensions; k += WORKGROUP) {
        let value = raw[place_of(row) + k] * scale;
        sum += value * value;
    }
    return row_sum(sum, invocation);
}

fn write_label(row: u32) {
    var label = row;
    if (subject.labelled == 1u) {
        label = raw_labels[row];
    }
    if (subject.classes > 0u && label >= subject.classes) {
        atomicMax(&state[LABEL_FAULT], fault_key(row));
        label = 0u;  // an index that exists: the fault makes the result an error anyway
    }
    labels[row] = label;
}
