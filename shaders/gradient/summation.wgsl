// The gradient from the coefficients of a stripe. TRANSPOSED = 0 gives the stripe's own rows i,
// over all columns j; TRANSPOSED = 1 adds what the stripe's rows i give to all columns j:
//
//   gradient_i  = sum_j C(i, j) direction(x_i, y_j)
//   gradient_j += sum_i C(i, j) direction(y_j, x_i)
//
// with the direction of shared/distance.wgsl.
//
// JOINED = 1, where the stripe is the whole matrix of one batch, gives both at once:
// C(i, j) + C(j, i) in the place of C(i, j).
//
// TRIANGLE = 1, in one batch, takes every pair once, for both its rows: by rows only the columns j
// up to the stripe's own end, transposed only for the rows j before the stripe, onto what their own
// stripes gave them.
//
//   own           points of the rows that the gradient is for: queries, or transposed references
//   other         points of the rows it is summed over
//   coefficients  rows x stride
//   gradient      rows of `own` x D, tight
//
// A workgroup of 16 x 16 invocations computes a tile in steps of 16 summands: 64 rows x 64
// dimensions, 4 x 4 of them an invocation; 64 x 128, 4 x 8 an invocation, whose points and sums are
// what registers of a GPU hold (docs/isa.md); or 128 x 128, 8 x 8 an invocation, for a software
// adapter, where only what is read counts.
// Cost per pair and dimension: a subtraction and a multiply-add, and 1 / 2, 3 / 8 or 1 / 4 of a
// value from workgroup memory. The bits are the same: the sum is a chain in the order of the rows,
// of links that are added up first.
//
// What a summand is made of is in gradient/differences.wgsl or, where distances are expanded, in
// gradient/expansion.wgsl: a kernel includes one of them.
//
// The file that includes it adds
//
//   const BEYOND_64_ROWS: u32  vec4s of a tile of coefficients for more rows
//   fn portion_size() -> u32
//   fn begin_sums(row: u32, vector: u32, local: vec2u)
//   fn loaded_coefficients(rows: vec4u, across: u32, local: vec2u, count: u32) -> vec4f
//   fn loaded_point(point: vec4f, beside: u32) -> vec4f
//   fn points_of(row: u32, vector: u32) -> mat4x4f
//   fn with_summand(sums: mat4x4f, weights: vec4f, points: mat4x4f, other: vec4f) -> mat4x4f
//   fn add_beside_links(sums: ptr<function, Blocks>, reads: Reads, local: vec2u, count: u32)
//   fn add_link(sums: ptr<function, Blocks>, link: Blocks, local: vec2u)
//   fn finish_sums(sums: ptr<function, Blocks>, local: vec2u)

// #include "shared/distance.wgsl"
// #include "gradient/summands.wgsl"

@group(0) @binding(1) var<storage, read> own: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> other: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> coefficients: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(6) var<uniform> sizes: Sizes;

override JOINED: u32 = 0u;
// 1: the coefficients have no weights yet; those of positive pairs are above 0, those of negative
// pairs below.
override SPLIT_MEAN: u32 = 0u;

// Rows and dimensions of a tile: 64 x 64, 64 x 128 or 128 x 128.
override TILE_ROWS: u32 = 64u;
override TILE_DIMENSIONS: u32 = 64u;

const BLOCK = 64u;       // rows, and dimensions, that 4 x 4 of every invocation make
const SIDE = 16u;        // invocations along each
const STEP = 16u;        // summands per step
// Summands of a link. Stripes end with one: the bits stay however the matrix is cut.
const LINK = 64u;
const TILE_SIZE = 512u;  // vec4s in workgroup memory of 128 rows or dimensions of a step

// vec4s from summand to summand of the tile of coefficients: odd, against bank conflicts, where
// workgroup memory is large enough.
fn pitch() -> u32 {
    return TILE_ROWS / 4u + select(1u, 0u, TILE_ROWS > BLOCK);
}

// [summand][row / 4]
var<workgroup> coefficient_tile: array<vec4<f32>, 272u + BEYOND_64_ROWS>;
// [summand][dimension / 4]
var<workgroup> other_tile: array<vec4<f32>, TILE_SIZE>;

// What the coefficients of positive and of negative pairs are multiplied with.
var<private> split_weights: vec2<f32>;

// What a workgroup computes: a tile of the gradient, over those of the summands that are its portion
// or slice.
struct Tile {
    row: u32,     // its first row
    vector: u32,  // its first vec4 of dimensions
    begin: u32,   // its first summand
    end: u32,     // and the one behind its last
}

