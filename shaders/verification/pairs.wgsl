// The pairs of a row that are verified: all of the matrix or of the list, those of a batch once, in
// the row of the lower index.

// #include "shared/order.wgsl"
// #include "shared/pairs.wgsl"
// #include "shared/reduce.wgsl"

// The first column of a row.
fn first_column(i: u32) -> u32 {
    return select(0u, i + 1u, stripe.same_set == 1u);
}

// Beyond the last one.
fn end_of_columns() -> u32 {
    return select(sizes.references, stripe.stride, sizes.pairs > 0u);
}
