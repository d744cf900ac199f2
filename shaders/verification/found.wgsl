// What is found beside the thresholds of verification/marks.wgsl. The host reads it:
// src/wgsl/layout.rs.

struct Found {
    nearer: vec4<u32>,      // the sum of verification/places.wgsl, in 128 bits
    faults: vec4<u32>,      // of embeddings and references: shared/state.wgsl
    list_faults: vec4<u32>, // of indices, pairs and targets
    given: vec4<u32>,       // sizes as the caller gave them: shared/sizes.wgsl
    same_pairs: vec2<u32>,  // pairs that are the same, by their labels
    margin: vec2<u32>,      // how many more of the same than of the different the best threshold accepts
    threshold: u32,         // the order of that threshold, where the margin is above 0
    overflow: u32,          // 1 where the distance of a pair is not finite
    sequence: u32,          // how many recordings have run to their last dispatch
}
