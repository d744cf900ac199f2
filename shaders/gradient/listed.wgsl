// The gradient from the coefficients of listed pairs of one set: row i is summed over the places of
// the list where it stands, in their order, however often that is.
//
//   points        N x vectors
//   listed_rows   2E             the rows of every pair, one after the other
//   coefficients  E
//   order         2E             the places by the row that stands there: incidence/digits.wgsl
//   gradient      N x D, tight   written
//
// Rows of more places than a portion go through them in as many dispatches as it takes. A workgroup
// computes 64 dimensions of a row: 16 invocations along the dimensions, 16 along the pairs.

// #include "shared/group.wgsl"
// #include "shared/numbers.wgsl"
// #include "shared/distance.wgsl"
// #include "shared/stripe.wgsl"

@group(0) @binding(1) var<storage, read> points: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> listed_rows: array<u32>;
@group(0) @binding(3) var<storage, read> coefficients: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(5) var<storage, read> order: array<u32>;
@group(0) @binding(6) var<uniform> sizes: Sizes;

const SIDE = 16u;

// Places of a row that a dispatch takes: a round of the loop for each 16 (src/gpu/cut/loops.rs).
const PORTION = 491520u;

// Where the row's places begin and end.
var<workgroup> bounds: array<u32, 2>;
var<workgroup> sums: array<vec4<f32>, SIDE * SIDE>;

// How many places stand before those of a row.
fn places_before(row: u32) -> u32 {
    var low = 0u;
    var high = 2u * sizes.pairs;
    while (low < high) {
        let middle = (low + high) / 2u;
        if (listed_rows[order[middle]] < row) {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    return low;
}

@compute @workgroup_size(SIDE * SIDE)
fn main(group: Group, invocation: Invocation) {
    let row = stripe.first_y + group.id.z * ACROSS + group.id.y;
    if (row >= sizes.references) {
        return;
    }
    if (invocation.index < 2u) {
        bounds[invocation.index] = places_before(row + invocation.index);
    }
    let limits = workgroupUniformLoad(&bounds);
    let first = limits[0] + stripe.portion * PORTION;
    if (stripe.portion > 0u && first >= limits[1]) {
        return;
    }
    let vector = (stripe.first_x + group.id.x) * SIDE + invocation.index % SIDE;
    let source = min(vector, stripe.vectors - 1u);
    let own = points[row * stripe.vectors + source];
    var sum = vec4(0.0);
    let end = min(first + PORTION, limits[1]);
    for (var index = first + invocation.index / SIDE; index < end; index += SIDE) {
        let place = order[index];
        let other = points[listed_rows[place ^ 1u] * stripe.vectors + source];
        sum += coefficients[place / 2u] * direction(own, other);
    }
    sums[invocation.index] = sum;
    workgroupBarrier();
    for (var width = SIDE / 2u; width > 0u; width >>= 1u) {
        if (invocation.index < width * SIDE) {
            sums[invocation.index] += sums[invocation.index + width * SIDE];
        }
        workgroupBarrier();
    }
    if (invocation.index < SIDE) {
        for (var k = 0u; k < 4u; k++) {
            if (4u * vector + k < stripe.dimensions) {
                let at = row * stripe.dimensions + 4u * vector + k;
                var total = sums[invocation.index][k];
                if (stripe.portion > 0u) {
                    total += gradient[at];
                }
                gradient[at] = total;
            }
        }
    }
}
