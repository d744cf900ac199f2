// The slope of max(0, x), handed through in place: 0 where x is not above 0.
//
//   gradient(i) = 0 where values(i) <= 0
//
//   values    what a layer of a perceptron has made, before it was rectified
//   gradient  as many, with respect to what came of it; then with respect to the values
//
// Memory-bound: reads every value once, and writes what becomes 0.

// #include "shared/start.wgsl"

@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read_write> gradient: array<f32>;

const WORKGROUP = 256u;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let index = number_from_start(group) * WORKGROUP + invocation.index;
    if (index < arrayLength(&values) && values[index] <= 0.0) {
        gradient[index] = 0.0;
    }
}
