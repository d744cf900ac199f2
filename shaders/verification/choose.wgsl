// The next digit of every threshold that is looked for: the first at which it is reached. Of P pairs
// that are the same and Q that are different, a threshold that accepts p and q of them has reached
//
//   the EER      where q P >= (P - p) Q
//   an FPR of f  where q > f Q + 10^-9, which is beyond it: an FPR such as 1 / 30 is rounded
//
//   marks  in place
//   tally  verification/marks.wgsl says what is where
//
// One workgroup per mark, one invocation per digit.

// #include "verification/marks.wgsl"
// #include "verification/sums.wgsl"

@group(0) @binding(0) var<storage, read_write> marks: array<Mark>;
@group(0) @binding(1) var<storage, read> tally: array<vec4<u32>>;

// 10^18: an FPR is told in parts of it.
const WHOLE = vec2(0xa7640000u, 0x0de0b6b3u);
const TOLERANCE = 1000000000u;

var<workgroup> last: atomic<u32>;

fn is_reached(mark: Mark, accepted: vec4<u32>) -> bool {
    if (mark.is_of_errors == 1u) {
        let rejected = wide_difference(mark.totals.xy, accepted.xy);
        let right = wider_product(rejected, mark.totals.zw);
        return !is_wider_less(wider_product(accepted.zw, mark.totals.xy), right);
    }
    let most = wider_sum(wider_product(mark.share, mark.totals.zw), TOLERANCE);
    return is_wider_less(most, wider_product(accepted.zw, WHOLE));
}

@compute @workgroup_size(BINS)
fn main(group: Group, invocation: Invocation) {
    let at = number_of(group);
    if (at >= arrayLength(&marks)) {
        return;
    }
    var mark = marks[at];
    let is_first = SHIFT == FIRST_SHIFT;
    let counted = select(at, 0u, is_first);
    let own = tally[place_of(counted, invocation.index, arrayLength(&marks))];
    if (invocation.index == 0u) {
        atomicStore(&last, 0u);
    }
    sum_up(own, invocation);
    if (is_first) {
        mark.totals = sums[BINS - 1u];
        mark.before = vec4(0u);
        mark.prefix = 0u;
        mark.is_open = 0u;
    }
    let before = both_added(mark.before, sum_before(invocation));
    let accepted = both_added(mark.before, sums[invocation.index]);
    let is_there = is_reached(mark, accepted);
    let prefix = mark.prefix * BINS;
    if (SHIFT == 0u && mark.is_open == 0u && !is_there && any(own != vec4(0u))) {
        atomicMax(&last, prefix + invocation.index);
    }
    storageBarrier();
    workgroupBarrier();
    if (mark.is_open == 1u) {
        // No digit is beyond the last one.
        if (invocation.index == 0u) {
            marks[at].prefix = prefix + BINS - 1u;
        }
    } else if (is_there && !is_reached(mark, before)) {
        marks[at].prefix = prefix + invocation.index;
        marks[at].before = before;
        marks[at].accepted = accepted;
        marks[at].is_open = 0u;
    } else if (!is_there && invocation.index == BINS - 1u) {
        marks[at].prefix = prefix + BINS - 1u;
        marks[at].before = accepted;
        marks[at].accepted = accepted;
        marks[at].is_open = 1u;
    }
    if (invocation.index == 0u) {
        marks[at].totals = mark.totals;
        if (SHIFT == 0u) {
            let before_prefix = tally[place_of(at, BINS, arrayLength(&marks))].x;
            marks[at].below = max(before_prefix, atomicLoad(&last));
        }
    }
}
