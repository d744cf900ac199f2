// The gradient from the coefficients of a stripe.

// #include "gradient/differences.wgsl"
// #include "gradient/storing.wgsl"
