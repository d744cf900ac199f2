// Stochastic gradient descent with momentum:
//
//   g = dL/dw + weight_decay w
//   v = momentum v + g
//   w = w - learning_rate v
//
//   velocities  P   v, in place

// #include "training/optimizer.wgsl"

struct Settings {
    count: u32,  // P
    learning_rate: f32,
    momentum: f32,
    weight_decay: f32,
}

@group(0) @binding(5) var<uniform> settings: Settings;
@group(0) @binding(3) var<storage, read_write> velocities: array<f32>;

@compute @workgroup_size(1)
fn begin() {
    progress.steps += 1u;
}

fn make_step(index: u32, w: f32, g: f32) -> bool {
    let velocity = settings.momentum * velocities[index] + g;
    let next = w - settings.learning_rate * velocity;
    let is_made = is_finite(velocity) && is_finite(next);
    if (is_made) {
        velocities[index] = velocity;
        parameters[index] = next;
    }
    return is_made;
}
