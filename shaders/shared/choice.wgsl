// What an anchor has chosen of its pairs, where the terms are made of these alone: a positive and a
// negative, the only ones whose coefficients are not 0. Both columns are beyond all there are where
// the anchor has no term.

struct Choice {
    positive: u32,
    negative: u32,
    positive_coefficient: f32,
    negative_coefficient: f32,
}
