// The gradient of a loss's own numbers, the boundaries of Wu's margin, a scale or a bias: per
// class, or in all, the sum of the anchors' slopes.
//
//   rows      N
//   gradient  1 or C  written
//
// One workgroup per number.

// #include "shared/numbers.wgsl"
// #include "shared/reduce.wgsl"
// #include "shared/start.wgsl"
// #include "shared/state.wgsl"
// #include "shared/summary.wgsl"

override PER_CLASS: u32 = 0u;
// Which slope of a row is meant.
override PLACE: u32 = 0u;

@group(0) @binding(1) var<storage, read> rows: array<Row>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read> totals: Totals;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> state: array<atomic<u32>, STATE_SIZE>;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let index = number_from_start(group);
    if (index >= arrayLength(&gradient)) {
        return;
    }
    var sum = 0.0;
    for (var i = invocation.index; i < totals.rows; i += WORKGROUP) {
        if (PER_CLASS == 0u || labels[i] == index) {
            let slopes = rows[i].learned_slopes;
            sum += select(slopes.x, slopes.y, PLACE == 1u);
        }
    }
    let total = workgroup_sum(vec4(sum, 0.0, 0.0, 0.0), invocation).x;
    if (invocation.index == 0u) {
        let value = totals.scale * total;
        gradient[index] = value;
        if (!is_finite(value)) {
            atomicMax(&state[OVERFLOW], 1u);
        }
    }
}
