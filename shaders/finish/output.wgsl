// Hands a gradient to a buffer of the caller's:
//
//   result  (+)= gradient    0 in its place where the verdict is not 0
//
//   gradient  count   tight
//   verdict           of finish/verdict.wgsl
//   result    count   the caller's
//
// Memory-bound: reads and writes each value once, and reads the caller's where it accumulates.

// #include "shared/group.wgsl"

struct Output {
    first: u32,       // the first workgroup of a dispatch, where several share them
    count: u32,
    accumulate: u32,  // 1: added to what is there
}

@group(0) @binding(0) var<uniform> subject: Output;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> verdict: u32;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

const WORKGROUP = 256u;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let index = (subject.first + number_of(group)) * WORKGROUP + invocation.index;
    if (index >= subject.count) {
        return;
    }
    let is_valid = verdict == 0u;
    if (subject.accumulate == 0u) {
        result[index] = select(0.0, gradient[index], is_valid);
    } else if (is_valid) {
        result[index] += gradient[index];
    }
}
