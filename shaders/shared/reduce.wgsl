// Reductions over the 256 invocations of a workgroup, as trees of a fixed shape: the same bits on every run.
// All invocations call them together; the result is the same for all.
//
// The tree has few barriers, which cost more than what is between them: 256 values become 128, 16 invocations add up eight of these each,
// and the first one adds up what they have.

const WORKGROUP = 256u;
const HALF_WORKGROUP = 128u;
const ADDERS = 16u;

// One scratch for floats and counts, so that the kernels that sort keep their 16 KiB.
var<workgroup> reduce_scratch: array<vec4<u32>, HALF_WORKGROUP>;

fn float_at(slot: u32) -> vec4<f32> {
    return bitcast<vec4<f32>>(reduce_scratch[slot]);
}

// The sum of eight slots that are `reach` apart.
fn eight_floats(slot: u32, reach: u32) -> vec4<f32> {
    let first = float_at(slot) + float_at(slot + 4u * reach);
    let second = float_at(slot + reach) + float_at(slot + 5u * reach);
    let third = float_at(slot + 2u * reach) + float_at(slot + 6u * reach);
    let fourth = float_at(slot + 3u * reach) + float_at(slot + 7u * reach);
    return (first + third) + (second + fourth);
}

fn workgroup_sum(value: vec4<f32>, local: u32) -> vec4<f32> {
    if (local >= HALF_WORKGROUP) {
        reduce_scratch[local - HALF_WORKGROUP] = bitcast<vec4<u32>>(value);
    }
    workgroupBarrier();
    if (local < HALF_WORKGROUP) {
        reduce_scratch[local] = bitcast<vec4<u32>>(float_at(local) + value);
    }
    workgroupBarrier();
    if (local < ADDERS) {
        reduce_scratch[local] = bitcast<vec4<u32>>(eight_floats(local, ADDERS));
    }
    workgroupBarrier();
    if (local == 0u) {
        reduce_scratch[0] = bitcast<vec4<u32>>(eight_floats(0u, 2u) + eight_floats(1u, 2u));
    }
    return bitcast<vec4<f32>>(workgroupUniformLoad(&reduce_scratch[0]));
}

fn eight_counts(slot: u32, reach: u32) -> vec4<u32> {
    return reduce_scratch[slot] + reduce_scratch[slot + reach] + reduce_scratch[slot + 2u * reach]
        + reduce_scratch[slot + 3u * reach] + reduce_scratch[slot + 4u * reach] + reduce_scratch[slot + 5u * reach]
        + reduce_scratch[slot + 6u * reach] + reduce_scratch[slot + 7u * reach];
}

fn workgroup_count(value: vec4<u32>, local: u32) -> vec4<u32> {
    if (local >= HALF_WORKGROUP) {
        reduce_scratch[local - HALF_WORKGROUP] = value;
    }
    workgroupBarrier();
    if (local < HALF_WORKGROUP) {
        reduce_scratch[local] += value;
    }
    workgroupBarrier();
    if (local < ADDERS) {
        reduce_scratch[local] = eight_counts(local, ADDERS);
    }
    workgroupBarrier();
    if (local == 0u) {
        reduce_scratch[0] = eight_counts(0u, 2u) + eight_counts(1u, 2u);
    }
    return workgroupUniformLoad(&reduce_scratch[0]);
}
