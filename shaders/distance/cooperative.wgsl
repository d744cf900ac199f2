// The distances of a stripe as distance/pairwise.wgsl expands them, with x.y from cooperative
// matrices, which multiply numbers of f16 and add up their products in f32.
//
// A row less the centre, times a power of two of its own, is parted into an f16 and the f16 of what
// that leaves. x.y is the sum of three products of parts; the fourth is left out. Pairs that are
// near are computed from the difference of the rows as they are.
//
// A workgroup of 256 invocations computes a tile of 8 x 8 matrices in 4 x 2 blocks of 2 x 4 each, in
// steps of as many dimensions as a matrix has columns. A subgroup has one block or two: there are
// at least four subgroups, of 64 invocations at most. The numbers of a matrix are reached through
// workgroup memory alone, where all blocks lay down their first matrix, then their second.
//
// The file that includes it adds
//
//   const SIDE: u32 = 8u                   rows and columns of a matrix: 8 or 16
//   alias Rows = coop_mat8x8<f16, A>       parts of rows
//   alias Columns = coop_mat8x8<f16, B>    parts of columns
//   alias Products = coop_mat8x8<f32, C>   sums of products

enable f16;
enable wgpu_cooperative_matrix;

// #include "distance/matrix.wgsl"

const INVOCATIONS = 256u;
const BLOCKS = 8u;
const TILE = 8u * SIDE;              // rows, and columns, of a tile
const MATRIX = SIDE * SIDE;          // numbers of a matrix
const LAID = 2u * SIDE;              // numbers of a row of the matrices that are laid down
const AT_ONCE = INVOCATIONS / LAID;  // rows of these that the invocations finish at once
const PAIRS = 4u * SIDE / AT_ONCE;   // pairs of an invocation then

// The numbers of a step, those of rows before those of columns: the leading bits of each, and what
// follows them.
var<workgroup> high: array<f16, 2u * TILE * SIDE>;
var<workgroup> low: array<f16, 2u * TILE * SIDE>;

// |x|^2 of every row and column, and what its products are divided by.
var<workgroup> squares: array<f32, 2u * TILE>;
var<workgroup> unscales: array<f32, 2u * TILE>;

// A matrix of sums of every block.
var<workgroup> products: array<f32, BLOCKS * MATRIX>;

struct Tile {
    row: u32,           // the first, of the stripe
    column: u32,        // the first
    scale: f32,         // what all rows are multiplied by
    unscale: f32,
    is_mirrored: bool,  // d(j, i) is d(i, j), and only one of the two is computed
}

// Half the exponent of a square, rounded up.
fn half_exponent(square: f32) -> u32 {
    return ((bitcast<u32>(square) >> 23u) + 1u) / 2u;
}

// Brings the norm of a row with this square to between 2^14 and 2^15: f16 ends at 65,504. The norm
// of a row whose square f32 has flushed stays below.
fn scale_of(square: f32) -> f32 {
    return bitcast<f32>((205u - half_exponent(square)) << 23u);
}

fn unscale_of(square: f32) -> f32 {
    return bitcast<f32>((49u + half_exponent(square)) << 23u);
}

// The numbers rounded to the 11 bits of an f16. Their bits are cut off here, since a conversion to
// f16 and back is nothing at all to some compilers.
fn leading(x: vec4<f32>) -> vec4<f32> {
    return bitcast<vec4<f32>>((bitcast<vec4<u32>>(x) + 0x1000u) & vec4(0xffffe000u));
}

// A row or a column of the tile, as an invocation loads it.
struct Row {
    begin: u32,       // its first vec4
    scale: f32,       // of its own
    is_column: bool,
}

// The row of an invocation, those beyond the last as the last: rows come before columns.
fn row_of(tile: Tile, index: u32) -> Row {
    let is_column = index >= TILE;
    var row = min(tile.column + index - TILE, sizes.references - 1u);
    var square = 0.0;
    if (is_column) {
        square = right_norms[row];
    } else {
        row = stripe.begin + min(tile.row + index, stripe_rows() - 1u);
        square = left_norms[row];
    }
    squares[index] = square;
    unscales[index] = unscale_of(square);
    return Row(row * stripe.vectors, scale_of(square), is_column);
}

// Vec4 k of a row less the centre, 0 beyond its end.
fn vector_of(row: Row, k: u32, scale: f32) -> vec4<f32> {
    let inside = min(k, stripe.vectors - 1u);
    var point = vec4(0.0);
    if (row.is_column) {
        point = right[row.begin + inside];
    } else {
        point = left[row.begin + inside];
    }
    let centre = right[arrayLength(&right) - stripe.vectors + inside] * scale;
    return (point * scale - centre) * select(0.0, row.scale, k < stripe.vectors);
}

// Loads the parts of a row from vec4 `first` on, as many as a matrix has columns.
fn load(tile: Tile, row: Row, first: u32, index: u32) {
    for (var k = 0u; k < SIDE / 4u; k++) {
        let x = vector_of(row, first + k, tile.scale);
        let begin = vec4<f16>(leading(x));
        let rest = vec4<f16>(x - leading(x));
        let at = index * SIDE + 4u * k;
        for (var n = 0u; n < 4u; n++) {
            high[at + n] = begin[n];
            low[at + n] = rest[n];
        }
    }
}

// A matrix of rows in its two parts, and one of columns.
struct Left {
    high: Rows,
    low: Rows,
}

