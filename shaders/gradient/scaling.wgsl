// A gradient that is scaled where it is summed up, because the totals are known before. For points
// that are the rows themselves; unit rows need finish/gradient.wgsl.
//
//   gradient = factor * scale * sum

// #include "shared/finish.wgsl"
// #include "shared/numbers.wgsl"
// #include "shared/state.wgsl"
// #include "shared/summary.wgsl"

@group(0) @binding(7) var<storage, read_write> totals: Totals;
@group(0) @binding(8) var<storage, read_write> state: array<atomic<u32>, STATE_SIZE>;
@group(0) @binding(9) var<uniform> finish: Finish;

fn finished(sum: vec4<f32>) -> vec4<f32> {
    let value = sum * finish.factor * totals.scale;
    if (!(is_finite(value.x) && is_finite(value.y) && is_finite(value.z) && is_finite(value.w))) {
        atomicMax(&state[OVERFLOW], 1u);
    }
    return value;
}
