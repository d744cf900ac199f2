// Additive angular margin loss. With the angle t of a sample and the prototype of its class, at
// distance d = 1 - cos(t), and the margin m, the own class is taken for at the distance
//
//   1 - cos(t + m) = 1 - cos(m) + d cos(m) + sin(t) sin(m)    up to t = pi - m
//   d + m sin(m)                                              beyond
//
// with sin(t) = sqrt(d (2 - d)): d has its digits for small angles, 1 - cos(t)^2 would not. The slope
// by d is cos(m) + sin(m) (1 - d) / sin(t) and 1; at an angle of 0 there is no direction, and it is
// cos(m). The sums and the coefficients are in terms/classes.wgsl.

// #include "terms/nearest_center.wgsl"

struct Parameters {
    scale: f32,
    centers: u32,
    sine: f32,
    cosine: f32,
    versine: f32,  // 1 - cos(m)
    seam: f32,     // 1 + cos(m)
    lift: f32,     // m sin(m)
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

fn own_of(d: f32) -> Own {
    let sine = sqrt(max(d * (2.0 - d), 0.0));
    let turned = parameters.versine + d * parameters.cosine + sine * parameters.sine;
    let quotient = select(parameters.sine * (1.0 - d) / sine, 0.0, sine == 0.0);
    let is_beyond = d > parameters.seam;
    return Own(
        select(turned, d + parameters.lift, is_beyond),
        select(parameters.cosine + quotient, 1.0, is_beyond),
    );
}
