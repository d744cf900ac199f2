// Soft triple loss: the cross-entropy over classes at the distance
//
//   D = sum_k q_k d_k,  q_k = exp((nearest - d_k) / gamma) / sum_k exp((nearest - d_k) / gamma)
//
// of their centres k, with `nearest` the least of the d_k, so that no summand is above exp(0). The
// slope of D by d_k is q_k (1 - (d_k - D) / gamma). The sums and the coefficients are in
// terms/classes.wgsl.

// #include "terms/classes.wgsl"

struct Parameters {
    scale: f32,
    centers: u32,
    gamma: f32,
    margin: f32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

fn own_of(d: f32) -> Own {
    return Own(d + parameters.margin, 1.0);
}

fn loss_scale() -> f32 {
    return parameters.scale;
}

// The centres of a class: the sum of their exponentials, and how far their mean is behind the
// nearest.
struct Centers {
    nearest: f32,
    sum: f32,
    behind: f32,
}

fn exponential_of(nearest: f32, d: f32) -> f32 {
    return exp(min(nearest - d, 0.0) / parameters.gamma);
}

fn centers_from(row: u32, first: u32) -> Centers {
    let begin = row * stripe.stride + first;
    var nearest = distance_at(begin);
    for (var k = 1u; k < parameters.centers; k++) {
        nearest = min(nearest, distance_at(begin + k));
    }
    var sum = 0.0;
    var behind = 0.0;
    for (var k = 0u; k < parameters.centers; k++) {
        let d = distance_at(begin + k);
        let part = exponential_of(nearest, d);
        sum += part;
        behind += part * (d - nearest);
    }
    return Centers(nearest, sum, behind / sum);
}

fn distance_of_centers(row: u32, first: u32) -> f32 {
    let centers = centers_from(row, first);
    return centers.nearest + centers.behind;
}

fn share_of_center(row: u32, column: u32, first: u32) -> f32 {
    let centers = centers_from(row, first);
    let d = distance_at(row * stripe.stride + column);
    let apart = (d - centers.nearest) - centers.behind;
    let part = exponential_of(centers.nearest, d) / centers.sum;
    // Of a centre that has no part, how far it is may be beyond f32 in units of gamma.
    return select(part * (1.0 - apart / parameters.gamma), 0.0, part == 0.0);
}
