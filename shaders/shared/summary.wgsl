// What a row adds up to, and what all rows add up to. The host reads both: src/wgsl/layout.rs.

// A sum may be beyond f32 where the mean is not: it is added up beside the plain one with every
// summand times this power of two, and taken only where the plain one is not finite. What is then
// lost of small summands is less than the rounding of the sum.
const SCALED_DOWN = 0x1p-32f;
const SCALED_UP = 0x1p32f;

struct Row {
    loss: f32,               // sum of the terms; where they are kept apart, of the positive ones
    negative_loss: f32,      // sum of the negative terms, where they are kept apart
    positive_distance: f32,  // sum of d over the positives
    negative_distance: f32,  // sum of d over the negatives
    positives: u32,
    negatives: u32,
    nonzero_positives: u32,  // terms of positive pairs greater than 0, where they are kept apart
    nonzero_negatives: u32,
    terms: vec2<u32>,        // 64-bit counts: shared/wide.wgsl
    nonzero: vec2<u32>,
    learned_slopes: vec2<f32>,  // sum of d term / d the loss's own numbers: the first, the second
    scaled: u32,             // 1: `loss` is beyond f32, and here times SCALED_DOWN
}

struct Totals {
    loss: f32,
    scale: f32,            // what the gradient of the summed terms is multiplied with
    positive_weight: f32,  // 1 / non-zero positive terms
    negative_weight: f32,  // 1 / non-zero negative terms
    mean_positive_distance: f32,
    mean_negative_distance: f32,
    sequence: u32,         // how many recordings have run to their last dispatch
    rows: u32,             // how many rows were added up
    terms: vec2<u32>,
    nonzero: vec2<u32>,
    nonzero_positives: vec2<u32>,
    nonzero_negatives: vec2<u32>,
    positive_pairs: vec2<u32>,
    negative_pairs: vec2<u32>,
    faults: vec4<u32>,     // of embeddings, references, learned, labels: shared/state.wgsl
    list_faults: vec4<u32>,  // of indices, pairs, targets, and targets that are not finite
    given: vec4<u32>,      // sizes as the caller gave them: shared/sizes.wgsl
    status: u32,           // shared/status.wgsl
}
