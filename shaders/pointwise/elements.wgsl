// A loss whose terms are single values.
//
//   targets   N x D   the caller's, where the loss compares with any
//
// The file that includes it adds
//
//   fn term_of(value: f32, its_target: f32) -> Term
//
// One workgroup per row of the cut.
// Memory-bound: reads every value and target once, writes every slope once.

// #include "pointwise/values.wgsl"

@group(0) @binding(3) var<storage, read> targets: array<f32>;

// What values are compared with: `Truth` of src/loss/mod.rs.
const NOTHING = 0u;
const TARGETS = 1u;
const SIGNS = 2u;

override TRUTH: u32 = NOTHING;

struct Term {
    value: f32,
    slope: f32,        // d value / d prediction
    is_nonzero: bool,  // whether the term is greater than 0, though f32 may have rounded it to 0
}

// A target of the caller's; its bits are checked, and where only signs are allowed, that it is one.
fn checked_target(index: u32) -> f32 {
    if (TRUTH == NOTHING) {
        return 0.0;
    }
    let value = targets[index];
    faults.target_value = max(faults.target_value, select(fault_key(index), 0u, is_finite(value)));
    if (TRUTH == SIGNS) {
        let key = select(fault_key(index), 0u, abs(value) == 1.0);
        faults.target_sign = max(faults.target_sign, key);
    }
    return value;
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = row_of(group);
    if (row >= cut.rows) {
        return;
    }
    let begin = row * cut.width;
    // Rows beyond the values that there are add up to 0.
    let size = min(cut.width, max(sizes.queries * cut.dimensions, begin) - begin);
    var loss = 0.0;
    var scaled = 0.0;
    var nonzero = 0u;
    for (var k = invocation.index; k < size; k += WORKGROUP) {
        let index = begin + k;
        let term = term_of(checked_value(index), checked_target(index));
        loss += term.value;
        scaled += term.value * SCALED_DOWN;
        nonzero += select(0u, 1u, term.is_nonzero);
        gradient[index] = term.slope;
    }
    report_faults();
    let totals = workgroup_sum(vec4(loss, scaled, 0.0, 0.0), invocation);
    let count = workgroup_count(vec4(nonzero, 0u, 0u, 0u), invocation).x;
    if (invocation.index == 0u) {
        var sums = summary(totals.x, size, count);
        if (!is_finite(totals.x)) {
            sums.loss = totals.y;
            sums.scaled = 1u;
        }
        rows[row] = sums;
    }
}
