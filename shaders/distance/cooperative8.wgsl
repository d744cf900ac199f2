// shaders/distance/cooperative.wgsl with matrices of 8 x 8.

// #include "distance/cooperative.wgsl"

const SIDE: u32 = 8u;
alias Rows = coop_mat8x8<f16, A>;
alias Columns = coop_mat8x8<f16, B>;
alias Products = coop_mat8x8<f32, C>;
