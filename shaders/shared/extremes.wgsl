// The nearest and the farthest of a row, with their columns. Ties go to the lowest column.

const NOWHERE = 0xffffffffu;

// A column and its value; `column` is NOWHERE when there is none.
struct Extreme {
    value: f32,
    column: u32,
}

const NO_EXTREME = Extreme(0.0, NOWHERE);

fn nearer(a: Extreme, b: Extreme) -> Extreme {
    let take_b = b.column != NOWHERE
        && (a.column == NOWHERE
            || b.value < a.value
            || (b.value == a.value && b.column < a.column));
    if (take_b) {
        return b;
    }
    return a;
}

fn farther(a: Extreme, b: Extreme) -> Extreme {
    let take_b = b.column != NOWHERE
        && (a.column == NOWHERE
            || b.value > a.value
            || (b.value == a.value && b.column < a.column));
    if (take_b) {
        return b;
    }
    return a;
}

// The nearer of `a` and those of four consecutive columns that are `among`.
fn nearest_of(a: Extreme, among: vec4<bool>, values: vec4<f32>, column: u32) -> Extreme {
    let columns = select(vec4(NOWHERE), column + vec4(0u, 1u, 2u, 3u), among);
    let low = nearer(Extreme(values.x, columns.x), Extreme(values.y, columns.y));
    let high = nearer(Extreme(values.z, columns.z), Extreme(values.w, columns.w));
    return nearer(a, nearer(low, high));
}

fn farthest_of(a: Extreme, among: vec4<bool>, values: vec4<f32>, column: u32) -> Extreme {
    let nearest = nearest_of(Extreme(-a.value, a.column), among, -values, column);
    return Extreme(-nearest.value, nearest.column);
}

struct Extremes {
    nearest: Extreme,
    farthest: Extreme,
}

fn pack_extremes(e: Extremes) -> vec4<u32> {
    return vec4(
        bitcast<u32>(e.nearest.value),
        e.nearest.column,
        bitcast<u32>(e.farthest.value),
        e.farthest.column,
    );
}

fn unpack_extremes(p: vec4<u32>) -> Extremes {
    return Extremes(Extreme(bitcast<f32>(p.x), p.y), Extreme(bitcast<f32>(p.z), p.w));
}

fn combine_extremes(a: Extremes, b: Extremes) -> Extremes {
    return Extremes(nearer(a.nearest, b.nearest), farther(a.farthest, b.farthest));
}
