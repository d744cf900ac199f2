//! Listed pairs on the GPU: which rows they are of, which of them each row is part of, and the order
//! of their targets.

use crate::data::shape::Shape;
use crate::error::Result;
use crate::gpu::device::allocate::Allocator;
use crate::gpu::kernel::catalogue::Sorted;
use crate::gpu::kernel::{Kernel, catalogue};
use crate::wgsl::layout::{BLOCK, DIGIT_BITS, DIGITS};

/// A prepared list.
#[derive(Debug)]
pub(crate) struct List {
    /// 1 for a positive pair, 0 for a negative one; of scored pairs the keys of their targets.
    pub kinds: wgpu::Buffer,
    /// What the pairs of one set need; row-aligned pairs are in order as they are.
    pub indices: Option<Indices>,
    /// The pairs sorted by their targets, where they have any.
    pub by_target: Option<Order>,
}

/// The rows of the pairs, and the places of the list sorted by the row that stands there.
#[derive(Debug)]
pub(crate) struct Indices {
    pub rows: wgpu::Buffer,
    pub by_row: Order,
}

/// What is sorted by keys, digit by digit.
#[derive(Debug)]
pub(crate) struct Order {
    sorted: Sorted,
    /// The order before and the order after a digit, in turn.
    orders: [wgpu::Buffer; 2],
    counts: wgpu::Buffer,
    digits: u32,
}

impl List {
    /// `None` for the modes without a list.
    pub(crate) fn new(allocator: &Allocator, shape: &Shape) -> Result<Option<Self>> {
        let (mode, pairs) = (shape.mode(), shape.pairs());
        if pairs == 0 {
            return Ok(None);
        }
        let kinds = allocator.storage("kinds of the pairs", pairs * 4)?;
        let has_indices = !mode.is_row_aligned();
        let indices = has_indices.then(|| Indices::new(allocator, shape.queries(), pairs));
        let by_target =
            mode.is_scored().then(|| Order::new(allocator, Sorted::Pairs, pairs, u32::BITS));
        Ok(Some(Self { kinds, indices: indices.transpose()?, by_target: by_target.transpose()? }))
    }

    /// Everything that is sorted, with its keys.
    pub(crate) fn sorted(&self) -> impl Iterator<Item = (&wgpu::Buffer, &Order)> {
        let by_row = self.indices.iter().map(|indices| (&indices.rows, &indices.by_row));
        by_row.chain(self.by_target.iter().map(|order| (&self.kinds, order)))
    }
}

impl Indices {
    fn new(allocator: &Allocator, rows: usize, pairs: u64) -> Result<Self> {
        let bits = usize::BITS - (rows - 1).leading_zeros();
        Ok(Self {
            rows: allocator.storage("listed rows", 2 * pairs * 4)?,
            by_row: Order::new(allocator, Sorted::Places, pairs, bits)?,
        })
    }
}

impl Order {
    /// The order of keys of so many bits.
    pub(crate) fn new(
        allocator: &Allocator,
        sorted: Sorted,
        pairs: u64,
        bits: u32,
    ) -> Result<Self> {
        let count = pairs * u64::from(sorted.per_pair());
        Ok(Self {
            sorted,
            orders: [
                allocator.storage("places in order", count * 4)?,
                allocator.storage("places in order", count * 4)?,
            ],
            counts: allocator.storage("counts of digits", count.div_ceil(BLOCK) * DIGITS * 4)?,
            digits: bits.div_ceil(DIGIT_BITS).max(1),
        })
    }

    /// How many are sorted of so many pairs.
    pub(crate) fn count(&self, pairs: u64) -> u64 {
        pairs * u64::from(self.sorted.per_pair())
    }

    /// The kernels that sort by these keys, in their order: each with its buffers and the number of
    /// its workgroups.
    pub(crate) fn sorting<'a>(
        &'a self,
        keys: &'a wgpu::Buffer,
        pairs: u64,
    ) -> Vec<(Kernel, [&'a wgpu::Buffer; 4], u32)> {
        let blocks = self.count(pairs).div_ceil(BLOCK) as u32;
        let mut dispatches = Vec::new();
        for digit in 0..self.digits {
            let [ordered, order] = self.orders_of(digit);
            let buffers = [keys, order, &self.counts, ordered];
            let groups = [blocks, 1, blocks];
            dispatches.extend(
                catalogue::incidence(self.sorted, digit)
                    .into_iter()
                    .zip(groups)
                    .map(|(kernel, groups)| (kernel, buffers, groups)),
            );
        }
        dispatches
    }

    /// What is sorted in its last order.
    pub(crate) fn last(&self) -> &wgpu::Buffer {
        self.orders_of(self.digits - 1)[0]
    }

    /// What the digit writes, and what it reads.
    fn orders_of(&self, digit: u32) -> [&wgpu::Buffer; 2] {
        let [one, other] = &self.orders;
        if digit.is_multiple_of(2) { [one, other] } else { [other, one] }
    }
}