// Where the first of the owners is stored: a row of `gradient`.
var<private> stored_first: u32;

// The tiles of all dimensions stand beside one another, and those of a slice beside those of the one
// before it. There are either slices or several portions.
fn tile_of(group: vec3<u32>) -> Tile {
    let vectors = TILE_DIMENSIONS / 4u;
    let across = (stripe.vectors + vectors - 1u) / vectors;
    let place = stripe.first_x + group.x;
    let slice = place / across;
    let size = select(portion_size(), stripe.slice, has_slices());
    let begin = (stripe.portion + slice) * size;
    stored_first = select(owners().first, slice * owners().count, has_slices());
    return Tile(
        (stripe.first_y + group.y) * TILE_ROWS,
        place % across * vectors,
        begin,
        min(begin + size, summands().count),
    );
}

fn weighted(values: vec4<f32>) -> vec4<f32> {
    if (SPLIT_MEAN == 1u) {
        return values * select(vec4(split_weights.y), vec4(split_weights.x), values > vec4(0.0));
    }
    return values;
}

// What an invocation reads for a step: the coefficients of four rows and a summand, and four
// dimensions of a summand. Rows and dimensions beyond the last one are read as the last one: nothing
// stores their sums.
struct Reads {
    rows: vec4<u32>,    // by rows, C(i, j) of four rows i
    last_row: u32,      // the same of the last row that there is
    across: vec2<u32>,  // transposed or joined, C(j, i) of the first of four i, and 64 further
    others: vec2<u32>,  // of a point, and 64 dimensions further
}

// Where all that a step reads is there.
const NO_LAST = Reads(vec4(~0u), ~0u, vec2(~0u), vec2(~0u));

// Those of a column, of the summand whose coefficients are read across, and of the one whose point
// is read.
fn reads_of(
    column: u32, across: u32, point: u32, first_row: u32, vector: u32, local: vec2<u32>,
) -> Reads {
    let blocks = vec2(0u, BLOCK);
    let row = first_row + 4u * local.y + vec4(0u, 1u, 2u, 3u);
    let last_row = stripe_rows() - 1u;
    let last_four = vec2(stripe.stride - 4u);
    let last_vector = vec2(stripe.vectors - 1u);
    return Reads(
        min(row, vec4(last_row)) * stripe.stride + column,
        last_row * stripe.stride + column,
        across * stripe.stride + min(first_row + 4u * local.y + blocks, last_four),
        (summands().first + point) * stripe.vectors + min(vector + blocks / 4u, last_vector),
    );
}

// Those so many summands further.
fn reads_after(reads: Reads, count: u32) -> Reads {
    return Reads(
        reads.rows + count,
        reads.last_row + count,
        reads.across + count * stripe.stride,
        reads.others + count * stripe.vectors,
    );
}

fn four_coefficients(at: u32) -> vec4<f32> {
    return vec4(
        coefficients[at], coefficients[at + 1u], coefficients[at + 2u], coefficients[at + 3u],
    );
}

// Loads the coefficients of a block's rows, from `block` on in the tile.
fn load_coefficients(block: u32, rows: vec4<u32>, across: u32, local: vec2<u32>, count: u32) {
    coefficient_tile[local.x * pitch() + block / 4u + local.y] =
        loaded_coefficients(rows, across, local, count);
}

fn weights_at(rows: vec4<u32>, across: u32) -> vec4<f32> {
    var values: vec4<f32>;
    if (TRANSPOSED == 1u) {
        values = four_coefficients(across);
    } else {
        values = vec4(
            coefficients[rows.x], coefficients[rows.y], coefficients[rows.z], coefficients[rows.w],
        );
        if (JOINED == 1u) {
            values += four_coefficients(across);
        }
    }
    return weighted(values);
}

// Loads a step of `count` summands, no further than to the `last` reads.
fn load(reads: Reads, last: Reads, local: vec2<u32>, count: u32) {
    let across = min(reads.across, last.across);
    let rows = min(reads.rows, last.rows);
    load_coefficients(0u, rows, across.x, local, count);
    if (TILE_ROWS > BLOCK) {
        let last_row = vec4(min(reads.last_row, last.last_row));
        let below = min(rows + BLOCK * stripe.stride, last_row);
        load_coefficients(BLOCK, below, across.y, local, count);
    }
    let others = min(reads.others, last.others);
    let at = local.y * (TILE_DIMENSIONS / 4u) + local.x;
    other_tile[at] = loaded_point(other[others.x], 0u);
    if (TILE_DIMENSIONS > BLOCK) {
        other_tile[at + SIDE] = loaded_point(other[others.y], 1u);
    }
}

