//! What a fuzzer's bytes are read as.

/// Bytes that choices are made of; 0 where they have ended.
pub struct Source<'a>(pub &'a [u8]);

impl Source<'_> {
    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    pub fn word(&mut self) -> u32 {
        u32::from_le_bytes([(); 4].map(|()| self.byte()))
    }

    /// One of so many.
    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    pub fn flag(&mut self) -> bool {
        self.byte() % 2 == 1
    }

    /// True for one byte in 32.
    pub fn rarely(&mut self) -> bool {
        self.byte() % 32 == 31
    }

    pub fn choose<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    /// Mostly an ordinary number, or one at an edge of f32, or any 32 bits.
    pub fn number(&mut self) -> f32 {
        const EDGES: [u32; 12] = [
            0x8000_0000, // -0
            0x0000_0001, // the smallest subnormal
            0x807f_ffff, // the largest below 0
            0x0080_0000, // the smallest normal
            0x7f7f_ffff, // the largest
            0xff7f_ffff,
            0x7f80_0000, // infinities
            0xff80_0000,
            0x7fc0_0000, // NaN, quiet and signalling, with payloads
            0x7f80_0001,
            0xffff_ffff,
            0x5f80_0000, // whose square is beyond f32
        ];
        match self.byte() {
            250.. => f32::from_bits(self.word()),
            246..250 => f32::from_bits(self.choose(&EDGES)),
            byte => (f32::from(byte) - 123.0) / 64.0,
        }
    }

    /// Mostly below `count`, or any 32 bits.
    pub fn index(&mut self, count: usize) -> u32 {
        if self.rarely() { self.word() } else { self.below(count.max(1)) as u32 }
    }

    /// Mostly as many numbers, else one more or less.
    pub fn numbers(&mut self, count: usize) -> Vec<f32> {
        (0..self.length(count)).map(|_| self.number()).collect()
    }

    pub fn indices(&mut self, count: usize, limit: usize) -> Vec<u32> {
        (0..self.length(count)).map(|_| self.index(limit)).collect()
    }

    /// Small, and mostly not 0.
    pub fn size(&mut self) -> usize {
        if self.rarely() { 0 } else { 1 + self.below(6) }
    }

    /// The size itself, or one at which products and bytes overflow.
    pub fn claim(&mut self, size: usize) -> usize {
        const HUGE: [usize; 4] = [usize::MAX, usize::MAX / 2, 1 << 30, u32::MAX as usize];
        if self.byte() > 250 { self.choose(&HUGE) } else { size }
    }

    fn length(&mut self, count: usize) -> usize {
        match self.byte() {
            254 => count + 1,
            255 => count.saturating_sub(1),
            _ => count,
        }
    }
}
