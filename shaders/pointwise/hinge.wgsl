// Hinge loss: max(0, 1 - t p), t is -1 or +1

// #include "pointwise/elements.wgsl"

fn term_of(p: f32, t: f32) -> Term {
    let argument = 1.0 - t * p;
    let is_within = argument > 0.0;
    return Term(max(0.0, argument), select(0.0, -t, is_within), is_within);
}
