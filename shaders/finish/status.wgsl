// Whether a recording came to a result that the host would take: for those who use the loss and the
// gradient without reading back. It says no where read-back would give an error
// (src/gpu/pairs/result.rs), and takes the loss back then: it is not a number.
//
//   status         VALID as long as every loss was, else what was wrong; the FIRST loss writes it
//   totals.status  the same of this loss alone
//
// One invocation.

// #include "shared/numbers.wgsl"
// #include "shared/sizes.wgsl"
// #include "shared/state.wgsl"
// #include "shared/status.wgsl"
// #include "shared/summary.wgsl"

override FIRST: u32 = 1u;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read_write> totals: Totals;
@group(0) @binding(2) var<storage, read> state: array<u32, STATE_SIZE>;
@group(0) @binding(3) var<storage, read_write> status: u32;

@compute @workgroup_size(1)
fn main() {
    let has_faults = any((totals.faults | totals.list_faults) != vec4(0u));
    let fits = all(totals.given.xyz == vec3(sizes.queries, sizes.references, sizes.listed));
    let has_distances =
        is_finite(totals.mean_positive_distance) && is_finite(totals.mean_negative_distance);
    let wrong = select(0u, FAULTY_INPUTS, has_faults)
        | select(SIZES_BEYOND_PLAN, 0u, fits)
        | select(LOSS_BEYOND_F32, 0u, is_finite(totals.loss))
        | select(DISTANCES_BEYOND_F32, 0u, has_distances)
        | select(GRADIENT_BEYOND_F32, 0u, state[OVERFLOW] == 0u);
    totals.status = select(wrong, VALID, wrong == 0u);
    if (wrong != 0u) {
        totals.loss = not_a_number(wrong);
    }
    var all_wrong = wrong;
    if (FIRST == 0u) {
        all_wrong |= status & ~VALID;
    }
    status = select(all_wrong, VALID, all_wrong == 0u);
}
