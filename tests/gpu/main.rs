//! What needs a device, on every adapter of the machine. One binary for all of it, which links wgpu
//! once and makes its pipelines once.

/// Results are those of the reference, within its bounds.
mod agreement {
    mod confident;
    mod counts;
    mod digits;
    mod goldens;
    mod large_means;
    mod lists;
    mod long_loops;
    mod measures;
    mod objectives;
    mod own_rows;
    mod pointwise;
    mod sampling;
    mod scored_pairs;
    mod search;
    mod shapes;
    mod sharded;
    mod thresholds;
    mod verification;
    mod weights;
}

/// What goes wrong at run time is a typed error, and the next evaluation is right.
mod failures {
    mod any_bits;
    mod cancellation;
    mod faults;
    mod limits;
}

mod middleware;
mod minimal;
mod properties;

/// Training on the device.
mod training {
    mod in_place;
    mod learned;
    mod memory_bank;
    mod trainer;
}

/// A plan's ways to its result: whichever it takes, the bits are the same.
mod ways {
    mod arithmetic;
    mod dispatches;
    mod plans;
    mod row_width;
    mod slices;
    mod stripes;
    mod tiers;
    mod tiles;
}
