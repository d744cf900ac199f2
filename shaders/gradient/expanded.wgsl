// The gradient from the coefficients of a stripe, where distances are expanded.

// #include "gradient/expansion.wgsl"
// #include "gradient/storing.wgsl"
