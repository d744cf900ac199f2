// Terms within thresholds: src/loss/choice/reduction.rs.
//
// The file that includes it adds
//
//   struct Parameters { low: f32, high: f32, given: u32 }   may have more members
//   var<uniform> parameters: Parameters

const HAS_LOW = 1u;
const HAS_HIGH = 2u;

// `given` says which of the two there are, and is not 0 where there are thresholds, even if it is
// neither. What is beyond f32 is no smaller than any `high`.
fn are_within(terms: vec4<f32>) -> vec4<bool> {
    let is_below = (terms <= vec4(parameters.low)) & vec4((parameters.given & HAS_LOW) != 0u);
    let is_above = (terms >= vec4(parameters.high)) & vec4((parameters.given & HAS_HIGH) != 0u);
    return !(is_below | is_above);
}

fn is_within(term: f32) -> bool {
    return are_within(vec4(term)).x;
}
