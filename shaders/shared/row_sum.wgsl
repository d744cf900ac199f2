// Reductions over the 32 invocations that have a row to themselves, as trees of a fixed shape with
// few barriers: four invocations take eight numbers each, and all of them what these have. The
// result is the same for all; a workgroup calls each once.

// #include "shared/group.wgsl"

const WORKGROUP = 32u;
const TAKERS = 4u;

var<workgroup> summands: array<f32, WORKGROUP>;
var<workgroup> candidates: array<u32, WORKGROUP>;

// The sum of four that are `reach` apart.
fn four_summands(first: u32, reach: u32) -> f32 {
    return (summands[first] + summands[first + 2u * reach])
        + (summands[first + reach] + summands[first + 3u * reach]);
}

fn row_sum(value: f32, invocation: Invocation) -> f32 {
    summands[invocation.index] = value;
    workgroupBarrier();
    if (invocation.index < TAKERS) {
        let first = four_summands(invocation.index, TAKERS);
        let second = four_summands(invocation.index + 4u * TAKERS, TAKERS);
        summands[invocation.index] = first + second;
    }
    workgroupBarrier();
    return four_summands(0u, 1u);
}

// The largest of four that are `reach` apart.
fn largest_of_four(first: u32, reach: u32) -> u32 {
    return max(
        max(candidates[first], candidates[first + reach]),
        max(candidates[first + 2u * reach], candidates[first + 3u * reach]),
    );
}

fn row_largest(value: u32, invocation: Invocation) -> u32 {
    candidates[invocation.index] = value;
    workgroupBarrier();
    if (invocation.index < TAKERS) {
        let first = largest_of_four(invocation.index, TAKERS);
        let second = largest_of_four(invocation.index + 4u * TAKERS, TAKERS);
        candidates[invocation.index] = max(first, second);
    }
    workgroupBarrier();
    return largest_of_four(0u, 1u);
}
