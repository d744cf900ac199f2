// What a plan says of its last recording, in bits. The host reads them: src/wgsl/status.rs. 0: there
// was none.

const VALID = 1u;
const FAULTY_INPUTS = 2u;
const SIZES_BEYOND_PLAN = 4u;
const LOSS_BEYOND_F32 = 8u;
const DISTANCES_BEYOND_F32 = 16u;
const GRADIENT_BEYOND_F32 = 32u;
