// Adam, in step t:
//
//   g = dL/dw + weight_decay w
//   m = beta_1 m + (1 - beta_1) g        v = beta_2 v + (1 - beta_2) g^2
//   w = w - learning_rate m' / (sqrt(v') + epsilon)
//   m' = m / (1 - beta_1^t)              v' = v / (1 - beta_2^t)
//
// 1 - beta^t is what the moment of a gradient that was always 1 would be, and is computed as that:
// a sum of positive numbers, where powers close to 1 would cancel out.
//
//   moments  P   (m, v), in place

// #include "training/optimizer.wgsl"

struct Settings {
    count: u32,  // P
    learning_rate: f32,
    beta_1: f32,
    beta_2: f32,
    epsilon: f32,
    weight_decay: f32,
}

@group(0) @binding(5) var<uniform> settings: Settings;
@group(0) @binding(3) var<storage, read_write> moments: array<vec2<f32>>;

// The moments after one gradient more.
fn next_moments(earlier: vec2<f32>, powers: vec2<f32>) -> vec2<f32> {
    let betas = vec2(settings.beta_1, settings.beta_2);
    return betas * earlier + (1.0 - betas) * powers;
}

@compute @workgroup_size(1)
fn begin() {
    progress.steps += 1u;
    progress.means_of_one = next_moments(progress.means_of_one, vec2(1.0));
}

fn make_step(index: u32, w: f32, g: f32) -> bool {
    let moment = next_moments(moments[index], vec2(g, g * g));
    let mean = moment / progress.means_of_one;
    let next = w - settings.learning_rate * mean.x / (sqrt(mean.y) + settings.epsilon);
    let is_made = is_finite(moment.x) && is_finite(moment.y) && is_finite(next);
    if (is_made) {
        moments[index] = moment;
        parameters[index] = next;
    }
    return is_made;
}
