// Reductions over the 32 invocations that have a row to themselves, as trees of a fixed shape with few barriers: four invocations take
// eight numbers each, and all of them what these have. The result is the same for all; a workgroup calls each once.

const WORKGROUP = 32u;
const TAKERS = 4u;

var<workgroup> summands: array<f32, WORKGROUP>;
var<workgroup> candidates: array<u32, WORKGROUP>;

// The sum of four that are `reach` apart.
fn four_summands(first: u32, reach: u32) -> f32 {
    return (summands[first] + summands[first + 2u * reach]) + (summands[first + reach] + summands[first + 3u * reach]);
}

fn row_sum(value: f32, group: Group) -> f32 {
    summands[group.local] = value;
    workgroupBarrier();
    if (group.local < TAKERS) {
        summands[group.local] = four_summands(group.local, TAKERS) + four_summands(group.local + 4u * TAKERS, TAKERS);
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

fn row_largest(value: u32, group: Group) -> u32 {
    candidates[group.local] = value;
    workgroupBarrier();
    if (group.local < TAKERS) {
        candidates[group.local] =
            max(largest_of_four(group.local, TAKERS), largest_of_four(group.local + 4u * TAKERS, TAKERS));
    }
    workgroupBarrier();
    return largest_of_four(0u, 1u);
}
