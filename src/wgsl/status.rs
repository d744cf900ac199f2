//! What a plan says of its last recording, in the bits of one u32 on the GPU: for shaders of the
//! application that use the loss or the gradient without a read-back. See
//! [`Plan::status`](crate::Plan::status).
//!
//! The word is 0 as long as no recording has run, and [`VALID`](crate::status::VALID) or bits of
//! what was wrong after each.

/// The loss and the gradients are the result.
pub const VALID: u32 = 1;

/// An input holds a number that is not finite, a label that chooses nothing, an index without a
/// row, or a target that is not allowed.
pub const FAULTY_INPUTS: u32 = 2;

/// A count in a buffer of the caller's is 0, or more than the plan was made for.
pub const SIZES_BEYOND_PLAN: u32 = 4;

/// The loss is beyond f32.
pub const LOSS_BEYOND_F32: u32 = 8;

/// The sum of the distances of the positive or the negative pairs is beyond f32.
pub const DISTANCES_BEYOND_F32: u32 = 16;

/// A number of a gradient is beyond f32.
pub const GRADIENT_BEYOND_F32: u32 = 32;
