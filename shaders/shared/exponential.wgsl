// Exponentials that neither overflow nor lose their digits.

// log(1 + x) for x in [0, 1] as 2 artanh(x / (2 + x)), by its series: z = x / (2 + x) is at most
// 1/3, so eight terms leave less than f32 rounds. WGSL's own log is allowed an error of 2^-21 near
// 1, where the small values are.
fn log_one_plus(x: f32) -> f32 {
    let z = x / (2.0 + x);
    let q = z * z;
    let tail = 1.0 / 9.0 + q * (1.0 / 11.0 + q * (1.0 / 13.0 + q / 15.0));
    let series = 1.0 + q * (1.0 / 3.0 + q * (0.2 + q * (1.0 / 7.0 + q * tail)));
    return 2.0 * z * series;
}

// log(exp(a) + exp(b))
fn log_add(a: f32, b: f32) -> f32 {
    return max(a, b) + log_one_plus(exp(-abs(a - b)));
}

// log(1 + exp(x))
fn softplus(x: f32) -> f32 {
    return max(x, 0.0) + log_one_plus(exp(-abs(x)));
}

// 1 / (1 + exp(-x))
fn sigmoid(x: f32) -> f32 {
    let small = exp(-abs(x));
    return select(small, 1.0, x >= 0.0) / (1.0 + small);
}
