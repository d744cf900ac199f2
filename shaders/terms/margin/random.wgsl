// Random numbers without a state: a hash of what they are for, the same on every device.
// src/definition/random.rs has the same.

// pcg3d of Jarzynski and Olano, "Hash Functions for GPU Rendering", JCGT 2020.
fn pcg3d(key: vec3<u32>) -> vec3<u32> {
    var v = key * 1664525u + 1013904223u;
    v.x += v.y * v.z;
    v.y += v.z * v.x;
    v.z += v.x * v.y;
    v ^= v >> vec3(16u);
    v.x += v.y * v.z;
    v.y += v.z * v.x;
    v.z += v.x * v.y;
    return v;
}

// In [0, 1), of 24 bits, so that f32 has it exactly.
fn uniform_number(key: vec3<u32>) -> f32 {
    return f32(pcg3d(key).x >> 8u) * 0x1p-24f;
}
