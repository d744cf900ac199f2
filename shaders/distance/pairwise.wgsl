// The distances of a stripe: d(i, j) for its rows i and all columns j, by direct differences.
//
//   left       N x vectors     points of the queries
//   right      M x vectors     points of the references (in batch mode the same)
//   norms      N, M            0 for rows of norm 0
//   distances  rows x stride   written
//
// EXPANDED = 1, for the Euclidean distance and its square, takes |x|^2 + |y|^2 - 2 x.y of rows x
// and y less a centre, which stands behind the last row of both sets; in the place of the norms are
// |x|^2 and |y|^2, of points at the scale that is taken here. What would lose too much by that is
// near, and is computed from the difference of the rows as they are. The lowest bit of a distance
// then says whether the pair is far, for gradient/expansion.wgsl.
//
// A workgroup of 16 x 16 invocations computes a tile: of 64 x 64 in steps of 16 dimensions, 4 x 4
// pairs an invocation, or of 128 x 128 in steps of 8, 8 x 8 pairs an invocation.
// Cost per pair and dimension: a subtraction and a multiply-add, expanded a multiply-add, 1 / 2 or
// 1 / 4 of a value from workgroup memory, and 1 / 32 or 1 / 64 of one from memory. The bits are the
// same. Where the stripe is the whole matrix of a batch, the tiles above the diagonal write those
// below it as well.

// #include "distance/matrix.wgsl"

// Rows and columns of a tile: 64 or 128.
override TILE: u32 = 64u;

const SIDE = 16u;        // invocations along each
const BLOCK = 64u;       // pairs along each that 4 x 4 of every invocation make
const TILE_SIZE = 384u;  // vec4s of a tile in workgroup memory: 64 rows of 5, or 128 of 3

// vec4s of a point per step.
fn step_size() -> u32 {
    return SIDE * SIDE / TILE;
}

// From row to row of a tile; odd, which keeps workgroup memory free of bank conflicts.
fn pitch() -> u32 {
    return step_size() + 1u;
}

var<workgroup> left_tile: array<vec4<f32>, TILE_SIZE>;
var<workgroup> right_tile: array<vec4<f32>, TILE_SIZE>;

fn with_one(sum: f32, x: vec4<f32>, y: vec4<f32>) -> f32 {
    if (EXPANDED == 1u) {
        return with_products(sum, x, y);
    }
    return with_part(sum, x, y);
}

// The sums of a row and four columns, and what a vec4 of each adds to them.
fn with_parts(sums: vec4<f32>, x: vec4<f32>, columns: mat4x4<f32>) -> vec4<f32> {
    return vec4(
        with_one(sums.x, x, columns[0]),
        with_one(sums.y, x, columns[1]),
        with_one(sums.z, x, columns[2]),
        with_one(sums.w, x, columns[3]),
    );
}

// The same of four rows.
fn with_parts_of_block(
    sums: mat4x4<f32>, rows: mat4x4<f32>, columns: mat4x4<f32>,
) -> mat4x4<f32> {
    return mat4x4(
        with_parts(sums[0], rows[0], columns),
        with_parts(sums[1], rows[1], columns),
        with_parts(sums[2], rows[2], columns),
        with_parts(sums[3], rows[3], columns),
    );
}

// vec4 k of a step, of the four rows of a block that the invocation has.
fn left_points(k: u32, row: u32) -> mat4x4<f32> {
    let at = row * pitch() + k;
    let next = SIDE * pitch();
    return mat4x4(
        left_tile[at], left_tile[at + next], left_tile[at + 2u * next], left_tile[at + 3u * next],
    );
}

fn right_points(k: u32, column: u32) -> mat4x4<f32> {
    let at = column * pitch() + k;
    let next = SIDE * pitch();
    return mat4x4(
        right_tile[at],
        right_tile[at + next],
        right_tile[at + 2u * next],
        right_tile[at + 3u * next],
    );
}

// The sums of an invocation: one block of 4 x 4 pairs, or four.
struct Sums {
    first: mat4x4<f32>,
    beside: mat4x4<f32>,
    below: mat4x4<f32>,
    across: mat4x4<f32>,
}

