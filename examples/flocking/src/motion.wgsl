// One step of every particle: semi-implicit Euler.
//
//   velocity' = strength * force + drive * (1 - |velocity|^2 / speed^2) * velocity + turn back at the border
//   position' = velocity
//
// The force is the negated gradient of the mean contrastive loss, times the number of particles: so it does not fade as they
// become more. Without it every particle comes to move at `speed`.

struct Settings {
    particles: u32,
    dimensions: u32,
    strength: f32,
    drive: f32,
    speed: f32,
    // Of a step, in seconds.
    duration: f32,
    padding: vec2<u32>,
}

@group(0) @binding(0) var<uniform> settings: Settings;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> positions: array<f32>;
@group(0) @binding(3) var<storage, read_write> velocities: array<f32>;

const WORKGROUP = 64u;
// Half the side of the square, or cube, that holds them, and how hard its border turns them back.
const REACH = 1.0;
const BORDER = 40.0;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let particle = (group.y * groups.x + group.x) * WORKGROUP + local;
    if (particle >= settings.particles) {
        return;
    }
    let first = particle * settings.dimensions;
    var square = 0.0;
    for (var axis = 0u; axis < settings.dimensions; axis++) {
        square += velocities[first + axis] * velocities[first + axis];
    }
    let drive = settings.drive * (1.0 - square / (settings.speed * settings.speed));
    for (var at = first; at < first + settings.dimensions; at++) {
        let force = -gradient[at] * f32(settings.particles);
        let beyond = positions[at] - clamp(positions[at], -REACH, REACH);
        let acceleration = settings.strength * force + drive * velocities[at] - BORDER * beyond;
        velocities[at] += settings.duration * acceleration;
        positions[at] += settings.duration * velocities[at];
    }
}
