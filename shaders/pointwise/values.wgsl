// The values of a pointwise loss as one run, cut into rows that are seen by one workgroup each.
//
//   values    N x D   the caller's predictions, logits or weights
//   gradient  N x D   written: the slopes of the terms, before the reduction
//   rows      rows    written: what each row of the cut adds up to

// #include "shared/group.wgsl"
// #include "shared/numbers.wgsl"
// #include "shared/reduce.wgsl"
// #include "shared/sizes.wgsl"
// #include "shared/state.wgsl"
// #include "shared/summary.wgsl"

struct Cut {
    first: u32,       // the first workgroup of a dispatch, where several share them
    dimensions: u32,  // D
    width: u32,       // values of a row; the last may have fewer
    rows: u32,        // number of rows, as planned
}

@group(0) @binding(0) var<uniform> cut: Cut;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> rows: array<Row>;
@group(0) @binding(6) var<storage, read_write> state: array<atomic<u32>, STATE_SIZE>;
@group(0) @binding(7) var<uniform> sizes: Sizes;

// The row of the cut that a workgroup sees.
fn row_of(group: Group) -> u32 {
    return cut.first + number_of(group);
}

// The first faults that an invocation has seen, as keys: they are few, so that the loops over
// values need no atomics.
struct Faults {
    value: u32,         // a value that is not finite
    target_value: u32,  // a target that is not finite
    target_sign: u32,   // a target that is not allowed
}

var<private> faults: Faults;

// A value of the caller's; its bits are checked.
fn checked_value(index: u32) -> f32 {
    let value = values[index];
    faults.value = max(faults.value, select(fault_key(index), 0u, is_finite(value)));
    return value;
}

fn report_faults() {
    if (faults.value > 0u) {
        atomicMax(&state[EMBEDDINGS_FAULT], faults.value);
    }
    if (faults.target_value > 0u) {
        atomicMax(&state[TARGET_VALUE_FAULT], faults.target_value);
    }
    if (faults.target_sign > 0u) {
        atomicMax(&state[TARGET_FAULT], faults.target_sign);
    }
}

fn summary(loss: f32, terms: u32, nonzero: u32) -> Row {
    var row: Row;
    row.loss = loss;
    row.terms.x = terms;
    row.nonzero.x = nonzero;
    return row;
}
