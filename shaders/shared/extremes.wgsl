// The nearest and the farthest of a row, with their columns. Ties go to the lowest column.
// Needs shared/reduce.wgsl.

const NOWHERE = 0xffffffffu;

// A column and its value; `column` is NOWHERE when there is none.
struct Extreme {
    value: f32,
    column: u32,
}

const NO_EXTREME = Extreme(0.0, NOWHERE);

fn nearer(a: Extreme, b: Extreme) -> Extreme {
    let take_b = b.column != NOWHERE
        && (a.column == NOWHERE || b.value < a.value || (b.value == a.value && b.column < a.column));
    if (take_b) {
        return b;
    }
    return a;
}

fn farther(a: Extreme, b: Extreme) -> Extreme {
    let take_b = b.column != NOWHERE
        && (a.column == NOWHERE || b.value > a.value || (b.value == a.value && b.column < a.column));
    if (take_b) {
        return b;
    }
    return a;
}

struct Extremes {
    nearest: Extreme,
    farthest: Extreme,
}

fn pack_extremes(e: Extremes) -> vec4<u32> {
    return vec4(bitcast<u32>(e.nearest.value), e.nearest.column, bitcast<u32>(e.farthest.value), e.farthest.column);
}

fn unpack_extremes(p: vec4<u32>) -> Extremes {
    return Extremes(Extreme(bitcast<f32>(p.x), p.y), Extreme(bitcast<f32>(p.z), p.w));
}

fn combine_extremes(a: Extremes, b: Extremes) -> Extremes {
    return Extremes(nearer(a.nearest, b.nearest), farther(a.farthest, b.farthest));
}

fn combine_slots(slot: u32, other: u32) -> Extremes {
    return combine_extremes(unpack_extremes(reduce_scratch[slot]), unpack_extremes(reduce_scratch[other]));
}

fn eight_extremes(slot: u32, reach: u32) -> Extremes {
    return combine_extremes(
        combine_extremes(combine_slots(slot, slot + reach), combine_slots(slot + 2u * reach, slot + 3u * reach)),
        combine_extremes(combine_slots(slot + 4u * reach, slot + 5u * reach), combine_slots(slot + 6u * reach, slot + 7u * reach)),
    );
}

// The nearest of all `nearest` and the farthest of all `farthest` of the workgroup.
fn workgroup_extremes(value: Extremes, local: u32) -> Extremes {
    if (local >= HALF_WORKGROUP) {
        reduce_scratch[local - HALF_WORKGROUP] = pack_extremes(value);
    }
    workgroupBarrier();
    if (local < HALF_WORKGROUP) {
        reduce_scratch[local] = pack_extremes(combine_extremes(value, unpack_extremes(reduce_scratch[local])));
    }
    workgroupBarrier();
    if (local < ADDERS) {
        reduce_scratch[local] = pack_extremes(eight_extremes(local, ADDERS));
    }
    workgroupBarrier();
    if (local == 0u) {
        reduce_scratch[0] = pack_extremes(combine_extremes(eight_extremes(0u, 2u), eight_extremes(1u, 2u)));
    }
    return unpack_extremes(workgroupUniformLoad(&reduce_scratch[0]));
}
