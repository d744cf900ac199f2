// What the ranks of a query's positives add up to. The q-th nearest positive has rank r = q + the
// negatives before it.

struct Ranks {
    positives: u32,       // R
    first: u32,           // the smallest r; NO_RANK where there is no positive
    within: u32,          // positives with r <= R
    precisions: f32,      // sum of q / r over those
    all_precisions: f32,  // sum of q / r over all positives
    overflow: u32,        // 1 where a distance of the row is not finite
}

const NO_RANK = 0xffffffffu;

// What is asked of the k nearest columns of every row.
struct Cutoff {
    measure: u32,
    k: u32,        // at most the number of columns
    divisor: f32,  // what the mean of the scores is divided by: the k that was asked for, or 1
    first: u32,    // where its scores begin, one for each row
}

// The measures, and the score of a row for each.
const RECALL = 0u;     // no score: taken from the `first` of `Ranks`
const PRECISION = 1u;  // positives with r <= k
const GAIN = 2u;       // sum of 1 / log2(r + 1) over those, as a part of the same sum over the ranks
                       // 1 ..= min(k, R)
