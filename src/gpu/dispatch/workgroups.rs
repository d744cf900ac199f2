//! How many workgroups a kernel has, and what each of them costs.

/// Workgroups that are numbered through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workgroups {
    pub count: u32,
    /// Roughly how many arithmetic operations a workgroup takes the time of, at most.
    pub most: u64,
    /// Roughly how many all of them take.
    pub cost: u64,
}

impl Workgroups {
    /// Workgroups of 256 invocations with a value or a few each, of `count` values.
    pub(crate) fn for_values(count: u32, cost_per_value: u64) -> Self {
        let most = OPERATIONS_PER_GROUP.max(256 * cost_per_value);
        Self { count: count.div_ceil(256), most, cost: u64::from(count) * cost_per_value }
    }

    /// A workgroup for each row of `width` values, with loops over them and a reduction or two of
    /// 32 invocations between.
    pub(crate) fn for_rows(count: u32, width: u64, cost_per_value: u64) -> Self {
        let most = OPERATIONS_PER_ROW + OPERATIONS_PER_VALUE.max(cost_per_value) * width;
        Self { count, most, cost: u64::from(count) * width * cost_per_value }
    }
}

/// How many arithmetic operations a workgroup takes the time of that reads and writes a few values
/// for each of its invocations.
pub(crate) const OPERATIONS_PER_GROUP: u64 = 4096;

/// How many arithmetic operations a workgroup takes the time of that has a row to itself: its
/// barriers are what takes the time on a software
/// adapter, some 3 microseconds.
pub(crate) const OPERATIONS_PER_ROW: u64 = 32_768;

/// How many arithmetic operations every value of the row takes the time of, which comes from memory
/// and goes back to it.
pub(crate) const OPERATIONS_PER_VALUE: u64 = 64;

/// Workgroups in a dimension of a dispatch: `ACROSS` of `shaders/shared/folded.wgsl`.
pub(crate) const MOST_GROUPS: u32 = 65535;

/// Folds a number of workgroups to two dimensions.
pub(crate) fn folded(groups: u32) -> [u32; 3] {
    if groups <= MOST_GROUPS {
        [groups, 1, 1]
    } else {
        [MOST_GROUPS, groups.div_ceil(MOST_GROUPS), 1]
    }
}
