// The gradient from the coefficients of a stripe that is the whole matrix, scaled at once.

// #include "gradient/differences.wgsl"
// #include "gradient/finishing.wgsl"
