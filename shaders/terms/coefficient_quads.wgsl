// terms/coefficients.wgsl for kernels whose invocations own four columns at a time. Writing one
// component of a vector may write the others as well, so no two invocations may share one.

@group(0) @binding(5) var<storage, read_write> coefficients: array<vec4<f32>>;
