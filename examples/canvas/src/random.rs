//! Random numbers that depend on a seed alone.

/// Numbers that look random, by the permuted congruential generator PCG-RXS-M-XS.
///
/// Source: O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for
/// Random Number Generation", 2014.
#[derive(Clone, Debug)]
pub struct Random(u32);

impl Random {
    /// Those of this seed.
    pub const fn new(seed: u32) -> Self {
        Self(seed)
    }

    /// The next, evenly in [0, 1).
    pub fn even(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        let word = ((self.0 >> ((self.0 >> 28) + 4)) ^ self.0).wrapping_mul(277_803_737);
        ((word ^ (word >> 22)) >> 8) as f32 / (1 << 24) as f32
    }

    /// The next, from the normal distribution of mean 0 and deviation 1.
    ///
    /// Source: Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958.
    pub fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - self.even()).ln()).sqrt();
        radius * (std::f32::consts::TAU * self.even()).cos()
    }
}
