// Products of 128 bits, of which the lowest word is `x`, and sums of two counts of 64 bits each.

// #include "shared/wide.wgsl"

// a * b, exactly.
fn wider_product(a: vec2<u32>, b: vec2<u32>) -> vec4<u32> {
    let low = wide_product(a.x, b.x);
    let one = wide_product(a.x, b.y);
    let other = wide_product(a.y, b.x);
    let high = wide_product(a.y, b.y);
    let second = wide_add(wide_add(vec2(low.y, 0u), vec2(one.x, 0u)), vec2(other.x, 0u));
    let middle = wide_add(vec2(one.y, 0u), vec2(other.y, 0u));
    let upper = wide_add(wide_add(high, middle), vec2(second.y, 0u));
    return vec4(low.x, second.x, upper.x, upper.y);
}

fn wider_sum(a: vec4<u32>, b: u32) -> vec4<u32> {
    let low = wide_add(a.xy, vec2(b, 0u));
    return vec4(low, wide_add(a.zw, vec2(select(0u, 1u, is_wide_less(low, a.xy)), 0u)));
}

fn wide_difference(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return vec2(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}

fn is_wide_less(a: vec2<u32>, b: vec2<u32>) -> bool {
    return a.y < b.y || (a.y == b.y && a.x < b.x);
}

fn is_wider_less(a: vec4<u32>, b: vec4<u32>) -> bool {
    return is_wide_less(a.zw, b.zw) || (all(a.zw == b.zw) && is_wide_less(a.xy, b.xy));
}

fn both_added(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> {
    return vec4(wide_add(a.xy, b.xy), wide_add(a.zw, b.zw));
}
