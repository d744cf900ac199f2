// Reductions over the 64 invocations that have a row to themselves, as trees of a fixed shape with few barriers: eight invocations take
// eight numbers each, and all of them what these have. The result is the same for all; a workgroup calls each once.

const WORKGROUP = 64u;
const TAKERS = 8u;

var<workgroup> summands: array<f32, WORKGROUP>;
var<workgroup> candidates: array<u32, WORKGROUP>;

// The sum of eight that are `reach` apart.
fn eight_summands(first: u32, reach: u32) -> f32 {
    let one = summands[first] + summands[first + 4u * reach];
    let two = summands[first + reach] + summands[first + 5u * reach];
    let three = summands[first + 2u * reach] + summands[first + 6u * reach];
    let four = summands[first + 3u * reach] + summands[first + 7u * reach];
    return (one + three) + (two + four);
}

fn row_sum(value: f32, group: Group) -> f32 {
    summands[group.local] = value;
    workgroupBarrier();
    if (group.local < TAKERS) {
        summands[group.local] = eight_summands(group.local, TAKERS);
    }
    workgroupBarrier();
    return eight_summands(0u, 1u);
}

// The largest of eight that are `reach` apart.
fn largest_of_eight(first: u32, reach: u32) -> u32 {
    let one = max(candidates[first], candidates[first + 4u * reach]);
    let two = max(candidates[first + reach], candidates[first + 5u * reach]);
    let three = max(candidates[first + 2u * reach], candidates[first + 6u * reach]);
    let four = max(candidates[first + 3u * reach], candidates[first + 7u * reach]);
    return max(max(one, three), max(two, four));
}

fn row_largest(value: u32, group: Group) -> u32 {
    candidates[group.local] = value;
    workgroupBarrier();
    if (group.local < TAKERS) {
        candidates[group.local] = largest_of_eight(group.local, TAKERS);
    }
    workgroupBarrier();
    return largest_of_eight(0u, 1u);
}
