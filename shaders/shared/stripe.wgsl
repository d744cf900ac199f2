// A stripe: `rows` rows of the N x M matrix, from row `begin`, every row `stride` columns after the
// other. A list of pairs is one stripe that holds them one after the other, `stride` pairs a row.
//
// The file that includes it adds
//
//   var<uniform> sizes: Sizes

// #include "shared/group.wgsl"
// #include "shared/sizes.wgsl"

struct Stripe {
    begin: u32,       // first row
    rows: u32,        // number of rows, as planned
    dimensions: u32,  // D
    vectors: u32,     // vec4s in a padded row of points: ceil(D / 4)
    stride: u32,      // M, as planned, rounded up to a multiple of 4
    same_set: u32,    // 1 in batch mode, where rows and columns are one set
    own: u32,         // row i is column i + own, no pair of it; beyond all columns where it is none
    portion: u32,     // which portion of a row's work, where a kernel splits it
    first_x: u32,     // the first workgroup of a dispatch, where several share them
    first_y: u32,     // the same in the other dimension of tiles
    first_row: u32,   // row 0 in the batch that ranks share, which draws are by; 0 where none do
    slice: u32,       // summands of a slice of a gradient, 0 where it has none
}

@group(0) @binding(0) var<uniform> stripe: Stripe;

// Rows of the stripe that there are. A list keeps all of its rows: beyond its pairs they are empty.
fn stripe_rows() -> u32 {
    if (sizes.pairs > 0u) {
        return stripe.rows;
    }
    return min(stripe.rows, max(sizes.queries, stripe.begin) - stripe.begin);
}

// The number of a workgroup of the stripe, where they are numbered through.
fn number_on_stripe(group: Group) -> u32 {
    return stripe.first_x + number_of(group);
}