struct Right {
    high: Columns,
    low: Columns,
}

fn left_at(at: u32) -> Left {
    return Left(coopLoadT<Rows>(&high[at], SIDE), coopLoadT<Rows>(&low[at], SIDE));
}

fn right_at(at: u32) -> Right {
    return Right(coopLoad<Columns>(&high[at], SIDE), coopLoad<Columns>(&low[at], SIDE));
}

// The sum and what these add to it, the least first.
fn with_parts(sum: Products, x: Left, y: Right) -> Products {
    let with_one = coopMultiplyAdd(x.low, y.high, sum);
    let with_two = coopMultiplyAdd(x.high, y.low, with_one);
    return coopMultiplyAdd(x.high, y.high, with_two);
}

// The sums of two blocks: of each four matrices side by side, and four below them.
alias Sums = array<Products, 16>;

// Adds what a step gives to a block whose sums begin there.
fn add_step(sums: ptr<function, Sums>, begin: u32, block: u32) {
    let rows = block / 2u * 2u * MATRIX;
    let columns = TILE * SIDE + block % 2u * 4u * MATRIX;
    let x = left_at(rows);
    let x_below = left_at(rows + MATRIX);
    for (var n = begin; n < begin + 4u; n++) {
        let y = right_at(columns + (n - begin) * MATRIX);
        (*sums)[n] = with_parts((*sums)[n], x, y);
        (*sums)[4u + n] = with_parts((*sums)[4u + n], x_below, y);
    }
}

// Lays down a matrix of the block.
fn lay_down(sums: ptr<function, Sums>, n: u32, block: u32) {
    let sum = (*sums)[n];
    coopStoreT(sum, &products[block / 2u * SIDE * LAID + block % 2u * SIDE], LAID);
}

// Writes a pair, of which `at` is the product, and tells whether it is too near for it. A pair that
// there is not, or whose mirror image is written, is left out.
fn write(tile: Tile, row: u32, column: u32, at: u32) -> bool {
    let i = tile.row + row;
    let j = tile.column + column;
    if (i >= stripe_rows() || (tile.is_mirrored && j < i)) {
        return false;
    }
    let x = squares[row];
    let y = squares[TILE + column];
    let apart = x + y - 2.0 * (products[at] * unscales[row] * unscales[TILE + column]);
    store(i, j, marked(distance_from(apart, tile.unscale, false), true), tile.is_mirrored);
    return apart < max(NEAR_SHARE * (x + y), TINY) || max(x, y) > LARGEST_SQUARE;
}

// The row of the tile that is row `at` of what blocks have laid down, of their first matrices.
fn row_at(at: u32) -> u32 {
    return at / SIDE * 2u * SIDE + at % SIDE;
}

// Writes the pairs of matrices `n` of all blocks, then those that are near by themselves.
fn write_pairs(tile: Tile, n: u32, index: u32) {
    let across = index % LAID;
    let column = (across / SIDE * 4u + n % 4u) * SIDE + across % SIDE;
    if (tile.column + column >= sizes.references) {
        return;
    }
    let row = row_at(index / LAID) + n / 4u * SIDE;
    var near = 0u;
    for (var pair = 0u; pair < PAIRS; pair++) {
        let is_near = write(tile, row + row_at(pair * AT_ONCE), column, pair * INVOCATIONS + index);
        near |= select(0u, 1u << pair, is_near);
    }
    for (; near != 0u; near &= near - 1u) {
        let i = tile.row + row + row_at(countTrailingZeros(near) * AT_ONCE);
        let d = near_distance(stripe.begin + i, tile.column + column);
        store(i, tile.column + column, marked(d, false), tile.is_mirrored);
    }
}

@compute @workgroup_size(INVOCATIONS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
    @builtin(num_subgroups) subgroups: u32,
    @builtin(subgroup_id) subgroup: u32,
) {
    let at = vec2(stripe.first_x, stripe.first_y) + group.xy;
    let exponent = state[EXPONENT];
    let scale = select(1.0, scale_for(exponent), is_scaled(exponent));
    let unscale = select(1.0, inverse_scale_for(exponent), is_scaled(exponent));
    let tile = Tile(at.y * TILE, at.x * TILE, scale, unscale, is_symmetric());
    let is_below = tile.is_mirrored && at.x < at.y;
    if (is_below || tile.row >= stripe_rows() || tile.column >= sizes.references) {
        return;
    }
    let blocks = vec2(subgroup, subgroup + subgroups);
    let has = blocks < vec2(BLOCKS);
    let loads = index < 2u * TILE;
    var row = Row();
    if (loads) {
        row = row_of(tile, index);
    }
    var sums = Sums();
    for (var first = 0u; first < stripe.vectors; first += SIDE / 4u) {
        if (loads) {
            load(tile, row, first, index);
        }
        workgroupBarrier();
        if (has.x) {
            add_step(&sums, 0u, blocks.x);
        }
        if (has.y) {
            add_step(&sums, 8u, blocks.y);
        }
        workgroupBarrier();
    }
    for (var n = 0u; n < 8u; n++) {
        if (has.x) {
            lay_down(&sums, n, blocks.x);
        }
        if (has.y) {
            lay_down(&sums, 8u + n, blocks.y);
        }
        workgroupBarrier();
        write_pairs(tile, n, index);
        workgroupBarrier();
    }
}
