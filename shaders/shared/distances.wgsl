// The distances, as the host numbers them.

const EUCLIDEAN = 0u;
const SQUARED_EUCLIDEAN = 1u;
const MANHATTAN = 2u;
const COSINE = 3u;
const INNER_PRODUCT = 4u;
const SCORES = 5u;  // no distance: the matrix is given, as negated scores

override DISTANCE: u32 = EUCLIDEAN;
