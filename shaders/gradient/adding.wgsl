// Adds up the slices of a gradient, in their order:
//
//   gradient = sum_s slice_s
//
//   slices    slices x owners x D, tight   as gradient/summands.wgsl has them
//   gradient  rows x D, tight              written
//
// Memory-bound: reads every slice once. An invocation for each number.

// #include "gradient/summands.wgsl"

@group(0) @binding(3) var<storage, read> slices: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(6) var<uniform> sizes: Sizes;

const WORKGROUP = 256u;

// Numbers of a slice.
fn slice_numbers() -> u32 {
    return owners().count * stripe.dimensions;
}

// The sum of one of them over all slices.
fn sum_of_slices(index: u32) -> f32 {
    let end = (summands().count + stripe.slice - 1u) / stripe.slice * slice_numbers();
    var sum = 0.0;
    for (var at = index; at < end; at += slice_numbers()) {
        sum += slices[at];
    }
    return sum;
}
