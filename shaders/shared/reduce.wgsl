// Reductions over the invocations of a workgroup, 64 or 256, as trees of a fixed shape: the same bits on every run.
// All invocations call them together; the result is the same for all.
//
// The tree has few barriers, which cost more than what is between them: 256 values become 128, of which an eighth of the invocations add up
// eight each, and the first one adds up what they have.

// Invocations that share a row: short rows are shared by 64, so that few of them are idle.
override WORKGROUP: u32 = 256u;
const MOST_INVOCATIONS = 256u;

const MOST_SLOTS = 128u;
override SLOTS: u32 = min(WORKGROUP, MOST_SLOTS);
override ADDERS: u32 = SLOTS / 8u;

// One scratch for floats and counts, so that the kernels that sort keep their 16 KiB.
var<workgroup> reduce_scratch: array<vec4<u32>, MOST_SLOTS>;

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

// What the adders have: eight numbers, or 16.
fn all_floats() -> vec4<f32> {
    if (ADDERS == 8u) {
        return eight_floats(0u, 1u);
    }
    return eight_floats(0u, 2u) + eight_floats(1u, 2u);
}

fn workgroup_sum(value: vec4<f32>, group: Group) -> vec4<f32> {
    var own = value;
    if (WORKGROUP > SLOTS) {
        if (group.local >= SLOTS) {
            reduce_scratch[group.local - SLOTS] = bitcast<vec4<u32>>(value);
        }
        workgroupBarrier();
        if (group.local < SLOTS) {
            own += float_at(group.local);
        }
    }
    if (group.local < SLOTS) {
        reduce_scratch[group.local] = bitcast<vec4<u32>>(own);
    }
    workgroupBarrier();
    if (group.local < ADDERS) {
        reduce_scratch[group.local] = bitcast<vec4<u32>>(eight_floats(group.local, ADDERS));
    }
    workgroupBarrier();
    if (group.local == 0u) {
        reduce_scratch[0] = bitcast<vec4<u32>>(all_floats());
    }
    return bitcast<vec4<f32>>(workgroupUniformLoad(&reduce_scratch[0]));
}

fn eight_counts(slot: u32, reach: u32) -> vec4<u32> {
    return reduce_scratch[slot] + reduce_scratch[slot + reach] + reduce_scratch[slot + 2u * reach]
        + reduce_scratch[slot + 3u * reach] + reduce_scratch[slot + 4u * reach] + reduce_scratch[slot + 5u * reach]
        + reduce_scratch[slot + 6u * reach] + reduce_scratch[slot + 7u * reach];
}

fn all_counts() -> vec4<u32> {
    if (ADDERS == 8u) {
        return eight_counts(0u, 1u);
    }
    return eight_counts(0u, 2u) + eight_counts(1u, 2u);
}

fn workgroup_count(value: vec4<u32>, group: Group) -> vec4<u32> {
    var own = value;
    if (WORKGROUP > SLOTS) {
        if (group.local >= SLOTS) {
            reduce_scratch[group.local - SLOTS] = value;
        }
        workgroupBarrier();
        if (group.local < SLOTS) {
            own += reduce_scratch[group.local];
        }
    }
    if (group.local < SLOTS) {
        reduce_scratch[group.local] = own;
    }
    workgroupBarrier();
    if (group.local < ADDERS) {
        reduce_scratch[group.local] = eight_counts(group.local, ADDERS);
    }
    workgroupBarrier();
    if (group.local == 0u) {
        reduce_scratch[0] = all_counts();
    }
    return workgroupUniformLoad(&reduce_scratch[0]);
}
