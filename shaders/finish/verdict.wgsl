// Whether a recording came to a result that the host would take: for those who hand the gradient on
// without reading back. It says no where read-back would give an error (src/gpu/pairs/result.rs).
//
//   verdict  0 as long as every loss was valid, else 1; the FIRST loss writes it
//
// One invocation.

// #include "shared/numbers.wgsl"
// #include "shared/sizes.wgsl"
// #include "shared/state.wgsl"
// #include "shared/summary.wgsl"

override FIRST: u32 = 1u;

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> totals: Totals;
@group(0) @binding(2) var<storage, read> state: array<u32, STATE_SIZE>;
@group(0) @binding(3) var<storage, read_write> verdict: u32;

@compute @workgroup_size(1)
fn main() {
    let has_faults = any((totals.faults | totals.list_faults) != vec4(0u));
    let fits = all(totals.given.xyz == vec3(sizes.queries, sizes.references, sizes.listed));
    let is_in_range = is_finite(totals.loss) && is_finite(totals.mean_positive_distance)
        && is_finite(totals.mean_negative_distance) && state[OVERFLOW] == 0u;
    var invalid = select(0u, 1u, has_faults || !fits || !is_in_range);
    if (FIRST == 0u) {
        invalid |= verdict;
    }
    verdict = invalid;
}
