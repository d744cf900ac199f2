//! Random and mutated bytes.

/// A generator of bytes, the same on every machine.
pub struct Random(pub u64);

impl Random {
    fn word(&mut self) -> u32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }

    /// A number below `count`.
    pub fn below(&mut self, count: usize) -> usize {
        self.word() as usize % count
    }

    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| (self.word() >> 11) as u8).collect()
    }

    /// The seed with some bytes replaced, put in, left out, or cut off.
    pub fn mutate(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..1 + self.below(4) {
            let at = self.below(bytes.len() + 1);
            let byte = if self.below(2) == 0 { self.word() as u8 } else { self.other_of(seed) };
            match self.below(6) {
                0 | 1 if at < bytes.len() => bytes[at] = byte,
                2 => bytes.insert(at, byte),
                3 if at < bytes.len() => _ = bytes.remove(at),
                4 if self.below(4) == 0 => bytes.truncate(at),
                _ => bytes.rotate_left(at / 64),
            }
        }
        bytes
    }

    fn other_of(&mut self, seed: &[u8]) -> u8 {
        seed[self.below(seed.len())]
    }
}
