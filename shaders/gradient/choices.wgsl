// The gradient of a loss whose anchors a have chosen their pairs (shared/choice.wgsl), after all of
// them have. Row r of a set gets
//
//   OWN = 1     C(r, p) direction(x_r, y_p) + C(r, n) direction(x_r, y_n)   for its own choice
//   CHOSEN = 1  sum_a C(a, r) direction(x_r, x_a)                           over those who chose it
//
// and in one batch, where both are of the same rows, both.
//
//   own       points of the rows that the gradient is for: queries, or with CHOSEN alone references
//   other     points of those at the other end
//   choices   N
//   gradient  rows of `own` x D, tight   written
//
// A workgroup computes 8 rows x 128 dimensions, four of them an invocation. It looks at all
// anchors, marks in a mask for each of its rows which have chosen it, and in another one which
// words of that are not 0; then every invocation goes through those of its own row in ascending
// order. The anchors of a word are added up first, so that a row that all have chosen is as exact
// as others. More anchors than a portion take as many dispatches.
// Cost: 2 comparisons for each anchor and workgroup, 3 D operations for each pair.

// #include "shared/distance.wgsl"
// #include "shared/stripe.wgsl"
// #include "shared/choice.wgsl"

@group(0) @binding(1) var<storage, read> own: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> other: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> choices: array<Choice>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(6) var<uniform> sizes: Sizes;

override OWN: u32 = 1u;
override CHOSEN: u32 = 1u;

const ROWS = 8u;
const VECTORS = 32u;
const WORKGROUP = ROWS * VECTORS;

// Anchors of a dispatch: a round of the loop for each, where all have chosen the same row
// (src/gpu/cut/loops.rs).
const PORTION = 8192u;

const BITS = 32u;
const WORDS = PORTION / BITS;
const BLOCKS = WORDS / BITS;

// A bit for each anchor of the portion: first those of 32 anchors for every row, then those of the
// next.
var<workgroup> marked_anchors: array<atomic<u32>, WORDS * ROWS>;
// A bit for each word of a row, in the same order.
var<workgroup> marked_words: array<atomic<u32>, BLOCKS * ROWS>;

fn mark(anchor: u32, row: u32) {
    if (row < ROWS) {
        let word = anchor / BITS;
        atomicOr(&marked_anchors[word * ROWS + row], 1u << (anchor % BITS));
        atomicOr(&marked_words[word / BITS * ROWS + row], 1u << (word % BITS));
    }
}

// Marks which of the `count` anchors from `begin` on have chosen the rows from `first` on.
fn mark_all(begin: u32, count: u32, first: u32, local: u32) {
    for (var slot = local; slot < (count + BITS - 1u) / BITS * ROWS; slot += WORKGROUP) {
        atomicStore(&marked_anchors[slot], 0u);
    }
    if (local < BLOCKS * ROWS) {
        atomicStore(&marked_words[local], 0u);
    }
    workgroupBarrier();
    for (var anchor = local; anchor < count; anchor += WORKGROUP) {
        // A column before the first row is beyond the last one too.
        mark(anchor, choices[begin + anchor].positive - first);
        mark(anchor, choices[begin + anchor].negative - first);
    }
    workgroupBarrier();
}

// What the marked anchors of a word, whose first one is anchor `begin`, give to a row.
fn given_by_word(begin: u32, marked: u32, row: u32, vector: u32, x: vec4<f32>) -> vec4<f32> {
    var sum = vec4(0.0);
    for (var left = marked; left != 0u; left &= left - 1u) {
        let a = begin + firstTrailingBit(left);
        let choice = choices[a];
        let c = select(
            choice.negative_coefficient, choice.positive_coefficient, choice.positive == row,
        );
        sum += c * direction(x, other[a * stripe.vectors + vector]);
    }
    return sum;
}

// What all marked anchors of the `count` from `begin` on give to a row.
fn given_by_marked(begin: u32, count: u32, row: u32, vector: u32, x: vec4<f32>) -> vec4<f32> {
    var sum = vec4(0.0);
    for (var block = 0u; block * BITS * BITS < count; block++) {
        let words = atomicLoad(&marked_words[block * ROWS + row % ROWS]);
        for (var left = words; left != 0u; left &= left - 1u) {
            let word = block * BITS + firstTrailingBit(left);
            let marked = atomicLoad(&marked_anchors[word * ROWS + row % ROWS]);
            sum += given_by_word(begin + word * BITS, marked, row, vector, x);
        }
    }
    return sum;
}

// What a row has chosen itself.
fn given_by_own(row: u32, vector: u32, x: vec4<f32>) -> vec4<f32> {
    let choice = choices[row];
    if (choice.positive >= sizes.references) {
        return vec4(0.0);
    }
    let positive = other[choice.positive * stripe.vectors + vector];
    let negative = other[choice.negative * stripe.vectors + vector];
    return choice.positive_coefficient * direction(x, positive)
        + choice.negative_coefficient * direction(x, negative);
}

// The rows that the gradient is for.
fn row_count() -> u32 {
    return select(sizes.references, sizes.queries, OWN == 1u);
}

// A vec4 of the gradient.
struct Place {
    row: u32,
    vector: u32,
}

fn place_of(first: u32, group: Group, invocation: Invocation) -> Place {
    return Place(
        first + invocation.index / VECTORS,
        (stripe.first_x + group.id.x) * VECTORS + invocation.index % VECTORS,
    );
}

// The first row of a workgroup.
fn first_row(group: Group) -> u32 {
    return (stripe.first_y + group.id.z * ACROSS + group.id.y) * ROWS;
}

// Anchors of the portion.
fn portion_begin() -> u32 {
    return stripe.portion * PORTION;
}

fn portion_count() -> u32 {
    return min(sizes.queries - portion_begin(), PORTION);
}

// Before the sums of a workgroup's rows, for all invocations together.
fn look_for_choosers(first: u32, local: u32) {
    if (CHOSEN == 1u) {
        mark_all(portion_begin(), portion_count(), first, local);
    }
}

// What the portion gives to a row.
fn sum_at(place: Place) -> vec4<f32> {
    let x = own[place.row * stripe.vectors + place.vector];
    var sum = vec4(0.0);
    if (OWN == 1u && stripe.portion == 0u) {
        sum = given_by_own(place.row, place.vector, x);
    }
    if (CHOSEN == 1u) {
        sum += given_by_marked(portion_begin(), portion_count(), place.row, place.vector, x);
    }
    return sum;
}

fn store(place: Place, value: vec4<f32>) {
    for (var k = 0u; k < 4u; k++) {
        if (4u * place.vector + k < stripe.dimensions) {
            gradient[place.row * stripe.dimensions + 4u * place.vector + k] = value[k];
        }
    }
}

// What earlier portions have summed up.
fn stored(place: Place) -> vec4<f32> {
    var value = vec4(0.0);
    for (var k = 0u; k < 4u; k++) {
        if (4u * place.vector + k < stripe.dimensions) {
            value[k] = gradient[place.row * stripe.dimensions + 4u * place.vector + k];
        }
    }
    return value;
}
