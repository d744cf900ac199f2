// Binary cross-entropy of a logit x: max(x, 0) - x t + log(1 + exp(-|x|)), with the slope s(x) - t
//
// s(x) is s(-|x|) for x < 0 and 1 - s(-|x|) else: taken from the nearer of 0 and 1, the slope keeps
// its digits where the logit is right and confident.

// #include "pointwise/elements.wgsl"
// #include "shared/exponential.wgsl"

fn term_of(x: f32, t: f32) -> Term {
    let value = max(x, 0.0) - x * t + softplus(-abs(x));
    let tail = sigmoid(-abs(x));
    // The cross-entropy of a probability is never 0, though f32 may round it so.
    let is_nonzero = (t >= 0.0 && t <= 1.0) || value > 0.0;
    return Term(value, select(tail - t, (1.0 - t) - tail, x >= 0.0), is_nonzero);
}
