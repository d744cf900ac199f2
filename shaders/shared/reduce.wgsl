// Reductions over the invocations of a workgroup, 64 or 256, as trees of a fixed shape: the same
// bits on every run. All invocations call them together; the result is the same for all.
//
// The tree has few barriers, which cost more than what is between them: 256 values become 128, of
// which an eighth of the invocations add up eight each, and the first one adds up what they have.

// #include "shared/group.wgsl"

// Invocations that share a row: short rows are shared by 64, so that few of them are idle.
override WORKGROUP: u32 = 256u;
const MOST_INVOCATIONS = 256u;

const MOST_SLOTS = 128u;
override SLOTS: u32 = min(WORKGROUP, MOST_SLOTS);
override ADDERS: u32 = SLOTS / 8u;

// One scratch for floats and counts, so that the kernels that sort keep their 16 KiB.
var<workgroup> reduce_scratch: array<vec4<u32>, MOST_SLOTS>;

// What is reduced: the bits of four floats, or four counts.
const FLOATS = 0u;
const COUNTS = 1u;

fn added(what: u32, a: vec4<u32>, b: vec4<u32>) -> vec4<u32> {
    if (what == FLOATS) {
        return bitcast<vec4<u32>>(bitcast<vec4<f32>>(a) + bitcast<vec4<f32>>(b));
    }
    return a + b;
}

// The sum of eight slots that are `reach` apart.
fn eight_added(what: u32, slot: u32, reach: u32) -> vec4<u32> {
    let first = added(what, reduce_scratch[slot], reduce_scratch[slot + 4u * reach]);
    let second = added(what, reduce_scratch[slot + reach], reduce_scratch[slot + 5u * reach]);
    let third = added(what, reduce_scratch[slot + 2u * reach], reduce_scratch[slot + 6u * reach]);
    let fourth = added(what, reduce_scratch[slot + 3u * reach], reduce_scratch[slot + 7u * reach]);
    return added(what, added(what, first, third), added(what, second, fourth));
}

// What the adders have: eight numbers, or 16.
fn all_added(what: u32) -> vec4<u32> {
    if (ADDERS == 8u) {
        return eight_added(what, 0u, 1u);
    }
    return added(what, eight_added(what, 0u, 2u), eight_added(what, 1u, 2u));
}

fn added_up(what: u32, value: vec4<u32>, invocation: Invocation) -> vec4<u32> {
    var own = value;
    if (WORKGROUP > SLOTS) {
        if (invocation.index >= SLOTS) {
            reduce_scratch[invocation.index - SLOTS] = value;
        }
        workgroupBarrier();
        if (invocation.index < SLOTS) {
            own = added(what, own, reduce_scratch[invocation.index]);
        }
    }
    if (invocation.index < SLOTS) {
        reduce_scratch[invocation.index] = own;
    }
    workgroupBarrier();
    if (invocation.index < ADDERS) {
        reduce_scratch[invocation.index] = eight_added(what, invocation.index, ADDERS);
    }
    workgroupBarrier();
    if (invocation.index == 0u) {
        reduce_scratch[0] = all_added(what);
    }
    return workgroupUniformLoad(&reduce_scratch[0]);
}

fn workgroup_sum(value: vec4<f32>, invocation: Invocation) -> vec4<f32> {
    return bitcast<vec4<f32>>(added_up(FLOATS, bitcast<vec4<u32>>(value), invocation));
}

fn workgroup_count(value: vec4<u32>, invocation: Invocation) -> vec4<u32> {
    return added_up(COUNTS, value, invocation);
}

// The count as a value that compilers know for uniform: for what decides about barriers.
fn uniform_count(value: vec4<u32>, invocation: Invocation) -> vec4<u32> {
    return workgroup_count(value, invocation);
}