// Adds what vec4 k of a step gives to the pairs of the invocation.
fn add_parts(sums: ptr<function, Sums>, k: u32, local: vec2<u32>) {
    let rows = left_points(k, local.y);
    let columns = right_points(k, local.x);
    (*sums).first = with_parts_of_block((*sums).first, rows, columns);
    if (TILE > BLOCK) {
        let columns_beside = right_points(k, local.x + BLOCK);
        (*sums).beside = with_parts_of_block((*sums).beside, rows, columns_beside);
        let rows_below = left_points(k, local.y + BLOCK);
        (*sums).below = with_parts_of_block((*sums).below, rows_below, columns);
        (*sums).across = with_parts_of_block((*sums).across, rows_below, columns_beside);
    }
}

// How the sums of a tile are written.
struct Writing {
    unscale: f32,
    is_mirrored: bool,  // d(j, i), which is d(i, j) to the bit, as well
}

// |x|^2 of a row, of one beyond the last that of the last.
fn square_of_row(row: u32) -> f32 {
    return left_norms[stripe.begin + min(row, stripe_rows() - 1u)];
}

// |y|^2 of four columns.
fn squares_of_columns(column: u32) -> vec4<f32> {
    let last = sizes.references - 1u;
    return vec4(
        right_norms[min(column, last)],
        right_norms[min(column + SIDE, last)],
        right_norms[min(column + 2u * SIDE, last)],
        right_norms[min(column + 3u * SIDE, last)],
    );
}

// Writes four pairs of a row; bit k of the result says that pair k is too near for its sum.
fn write(row: u32, column: u32, sums: vec4<f32>, writing: Writing) -> u32 {
    if (EXPANDED == 1u) {
        let x = square_of_row(row);
        let y = squares_of_columns(column);
        let squares = x + y;
        let apart = squares - 2.0 * sums;
        let are_near = apart < max(NEAR_SHARE * squares, vec4(TINY));
        let near = write_four(row, column, apart, are_near, writing);
        let is_large = x > LARGEST_SQUARE || any(y > vec4(LARGEST_SQUARE));
        return select(near, 15u, is_large);
    }
    return write_four(row, column, sums, sums < vec4(TINY), writing);
}

fn write_four(
    row: u32, column: u32, sums: vec4<f32>, are_near: vec4<bool>, writing: Writing,
) -> u32 {
    write_one(row, column, sums.x, writing);
    write_one(row, column + SIDE, sums.y, writing);
    write_one(row, column + 2u * SIDE, sums.z, writing);
    write_one(row, column + 3u * SIDE, sums.w, writing);
    let near = select(vec4(0u), vec4(1u, 2u, 4u, 8u), are_near);
    return near.x + near.y + near.z + near.w;
}

fn write_one(row: u32, column: u32, sum: f32, writing: Writing) {
    if (row < stripe_rows() && column < sizes.references) {
        var zero_row = false;
        if (DISTANCE == COSINE) {
            zero_row = left_norms[stripe.begin + row] == 0.0 || right_norms[column] == 0.0;
        }
        let d = distance_from(sum, writing.unscale, zero_row);
        store(row, column, marked(d, true), writing.is_mirrored);
    }
}

// Writes the pairs of a block that the invocation has; bit 4 r + c of the result says that pair c
// of row r is too near for its sum.
fn write_block(first_row: u32, first_column: u32, sums: mat4x4<f32>, writing: Writing) -> u32 {
    return write(first_row, first_column, sums[0], writing)
        | (write(first_row + SIDE, first_column, sums[1], writing) << 4u)
        | (write(first_row + 2u * SIDE, first_column, sums[2], writing) << 8u)
        | (write(first_row + 3u * SIDE, first_column, sums[3], writing) << 12u);
}

