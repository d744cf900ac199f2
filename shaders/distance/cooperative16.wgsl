// shaders/distance/cooperative.wgsl with matrices of 16 x 16.

// #include "distance/cooperative.wgsl"

const SIDE: u32 = 16u;
alias Rows = coop_mat16x16<f16, A>;
alias Columns = coop_mat16x16<f16, B>;
alias Products = coop_mat16x16<f32, C>;
