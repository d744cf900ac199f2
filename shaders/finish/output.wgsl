// Hands a gradient to a buffer of the caller's:
//
//   result  (+)= factor * gradient    0 in its place where the status is not VALID
//
//   gradient  count   tight
//   status            of finish/status.wgsl
//   result            the caller's: row i begins at offset + i * stride, and has as many columns
//
// Memory-bound: reads and writes each value once, and reads the caller's where it accumulates.

// #include "shared/group.wgsl"
// #include "shared/status.wgsl"

struct Output {
    first: u32,       // the first workgroup of a dispatch, where several share them
    count: u32,
    accumulate: u32,  // 1: added to what is there
    factor: f32,
    columns: u32,     // of a row
    offset: u32,
    stride: u32,
}

@group(0) @binding(0) var<uniform> subject: Output;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> status: u32;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

const WORKGROUP = 256u;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let index = (subject.first + number_of(group)) * WORKGROUP + invocation.index;
    if (index >= subject.count) {
        return;
    }
    let row = index / subject.columns;
    let place = subject.offset + row * subject.stride + index - row * subject.columns;
    let is_valid = status == VALID;
    let value = subject.factor * gradient[index];
    if (subject.accumulate == 0u) {
        result[place] = select(0.0, value, is_valid);
    } else if (is_valid) {
        result[place] += value;
    }
}