// Writes the pairs that are too near for their sums: bits of `near.x` say so of the first block
// and, from 16 on, of the one beside it, those of `near.y` of the two below. They are few, but for
// duplicates. The direction to a near row is worth as much in the gradient as that to any other.
fn write_near(first_row: u32, first_column: u32, near: vec2<u32>, is_mirrored: bool) {
    var left = near;
    while (any(left != vec2(0u))) {
        let is_below = left.x == 0u;
        let bits = select(left.x, left.y, is_below);
        let pair = countTrailingZeros(bits);
        let row = first_row + select(0u, BLOCK, is_below) + pair / 4u % 4u * SIDE;
        let column = first_column + pair / 16u * BLOCK + pair % 4u * SIDE;
        if (row < stripe_rows() && column < sizes.references) {
            let d = near_distance(stripe.begin + row, column);
            store(row, column, marked(d, false), is_mirrored);
        }
        let others = bits & (bits - 1u);
        left = select(vec2(others, left.y), vec2(0u, others), is_below);
    }
}

// Which vec4s an invocation loads for a step.
struct Reads {
    left: u32,
    right: u32,
    centre: u32,
}

// Those so many vec4s further.
fn reads_after(reads: Reads, count: u32) -> Reads {
    return Reads(reads.left + count, reads.right + count, reads.centre + count);
}

// Loads a vec4 of each tile.
fn load(reads: Reads, scale: f32, local: vec2<u32>) {
    let at = (SIDE / step_size() * local.y + local.x / step_size()) * pitch()
        + local.x % step_size();
    left_tile[at] = left[reads.left] * scale;
    right_tile[at] = right[reads.right] * scale;
    if (EXPANDED == 1u) {
        let centre = right[reads.centre] * scale;
        left_tile[at] -= centre;
        right_tile[at] -= centre;
    }
}

@compute @workgroup_size(SIDE, SIDE)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
    let local = id.xy;
    let tile = vec2(stripe.first_x, stripe.first_y) + group.xy;
    if (is_symmetric() && tile.x < tile.y) {
        return;
    }
    let exponent = state[EXPONENT];
    let scale = select(1.0, scale_for(exponent), is_scaled(exponent));
    let unscale = select(1.0, inverse_scale_for(exponent), is_scaled(exponent));

    let first_row = tile.y * TILE;
    let first_column = tile.x * TILE;
    if (first_row >= stripe_rows() || first_column >= sizes.references) {
        return;
    }
    let load_row = SIDE / step_size() * local.y + local.x / step_size();
    let load_left = stripe.begin + min(first_row + load_row, stripe_rows() - 1u);
    let load_right = min(first_column + load_row, sizes.references - 1u);
    let centre = arrayLength(&right) - stripe.vectors;
    let start = Reads(load_left * stripe.vectors, load_right * stripe.vectors, centre);
    let part = local.x % step_size();

    var sums: Sums;
    var first = 0u;
    for (; first + step_size() <= stripe.vectors; first += step_size()) {
        load(reads_after(start, part + first), scale, local);
        workgroupBarrier();
        // Written out: a loop would compute the places in workgroup memory again.
        add_parts(&sums, 0u, local);
        add_parts(&sums, 1u, local);
        if (TILE == BLOCK) {
            add_parts(&sums, 2u, local);
            add_parts(&sums, 3u, local);
        }
        workgroupBarrier();
    }
    if (first < stripe.vectors) {
        let vector = min(first + part, stripe.vectors - 1u);
        load(reads_after(start, vector), scale, local);
        workgroupBarrier();
        for (var k = 0u; k < stripe.vectors - first; k++) {
            add_parts(&sums, k, local);
        }
    }
    let writing = Writing(unscale, is_symmetric() && tile.x > tile.y);
    let row = first_row + local.y;
    let column = first_column + local.x;
    // Written out: a compiler may take minutes for a loop around so many branches.
    var near = vec2(write_block(row, column, sums.first, writing), 0u);
    if (TILE > BLOCK) {
        near += vec2(
            write_block(row, column + BLOCK, sums.beside, writing) << 16u,
            write_block(row + BLOCK, column, sums.below, writing)
                | (write_block(row + BLOCK, column + BLOCK, sums.across, writing) << 16u),
        );
    }
    if (DISTANCE == EUCLIDEAN || EXPANDED == 1u) {
        write_near(row, column, near, writing.is_mirrored);
    }
}
