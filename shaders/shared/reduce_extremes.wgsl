// The reduction of extremes over the invocations of a workgroup, as those of shared/reduce.wgsl.

// #include "shared/extremes.wgsl"
// #include "shared/reduce.wgsl"

fn combine_slots(slot: u32, other: u32) -> Extremes {
    return combine_extremes(
        unpack_extremes(reduce_scratch[slot]), unpack_extremes(reduce_scratch[other]),
    );
}

fn eight_extremes(slot: u32, reach: u32) -> Extremes {
    return combine_extremes(
        combine_extremes(
            combine_slots(slot, slot + reach), combine_slots(slot + 2u * reach, slot + 3u * reach),
        ),
        combine_extremes(
            combine_slots(slot + 4u * reach, slot + 5u * reach),
            combine_slots(slot + 6u * reach, slot + 7u * reach),
        ),
    );
}

fn all_extremes() -> Extremes {
    if (ADDERS == 8u) {
        return eight_extremes(0u, 1u);
    }
    return combine_extremes(eight_extremes(0u, 2u), eight_extremes(1u, 2u));
}

// The nearest of all `nearest` and the farthest of all `farthest` of the workgroup.
fn workgroup_extremes(value: Extremes, invocation: Invocation) -> Extremes {
    var own = value;
    if (WORKGROUP > SLOTS) {
        if (invocation.index >= SLOTS) {
            reduce_scratch[invocation.index - SLOTS] = pack_extremes(value);
        }
        workgroupBarrier();
        if (invocation.index < SLOTS) {
            own = combine_extremes(own, unpack_extremes(reduce_scratch[invocation.index]));
        }
    }
    if (invocation.index < SLOTS) {
        reduce_scratch[invocation.index] = pack_extremes(own);
    }
    workgroupBarrier();
    if (invocation.index < ADDERS) {
        reduce_scratch[invocation.index] = pack_extremes(eight_extremes(invocation.index, ADDERS));
    }
    workgroupBarrier();
    if (invocation.index == 0u) {
        reduce_scratch[0] = pack_extremes(all_extremes());
    }
    return unpack_extremes(workgroupUniformLoad(&reduce_scratch[0]));
}
