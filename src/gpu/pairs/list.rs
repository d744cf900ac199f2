//! Listed pairs on the GPU: which rows they are of, and which of them each row is part of.

use crate::data::shape::{Mode, Shape};
use crate::error::Result;
use crate::gpu::device::allocate::Allocator;
use crate::gpu::kernel::{Kernel, catalogue};
use crate::wgsl::layout::{BLOCK, DIGIT_BITS, DIGITS};

/// A prepared list.
#[derive(Debug)]
pub(crate) struct List {
    /// 1 for a positive pair, 0 for a negative one.
    pub kinds: wgpu::Buffer,
    /// What the pairs of one set need; row-aligned pairs are in order as they are.
    pub indices: Option<Indices>,
}

/// The rows of the pairs, and the places of the list sorted by the row that stands there.
#[derive(Debug)]
pub(crate) struct Indices {
    pub rows: wgpu::Buffer,
    /// The order before and the order after a digit, in turn.
    orders: [wgpu::Buffer; 2],
    counts: wgpu::Buffer,
    digits: u32,
}

impl List {
    /// `None` for the modes without a list.
    pub(crate) fn new(allocator: &Allocator, shape: &Shape) -> Result<Option<Self>> {
        let pairs = shape.pairs();
        if pairs == 0 {
            return Ok(None);
        }
        let kinds = allocator.storage("kinds of the pairs", pairs * 4)?;
        let indices = match shape.mode() {
            Mode::PairRows => None,
            _ => Some(Indices::new(allocator, shape.queries(), 2 * pairs)?),
        };
        Ok(Some(Self { kinds, indices }))
    }
}

impl Indices {
    fn new(allocator: &Allocator, rows: usize, places: u64) -> Result<Self> {
        let bits = usize::BITS - (rows - 1).leading_zeros();
        Ok(Self {
            rows: allocator.storage("listed rows", places * 4)?,
            orders: [
                allocator.storage("places in order", places * 4)?,
                allocator.storage("places in order", places * 4)?,
            ],
            counts: allocator.storage("counts of digits", places.div_ceil(BLOCK) * DIGITS * 4)?,
            digits: bits.div_ceil(DIGIT_BITS).max(1),
        })
    }

    /// The kernels that sort the places, in their order: each with its buffers and the number of
    /// its workgroups.
    pub(crate) fn sorting(&self, places: u64) -> Vec<(Kernel, [&wgpu::Buffer; 4], u32)> {
        let blocks = places.div_ceil(BLOCK) as u32;
        let mut dispatches = Vec::new();
        for digit in 0..self.digits {
            let [ordered, order] = self.orders_of(digit);
            let buffers = [&self.rows, order, &self.counts, ordered];
            let groups = [blocks, 1, blocks];
            dispatches.extend(
                catalogue::incidence(digit)
                    .into_iter()
                    .zip(groups)
                    .map(|(kernel, groups)| (kernel, buffers, groups)),
            );
        }
        dispatches
    }

    /// The places in their last order.
    pub(crate) fn order(&self) -> &wgpu::Buffer {
        self.orders_of(self.digits - 1)[0]
    }

    /// What the digit writes, and what it reads.
    fn orders_of(&self, digit: u32) -> [&wgpu::Buffer; 2] {
        let [one, other] = &self.orders;
        if digit.is_multiple_of(2) { [one, other] } else { [other, one] }
    }
}
