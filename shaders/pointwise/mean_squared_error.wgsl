// Mean squared error: (p - t)^2

// #include "pointwise/elements.wgsl"

fn term_of(p: f32, t: f32) -> Term {
    let r = p - t;
    return Term(r * r, 2.0 * r, p != t);
}
