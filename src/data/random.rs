//! Random numbers without a state: a hash of what they are for. `shaders/terms/margin/random.wgsl`
//! has the same.

/// pcg3d of Jarzynski and Olano, "Hash Functions for GPU Rendering", JCGT 2020.
fn pcg3d(key: [u32; 3]) -> [u32; 3] {
    let words = mixed(key.map(|word| word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)));
    mixed(words.map(|word| word ^ (word >> 16)))
}

fn mixed([x, y, z]: [u32; 3]) -> [u32; 3] {
    let x = x.wrapping_add(y.wrapping_mul(z));
    let y = y.wrapping_add(z.wrapping_mul(x));
    let z = z.wrapping_add(x.wrapping_mul(y));
    [x, y, z]
}

/// A random number in [0, 1), of 24 bits, so that f32 has it exactly.
pub(crate) fn uniform_number(key: [u32; 3]) -> f64 {
    f64::from(pcg3d(key)[0] >> 8) / f64::from(1 << 24)
}