// Of the first `count` rows.
fn store(row: u32, count: u32, vector: u32, value: vec4<f32>) {
    if (row < count && vector < stripe.vectors) {
        let at = (stored_first + row) * stripe.dimensions + 4u * vector;
        let left = stripe.dimensions - 4u * vector;
        gradient[at] = value.x;
        if (left > 1u) {
            gradient[at + 1u] = value.y;
        }
        if (left > 2u) {
            gradient[at + 2u] = value.z;
        }
        if (left > 3u) {
            gradient[at + 3u] = value.w;
        }
    }
}

// What earlier portions, or transposed earlier stripes, have summed up.
fn earlier(row: u32, vector: u32) -> vec4<f32> {
    var value = vec4(0.0);
    let all = owners();
    let has_earlier = stripe.portion > 0u || (TRANSPOSED == 1u && stripe.begin > 0u);
    if (has_earlier && row < all.count && vector < stripe.vectors) {
        let at = (all.first + row) * stripe.dimensions + 4u * vector;
        let left = stripe.dimensions - 4u * vector;
        value.x = gradient[at];
        if (left > 1u) {
            value.y = gradient[at + 1u];
        }
        if (left > 2u) {
            value.z = gradient[at + 2u];
        }
        if (left > 3u) {
            value.w = gradient[at + 3u];
        }
    }
    return value;
}

fn own_point(row: u32, vector: u32) -> vec4<f32> {
    let all = owners();
    let source = all.first + min(row, max(all.count, 1u) - 1u);
    return own[source * stripe.vectors + min(vector, stripe.vectors - 1u)];
}

// Four rows of an invocation: a vec4 of each of a block.
fn own_block(row: u32, vector: u32) -> mat4x4<f32> {
    return mat4x4(
        own_point(row, vector),
        own_point(row + 1u, vector),
        own_point(row + 2u, vector),
        own_point(row + 3u, vector),
    );
}

fn earlier_block(row: u32, vector: u32) -> mat4x4<f32> {
    return mat4x4(
        earlier(row, vector),
        earlier(row + 1u, vector),
        earlier(row + 2u, vector),
        earlier(row + 3u, vector),
    );
}

fn store_block(row: u32, count: u32, vector: u32, values: mat4x4<f32>) {
    store(row, count, vector, values[0]);
    store(row + 1u, count, vector, values[1]);
    store(row + 2u, count, vector, values[2]);
    store(row + 3u, count, vector, values[3]);
}

// The coefficients of a summand of the step, for the four rows of a block that the invocation has.
fn weights_of(summand: u32, block: u32, local: vec2<u32>) -> vec4<f32> {
    return coefficient_tile[summand * pitch() + block / 4u + local.y];
}

// Four dimensions of a summand of the step.
fn other_of(summand: u32, block: u32, local: vec2<u32>) -> vec4<f32> {
    return other_tile[summand * (TILE_DIMENSIONS / 4u) + block / 4u + local.x];
}

// What an invocation has of a tile: a block of 4 rows x 4 dimensions, two beside one another, or
// four.
struct Blocks {
    first: mat4x4<f32>,
    beside: mat4x4<f32>,
    below: mat4x4<f32>,
    across: mat4x4<f32>,
}

// Adds what a summand of the step gives to the invocation.
fn add_summand(sums: ptr<function, Blocks>, summand: u32, points: Blocks, local: vec2<u32>) {
    let weights = weights_of(summand, 0u, local);
    let other = other_of(summand, 0u, local);
    (*sums).first = with_summand((*sums).first, weights, points.first, other);
    if (TILE_DIMENSIONS > BLOCK) {
        let beside = other_of(summand, BLOCK, local);
        (*sums).beside = with_summand((*sums).beside, weights, points.beside, beside);
        if (TILE_ROWS > BLOCK) {
            let below = weights_of(summand, BLOCK, local);
            (*sums).below = with_summand((*sums).below, below, points.below, other);
            (*sums).across = with_summand((*sums).across, below, points.across, beside);
        }
    }
}

