// Large margin cosine loss: the own class is taken for farther by the margin. The sums and the
// coefficients are in terms/classes.wgsl.

// #include "terms/nearest_center.wgsl"

struct Parameters {
    scale: f32,
    centers: u32,
    margin: f32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

fn own_of(d: f32) -> Own {
    return Own(d + parameters.margin, 1.0);
}
