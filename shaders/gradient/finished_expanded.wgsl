// The gradient from the coefficients of a stripe that is the whole matrix, scaled at once, where
// distances are expanded.

// #include "gradient/expansion.wgsl"
// #include "gradient/finishing.wgsl"
