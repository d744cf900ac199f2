// Terms within thresholds: src/loss/choice/reduction.rs.

const HAS_LOW = 1u;
const HAS_HIGH = 2u;

// `given` says which of the two there are. What is beyond f32 is no smaller than any `high`.
fn are_within(terms: vec4<f32>, low: f32, high: f32, given: u32) -> vec4<bool> {
    let is_below = (terms <= vec4(low)) & vec4((given & HAS_LOW) != 0u);
    let is_above = (terms >= vec4(high)) & vec4((given & HAS_HIGH) != 0u);
    return !(is_below | is_above);
}
