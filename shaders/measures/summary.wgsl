// What the ranks of a query's positives add up to. The q-th nearest positive has rank r = q + the
// negatives before it.

struct Ranks {
    positives: u32,   // R
    first: u32,       // the smallest r; NO_RANK where there is no positive
    within: u32,      // positives with r <= R
    precisions: f32,   // sum of q / r over those
    overflow: u32,    // 1 where a distance of the row is not finite
}

const NO_RANK = 0xffffffffu;
