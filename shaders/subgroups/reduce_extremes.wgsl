// shared/reduce_extremes.wgsl by subgroups: the greatest key, then the lowest column that has it.
// The greatest, not the least: on the least of a constant, as is the key of an extreme that a kernel
// does not look for, the compiler of RADV crashes in Mesa 22.3.

// #include "shared/extremes.wgsl"
// #include "shared/order.wgsl"
// #include "shared/reduce.wgsl"

// Below the keys of all finite values.
const NO_KEY = 0u;

fn key_of_extreme(extreme: Extreme, order: u32) -> u32 {
    return select(order, NO_KEY, extreme.column == NOWHERE);
}

fn extreme_of_key(order: u32, column: u32) -> Extreme {
    return Extreme(select(value_of(order), 0.0, column == NOWHERE), column);
}

fn subgroup_extremes(value: Extremes) -> Extremes {
    let keys = vec2(
        key_of_extreme(value.nearest, ~order_of(value.nearest.value)),
        key_of_extreme(value.farthest, order_of(value.farthest.value)),
    );
    let greatest = subgroupMax(keys);
    let columns = subgroupMin(
        select(vec2(NOWHERE), vec2(value.nearest.column, value.farthest.column), keys == greatest),
    );
    return Extremes(extreme_of_key(~greatest.x, columns.x), extreme_of_key(greatest.y, columns.y));
}

fn workgroup_extremes(value: Extremes, invocation: Invocation) -> Extremes {
    show_all(pack_extremes(subgroup_extremes(value)), invocation);
    var extremes = unpack_extremes(reduce_scratch[0]);
    for (var k = 1u; k < invocation.subgroups; k++) {
        extremes = combine_extremes(extremes, unpack_extremes(reduce_scratch[k]));
    }
    workgroupBarrier();
    return extremes;
}