// The same of two summands. Of the largest tile they are loaded together: its sums are no longer in
// registers, and are fetched and put back half as often.
fn add_two(sums: ptr<function, Blocks>, summand: u32, points: Blocks, local: vec2<u32>) {
    if (TILE_ROWS == BLOCK) {
        add_summand(sums, summand, points, local);
        add_summand(sums, summand + 1u, points, local);
        return;
    }
    let next = summand + 1u;
    let weights = mat2x4(weights_of(summand, 0u, local), weights_of(next, 0u, local));
    let below = mat2x4(weights_of(summand, BLOCK, local), weights_of(next, BLOCK, local));
    let others = mat2x4(other_of(summand, 0u, local), other_of(next, 0u, local));
    let beside = mat2x4(other_of(summand, BLOCK, local), other_of(next, BLOCK, local));
    (*sums).first = with_two((*sums).first, weights, points.first, others);
    (*sums).beside = with_two((*sums).beside, weights, points.beside, beside);
    (*sums).below = with_two((*sums).below, below, points.below, others);
    (*sums).across = with_two((*sums).across, below, points.across, beside);
}

fn with_two(
    sums: mat4x4<f32>, weights: mat2x4<f32>, points: mat4x4<f32>, others: mat2x4<f32>,
) -> mat4x4<f32> {
    let one = with_summand(sums, weights[0], points, others[0]);
    return with_summand(one, weights[1], points, others[1]);
}

// Adds what a step gives to a link, whose summands are to be read, and what does not go through
// links to the sums.
fn add_step(
    sums: ptr<function, Blocks>, link: ptr<function, Blocks>, reads: Reads, points: Blocks,
    local: vec2<u32>,
) {
    load(reads, NO_LAST, local, STEP);
    workgroupBarrier();
    add_beside_links(sums, reads, local, STEP);
    // Written out: a loop would compute the places in workgroup memory again.
    add_two(link, 0u, points, local);
    add_two(link, 2u, points, local);
    add_two(link, 4u, points, local);
    add_two(link, 6u, points, local);
    add_two(link, 8u, points, local);
    add_two(link, 10u, points, local);
    add_two(link, 12u, points, local);
    add_two(link, 14u, points, local);
    workgroupBarrier();
}

// The sums of the invocation over the summands from `begin` to `end`; row and vector are those of
// its first block.
fn sums_over(begin: u32, end: u32, first_row: u32, vector: u32, local: vec2<u32>) -> Blocks {
    let row = first_row + 4u * local.y;
    var points: Blocks;
    var sums: Blocks;
    begin_sums(row, vector, local);
    points.first = points_of(row, vector);
    sums.first = earlier_block(row, vector);
    if (TILE_DIMENSIONS > BLOCK) {
        points.beside = points_of(row, vector + BLOCK / 4u);
        sums.beside = earlier_block(row, vector + BLOCK / 4u);
    }
    if (TILE_ROWS > BLOCK) {
        points.below = points_of(row + BLOCK, vector);
        points.across = points_of(row + BLOCK, vector + BLOCK / 4u);
        sums.below = earlier_block(row + BLOCK, vector);
        sums.across = earlier_block(row + BLOCK, vector + BLOCK / 4u);
    }
    let reads = reads_of(local.x, local.x, local.y, first_row, vector, local);
    var first = begin;
    while (first + STEP <= end) {
        // Written out: SwiftShader in Chromium keeps the value of the round before where none is.
        var link = Blocks();
        let link_end = min(first + LINK, end);
        for (; first + STEP <= link_end; first += STEP) {
            add_step(&sums, &link, reads_after(reads, first), points, local);
        }
        add_link(&sums, link, local);
    }
    if (first < end) {
        let last = summands().count - 1u;
        let last_reads = reads_of(stripe.stride - 1u, last, last, first_row, vector, local);
        let those = reads_after(reads, first);
        load(those, last_reads, local, end - first);
        workgroupBarrier();
        add_beside_links(&sums, those, local, end - first);
        var link = Blocks();
        for (var summand = 0u; summand < end - first; summand++) {
            add_summand(&link, summand, points, local);
        }
        workgroupBarrier();
        add_link(&sums, link, local);
    }
    finish_sums(&sums, local);
    return sums;
}

// Stores the sums of the invocation as they are, those of the first `count` rows; row and vector are
// those of its first block.
fn store_sums(row: u32, count: u32, vector: u32, sums: Blocks) {
    store_block(row, count, vector, sums.first);
    if (TILE_DIMENSIONS > BLOCK) {
        store_block(row, count, vector + BLOCK / 4u, sums.beside);
    }
    if (TILE_ROWS > BLOCK) {
        store_block(row + BLOCK, count, vector, sums.below);
        store_block(row + BLOCK, count, vector + BLOCK / 4u, sums.across);
    }
}
