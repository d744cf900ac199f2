// The sum over the 64 invocations that have a row to themselves, as a tree of a fixed shape with few barriers: eight invocations add up
// eight numbers each, and all of them what these have. The result is the same for all; a workgroup calls it once.

const WORKGROUP = 64u;
const ADDERS = 8u;

var<workgroup> summands: array<f32, WORKGROUP>;

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
    if (group.local < ADDERS) {
        summands[group.local] = eight_summands(group.local, ADDERS);
    }
    workgroupBarrier();
    return eight_summands(0u, 1u);
}
