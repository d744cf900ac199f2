//! Listed pairs on the GPU: which rows they are of, and which of them each row is part of.

use super::basis::Basis;
use super::buffers::Maker;
use super::dispatch::{Bound, Groups, Step};
use super::inputs::{Checker, Inputs};
use super::kernel::Kernel;
use super::kernels;
use super::layout::Start;
use super::stripes::pairs;
use crate::Result;
use crate::shape::{Mode, Shape};

/// `BLOCK` and `DIGITS` of `shaders/incidence/digits.wgsl`.
pub(crate) const BLOCK: u64 = 1024;
pub(crate) const DIGITS: u64 = 256;

/// Bits of a digit.
pub(crate) const DIGIT_BITS: u32 = DIGITS.ilog2();

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
    /// Before and after a digit, in turn.
    orders: [wgpu::Buffer; 2],
    counts: wgpu::Buffer,
    digits: u32,
}

impl List {
    /// `None` for the modes without a list.
    pub(crate) fn new(make: &Maker, shape: &Shape) -> Result<Option<Self>> {
        let pairs = pairs(shape);
        if pairs == 0 {
            return Ok(None);
        }
        let kinds = make.storage("kinds of the pairs", pairs * 4)?;
        let indices = match shape.mode() {
            Mode::PairRows => None,
            _ => Some(Indices::new(make, shape.queries(), 2 * pairs)?),
        };
        Ok(Some(Self { kinds, indices }))
    }
}

impl Indices {
    fn new(make: &Maker, rows: usize, places: u64) -> Result<Self> {
        let bits = usize::BITS - (rows - 1).leading_zeros();
        Ok(Self {
            rows: make.storage("listed rows", places * 4)?,
            orders: [
                make.storage("places in order", places * 4)?,
                make.storage("places in order", places * 4)?,
            ],
            counts: make.storage("counts of digits", places.div_ceil(BLOCK) * DIGITS * 4)?,
            digits: bits.div_ceil(DIGIT_BITS).max(1),
        })
    }

    /// The kernels that sort the places, in their order: each with its buffers and the number of
    /// its workgroups.
    pub(crate) fn sorting(&self, places: u64) -> Vec<(Kernel, [&wgpu::Buffer; 4], u32)> {
        let blocks = places.div_ceil(BLOCK) as u32;
        let mut steps = Vec::new();
        for digit in 0..self.digits {
            let [ordered, order] = self.orders_of(digit);
            let buffers = [&self.rows, order, &self.counts, ordered];
            let groups = [blocks, 1, blocks];
            steps.extend(
                kernels::incidence(digit)
                    .into_iter()
                    .zip(groups)
                    .map(|(kernel, groups)| (kernel, buffers, groups)),
            );
        }
        steps
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

/// Checks the caller's list and prepares it.
pub(crate) fn prepare(
    basis: &Basis,
    list: &List,
    inputs: &Inputs<'_>,
    check: &Checker,
) -> Result<Vec<Step>> {
    let Basis { shape, matrix, context, .. } = basis;
    let count = shape.listed();
    let triplets = || {
        check.needed(
            "triplets",
            &inputs.triplets,
            3 * count,
            "the plan was made for listed triplets",
        )
    };
    let pairs =
        || check.needed("pairs", &inputs.pairs, 2 * count, "the plan was made for listed pairs");
    let same = || check.needed("same", &inputs.same, count, "every pair is the same or different");
    // What a kind does not use is bound to what it does.
    let (entries, same) = match shape.mode() {
        Mode::Triplets => (triplets()?, triplets()?),
        Mode::PairIndices => (pairs()?, same()?),
        _ => (same()?, same()?),
    };
    let rows = list.indices.as_ref().map_or(&matrix.unused, |indices| &indices.rows);
    let bound = [
        entries,
        same,
        Bound::all(rows),
        Bound::all(&list.kinds),
        Bound::all(&matrix.state),
        Bound::all(&basis.sizes),
    ];
    let kernel = kernels::prepare_list(shape.mode());
    kernel.steps(
        context,
        "prepare list",
        Start::default(),
        &bound,
        Groups::of_values(count as u32, 8),
    )
}
