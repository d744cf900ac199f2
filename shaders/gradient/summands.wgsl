// Which pairs of a stripe a gradient takes: the rows that it is for, its owners, and those that it
// is summed up over. By rows, TRANSPOSED = 0, the owners are the stripe's rows i, and the summands
// all columns j; transposed it is the other way round. TRIANGLE = 1 is in gradient/summation.wgsl.
//
// Where tiles are too few for a GPU, the summands are cut into slices of `stripe.slice`, all summed
// up at once. Each has a gradient of the owners, and these stand one behind the other in the place
// of `gradient`; gradient/slices.wgsl adds them up.
//
// The file that includes it adds
//
//   var<uniform> sizes: Sizes

// #include "shared/stripe.wgsl"

override TRANSPOSED: u32 = 0u;
override TRIANGLE: u32 = 0u;

struct Summands {
    first: u32,   // index of the first row of `other`
    count: u32,
}

fn summands() -> Summands {
    if (TRANSPOSED == 1u) {
        return Summands(stripe.begin, stripe_rows());
    }
    if (TRIANGLE == 1u) {
        return Summands(0u, stripe.begin + stripe_rows());
    }
    return Summands(0u, sizes.references);
}

// The rows of `own` that the gradient is for.
fn owners() -> Summands {
    if (TRANSPOSED == 1u) {
        return Summands(0u, select(sizes.references, stripe.begin, TRIANGLE == 1u));
    }
    return Summands(stripe.begin, stripe_rows());
}

fn has_slices() -> bool {
    return stripe.slice > 0u;
}
