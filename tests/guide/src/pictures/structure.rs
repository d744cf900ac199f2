//! How the library works: the dispatches of a recording, the pairs that a gradient sums up, and the
//! rooms of the source.

use super::svg::Svg;

/// Every drawing, with the name of its file.
pub(super) fn all() -> Vec<(&'static str, String)> {
    vec![
        ("dispatches/small_batch.svg", flow("A small batch is five dispatches", &SMALL_BATCH)),
        ("dispatches/cut_batch.svg", flow("A batch that is cut into stripes", &CUT_BATCH)),
        ("dispatches/both_ends.svg", flow("NtXent, SupCon in one batch", &BOTH_ENDS)),
        ("dispatches/chosen.svg", flow("One triplet per anchor", &CHOSEN)),
        ("dispatches/listed.svg", flow("Listed pairs of rows", &LISTED)),
        ("dispatches/pointwise.svg", flow("A pointwise loss", &POINTWISE)),
        ("dispatches/training.svg", flow("One step of a training", &TRAINING)),
        ("stripes.svg", stripes()),
        ("tiles.svg", tiles()),
        ("chosen.svg", chosen()),
        ("listed.svg", listed()),
        ("memory_bank.svg", memory_bank()),
        ("rooms.svg", rooms()),
    ]
}

/// A dispatch, or several of the same kind.
struct Dispatch {
    kernel: &'static str,
    /// What its workgroups share out.
    groups: &'static str,
    reads: &'static str,
    writes: &'static str,
    /// Whether it runs once for every stripe.
    on_stripes: bool,
}

const fn once(
    kernel: &'static str,
    groups: &'static str,
    reads: &'static str,
    writes: &'static str,
) -> Dispatch {
    Dispatch { kernel, groups, reads, writes, on_stripes: false }
}

const fn on_stripes(
    kernel: &'static str,
    groups: &'static str,
    reads: &'static str,
    writes: &'static str,
) -> Dispatch {
    Dispatch { kernel, groups, reads, writes, on_stripes: true }
}

const ROWS: Dispatch =
    once("prepare/rows", "a workgroup for each row", "embeddings, labels", "points, norms, state");
const TOTALS: Dispatch =
    once("finish/totals", "one workgroup", "rows", "totals: the loss, the counts");
const FINISH: Dispatch = once(
    "finish/gradient",
    "a workgroup for each row",
    "gradient, points, norms, totals",
    "gradient",
);

const SMALL_BATCH: [Dispatch; 5] = [
    ROWS,
    once("distance/pairwise", "a workgroup for each tile", "points", "distances, N x N"),
    once("terms/LOSS", "a workgroup for each row", "labels, distances", "coefficients, rows"),
    TOTALS,
    once(
        "gradient/finished",
        "a workgroup for each tile",
        "points, coefficients, totals",
        "gradient, N x D",
    ),
];

const CUT_BATCH: [Dispatch; 6] = [
    ROWS,
    on_stripes(
        "distance/pairwise",
        "a workgroup for each tile",
        "points",
        "distances of the stripe",
    ),
    on_stripes(
        "terms/LOSS",
        "a workgroup for each row",
        "labels, distances",
        "coefficients of the stripe, rows",
    ),
    on_stripes(
        "gradient/pairwise",
        "a workgroup for each tile",
        "points, coefficients",
        "gradient by rows and by columns",
    ),
    TOTALS,
    FINISH,
];

const BOTH_ENDS: [Dispatch; 7] = [
    ROWS,
    on_stripes(
        "distance/pairwise",
        "a workgroup for each tile",
        "points",
        "distances of the stripe",
    ),
    on_stripes(
        "terms/LOSS, statistics",
        "a workgroup for each row",
        "labels, distances",
        "level and weight of its rows",
    ),
    on_stripes(
        "terms/LOSS",
        "a workgroup for each row",
        "distances, statistics of both ends",
        "coefficients up to its own end",
    ),
    on_stripes(
        "gradient/pairwise, twice",
        "a workgroup for each tile",
        "points, coefficients",
        "gradient of the stripe and before",
    ),
    TOTALS,
    FINISH,
];

const CHOSEN: [Dispatch; 5] = [
    ROWS,
    on_stripes(
        "distance/pairwise",
        "a workgroup for each tile",
        "points",
        "distances of the stripe",
    ),
    on_stripes(
        "terms/triplet/one_per_anchor",
        "a workgroup for each row",
        "labels, distances",
        "choices: 16 bytes an anchor",
    ),
    TOTALS,
    once(
        "gradient/finished_chosen",
        "a workgroup for 8 rows",
        "points, choices, totals",
        "gradient, N x D",
    ),
];

const LISTED: [Dispatch; 8] = [
    ROWS,
    once("prepare/list", "a workgroup for 256 pairs", "pairs, same", "rows and kinds, checked"),
    once(
        "incidence/*, per digit",
        "a workgroup for a block",
        "rows of the pairs",
        "places, sorted by row",
    ),
    once("distance/listed", "a workgroup for 16 pairs", "points, rows", "distances, 1,024 a row"),
    once("terms/LOSS", "a workgroup for each row", "kinds, distances", "coefficients, rows"),
    once(
        "gradient/listed",
        "a workgroup for each row",
        "points, coefficients, places",
        "gradient, N x D",
    ),
    TOTALS,
    FINISH,
];

const POINTWISE: [Dispatch; 3] = [
    once(
        "pointwise/LOSS",
        "a workgroup for each row",
        "predictions, targets",
        "slopes, rows, state",
    ),
    TOTALS,
    FINISH,
];

const TRAINING: [Dispatch; 4] = [
    once("training/linear", "a workgroup for each tile", "inputs, weights", "embeddings"),
    once(
        "the plan of the loss",
        "all its dispatches",
        "embeddings, labels",
        "gradient of embeddings",
    ),
    once("training/linear", "a workgroup for each tile", "inputs, gradient", "gradient of weights"),
    once("training/adam", "a value for each invocation", "gradient of weights", "weights, moments"),
];

/// Dispatches from the first to the last, with what each reads and writes.
fn flow(title: &str, dispatches: &[Dispatch]) -> String {
    const ROW: f64 = 82.0;
    const TOP: f64 = 42.0;
    const LEFT: f64 = 24.0;
    const BOX: [f64; 2] = [372.0, 64.0];
    let striped: Vec<_> = (0..dispatches.len()).filter(|&at| dispatches[at].on_stripes).collect();
    let height = TOP + ROW * dispatches.len() as f64;
    let mut svg = Svg::new(420.0, height, title);
    svg.text([16.0, 25.0], "strong", title);
    if let [first, .., last] = striped[..] {
        svg.text([404.0, 25.0], "small faint end", "blue: for each stripe in turn");
        let top = TOP + ROW * first as f64 - 8.0;
        let size = [BOX[0] + 20.0, ROW * (last - first + 1) as f64 - 2.0];
        svg.rectangle([LEFT - 10.0, top], size, "fill-a");
    }
    for (at, dispatch) in dispatches.iter().enumerate() {
        let y = TOP + ROW * at as f64;
        if at > 0 {
            let x = LEFT + BOX[0] / 2.0;
            svg.arrow(&[[x, y - ROW + BOX[1]], [x, y]]);
        }
        svg.rectangle([LEFT, y], BOX, "box");
        svg.text([LEFT + 10.0, y + 18.0], "mono strong", dispatch.kernel);
        svg.text([LEFT + BOX[0] - 10.0, y + 18.0], "small faint end", dispatch.groups);
        svg.text([LEFT + 10.0, y + 38.0], "small faint", "reads");
        svg.text([LEFT + 50.0, y + 38.0], "small", dispatch.reads);
        svg.text([LEFT + 10.0, y + 55.0], "small faint", "writes");
        svg.text([LEFT + 50.0, y + 55.0], "small", dispatch.writes);
    }
    svg.finish()
}

/// The matrix of pairs, four stripes, and what each summation takes and gives.
fn stripes() -> String {
    const SIDE: f64 = 128.0;
    const STRIPE: f64 = SIDE / 4.0;
    let title = "The pairs that each summation takes";
    let mut svg = Svg::new(420.0, 736.0, title);
    svg.text([16.0, 25.0], "strong", title);
    svg.rectangle([16.0, 38.0], [12.0, 12.0], "fill-a");
    svg.text([34.0, 48.0], "small", "pairs that are summed up");
    svg.rectangle([190.0, 38.0], [12.0, 12.0], "fill-c");
    svg.text([208.0, 48.0], "small", "gradient rows that get the sums");
    let cells = [
        ("Rows", "all pairs of a stripe,", "for its rows"),
        ("Columns", "all pairs of a stripe,", "for their columns"),
        ("Joined", "one stripe is the batch:", "(i, j) and (j, i) at once"),
        ("Triangle", "pairs up to the stripe's", "own end, for its rows"),
        ("EarlierRows", "pairs with the rows before", "the stripe, for these"),
    ];
    for (at, (name, first, second)) in cells.into_iter().enumerate() {
        let [x, y] = [30.0 + 206.0 * (at % 2) as f64, 92.0 + 218.0 * (at / 2) as f64];
        svg.text([x, y - 10.0], "mono strong", name);
        svg.rectangle([x, y], [SIDE, SIDE], "empty");
        let stripe = y + 2.0 * STRIPE;
        let ([left, top, width, height], is_of_rows) = match name {
            "Rows" => ([x, stripe, SIDE, STRIPE], true),
            "Columns" => ([x, stripe, SIDE, STRIPE], false),
            "Joined" => ([x, y, SIDE, SIDE], true),
            "Triangle" => ([x, stripe, 3.0 * STRIPE, STRIPE], true),
            _ => ([x, stripe, 2.0 * STRIPE, STRIPE], false),
        };
        svg.rectangle([left, top], [width, height], "fill-a");
        if name != "Joined" {
            for line in 1..4 {
                let across = y + STRIPE * f64::from(line);
                svg.line(&[[x, across], [x + SIDE, across]], "line");
            }
        }
        svg.line(&[[x, y], [x + SIDE, y + SIDE]], "line");
        if is_of_rows {
            svg.rectangle([x + SIDE + 8.0, top], [10.0, height], "fill-c");
        } else {
            svg.rectangle([left, y + SIDE + 8.0], [width, 10.0], "fill-c");
        }
        svg.text([x, y + SIDE + 36.0], "small", first);
        svg.text([x, y + SIDE + 51.0], "small", second);
    }
    let notes = [
        "Rows of a matrix are anchors,",
        "columns what they are",
        "compared with.",
        "Lines cut it into stripes; the",
        "third is being worked on.",
        "The diagonal is a row with",
        "itself, which is no pair.",
        "Against references there are",
        "Rows and Columns alone.",
    ];
    for (line, text) in notes.into_iter().enumerate() {
        svg.text([236.0, 536.0 + 17.0 * line as f64], "small faint", text);
    }
    svg.finish()
}

/// A stripe, its tiles, and the steps of a sum.
fn tiles() -> String {
    let title = "A stripe, a tile, a step";
    let mut svg = Svg::new(420.0, 244.0, title);
    svg.text([16.0, 25.0], "strong", title);
    let [x, y, side] = [16.0, 62.0, 112.0];
    svg.text([x, y - 10.0], "small faint", "N x M pairs");
    svg.rectangle([x, y], [side, side], "empty");
    for line in 1..4 {
        let across = y + side / 4.0 * f64::from(line);
        svg.line(&[[x, across], [x + side, across]], "line");
    }
    svg.rectangle([x, y + side / 4.0], [side, side / 4.0], "fill-a");
    svg.arrow(&[[x + side + 4.0, y + side * 0.375], [x + side + 22.0, y + side * 0.375]]);
    let [x, tile] = [156.0, 36.0];
    svg.rectangle([x, y], [tile * 3.0, tile * 2.0], "fill-a");
    svg.rectangle([x + tile, y], [tile, tile], "fill-b");
    for line in 1..3 {
        let at = x + tile * f64::from(line);
        svg.line(&[[at, y], [at, y + 2.0 * tile]], "line");
    }
    svg.line(&[[x, y + tile], [x + 3.0 * tile, y + tile]], "line");
    svg.arrow(&[[x + 2.0 * tile + 4.0, y + tile / 2.0], [x + 3.0 * tile + 28.0, y + tile / 2.0]]);
    let [x, step] = [300.0, 22.0];
    for at in 0..4 {
        let top = y + (step + 8.0) * f64::from(at);
        svg.rectangle([x, top], [84.0, step], "fill-c");
        let rows = format!("rows {}-{}", 16 * at, 16 * at + 15);
        svg.text([x + 42.0, top + 15.0], "small middle", &rows);
        if at > 0 {
            svg.arrow(&[[x + 96.0, top - 19.0], [x + 96.0, top + 11.0]]);
        }
    }
    let notes = [
        (16.0, ["Stripe: the rows that", "the workspace holds,", "a multiple of 64"]),
        (156.0, ["Tile: 64 x 64 up to", "128 x 128 numbers", "of one workgroup"]),
        (300.0, ["Step: 16 summands;", "one chain of them", "in ascending order"]),
    ];
    for (x, lines) in notes {
        for (line, text) in lines.into_iter().enumerate() {
            svg.text([x, y + side + 28.0 + 15.0 * line as f64], "small", text);
        }
    }
    svg.finish()
}

/// Anchors that choose two pairs each.
fn chosen() -> String {
    let title = "One triplet per anchor: two choices a row";
    let mut svg = Svg::new(420.0, 380.0, title);
    svg.text([16.0, 25.0], "strong", title);
    let [x, y, cell] = [24.0, 62.0, 20.0];
    let positives = [2, 4, 0, 5, 1, 3, 7, 6];
    let negatives = [5, 0, 7, 1, 6, 2, 4, 3];
    svg.text([x, y - 10.0], "small faint", "distances of 8 anchors");
    svg.text([x + 228.0, y - 10.0], "small faint", "choices");
    for row in 0..8 {
        let top = y + cell * row as f64;
        for column in 0..8 {
            let class = match column {
                _ if column == positives[row] => "fill-a",
                _ if column == negatives[row] => "fill-b",
                _ => "empty",
            };
            svg.rectangle([x + cell * f64::from(column), top], [cell, cell], class);
        }
        let [right, middle] = [x + 8.0 * cell, top + cell / 2.0];
        svg.arrow(&[[right + 6.0, middle], [right + 58.0, middle]]);
        for (at, (choice, class)) in
            [(positives[row], "fill-a"), (negatives[row], "fill-b")].into_iter().enumerate()
        {
            let left = right + 68.0 + 74.0 * at as f64;
            svg.rectangle([left, top + 2.0], [70.0, cell - 4.0], class);
            svg.text([left + 35.0, top + 14.0], "small middle", &format!("column {choice}"));
        }
    }
    let notes = [
        "Every anchor has one positive (blue) and one negative (orange).",
        "Its terms are both columns and both coefficients: 16 bytes.",
        "No stripe of coefficients exists: a stripe has twice the rows.",
        "After the last stripe, a row's gradient is the sum over",
        "- the two pairs that it chose, and",
        "- the pairs of the anchors that chose it, in ascending order.",
        "A bit mask marks these anchors: atomics leave no order behind.",
    ];
    for (line, text) in notes.into_iter().enumerate() {
        svg.text([24.0, 250.0 + 18.0 * line as f64], "small", text);
    }
    svg.finish()
}

/// A list of pairs as a matrix.
fn listed() -> String {
    let title = "A list of pairs is a matrix of one stripe";
    let mut svg = Svg::new(420.0, 246.0, title);
    svg.text([16.0, 25.0], "strong", title);
    svg.text([16.0, 52.0], "small faint", "pairs, same");
    let pairs = ["(0, 5)  1", "(3, 2)  0", "(5, 1)  0", "(0, 4)  1", "...", "(9, 5)  0"];
    for (line, text) in pairs.into_iter().enumerate() {
        let y = 62.0 + 22.0 * line as f64;
        let class = match text {
            "..." => "empty",
            _ if text.ends_with('1') => "fill-a",
            _ => "fill-b",
        };
        svg.rectangle([16.0, y], [84.0, 19.0], class);
        svg.text([58.0, y + 14.0], "mono middle", text);
    }
    svg.arrow(&[[106.0, 120.0], [132.0, 120.0]]);
    svg.text([140.0, 52.0], "small faint", "1,024 pairs a row");
    for row in 0..3 {
        for column in 0..10 {
            let class = match (row * 10 + column) % 5 {
                _ if row == 2 && column > 5 => "empty",
                0 | 3 => "fill-a",
                _ => "fill-b",
            };
            let [x, y] = [140.0 + 13.0 * f64::from(column), 76.0 + 34.0 * f64::from(row)];
            svg.rectangle([x, y], [13.0, 26.0], class);
        }
    }
    svg.arrow(&[[274.0, 120.0], [300.0, 120.0]]);
    svg.text([308.0, 52.0], "small faint", "places, by row");
    let rows = [("row 0", "0, 3"), ("row 1", "2"), ("row 2", "1"), ("row 5", "0, 2 ..")];
    for (line, (row, places)) in rows.into_iter().enumerate() {
        let y = 66.0 + 30.0 * line as f64;
        svg.rectangle([308.0, y], [48.0, 24.0], "fill-c");
        svg.text([332.0, y + 16.0], "small middle", row);
        svg.text([362.0, y + 16.0], "mono", places);
    }
    svg.text(
        [16.0, 216.0],
        "small",
        "Sorting finds the places of every row. Its gradient is one sum",
    );
    svg.text(
        [16.0, 232.0],
        "small",
        "over them, in the order of the list: no atomic, the same bits.",
    );
    svg.finish()
}

/// A ring of earlier embeddings.
fn memory_bank() -> String {
    let title = "A memory bank: earlier batches as references";
    let mut svg = Svg::new(420.0, 234.0, title);
    svg.text([16.0, 25.0], "strong", title);
    svg.text([16.0, 52.0], "small faint", "this batch: N embeddings and labels");
    for row in 0..3 {
        svg.rectangle([16.0 + 40.0 * f64::from(row), 60.0], [36.0, 24.0], "fill-a");
    }
    svg.arrow(&[[34.0, 88.0], [34.0, 136.0]]);
    svg.text([42.0, 104.0], "small", "1. the loss, against");
    svg.text([42.0, 119.0], "small", "all of the bank");
    svg.arrow(&[[138.0, 72.0], [196.0, 72.0], [196.0, 136.0]]);
    svg.text([206.0, 104.0], "small", "2. enqueue, in the place of");
    svg.text([206.0, 119.0], "small", "the oldest rows (orange)");
    for row in 0..9 {
        let class = if (3..6).contains(&row) { "fill-b" } else { "fill-c" };
        svg.rectangle([16.0 + 43.0 * f64::from(row), 140.0], [39.0, 24.0], class);
    }
    svg.arrow(&[[380.0, 168.0], [380.0, 184.0], [34.0, 184.0], [34.0, 168.0]]);
    svg.text([42.0, 200.0], "small faint", "after the last row the ring begins anew");
    svg.text([16.0, 221.0], "small", "the bank: the last M embeddings and labels, in GPU buffers");
    svg.finish()
}

/// The rooms of the source, each above those that it knows.
fn rooms() -> String {
    let title = "The rooms: each knows only those below it";
    let mut svg = Svg::new(420.0, 522.0, title);
    svg.text([16.0, 25.0], "strong", title);
    let row = |at: u32| 42.0 + 52.0 * f64::from(at);
    let mut room = |at: u32, [x, width]: [f64; 2], class: &str, name: &str, says: &str| {
        svg.rectangle([x, row(at)], [width, 44.0], class);
        svg.text([x + 10.0, row(at) + 18.0], "mono strong", name);
        svg.text([x + 10.0, row(at) + 35.0], "small", says);
    };
    let [all, gpu, beside] = [[16.0, 388.0], [16.0, 268.0], [292.0, 112.0]];
    room(0, all, "fill-b", "the program", "commands, files, reports: a crate of its own");
    room(1, gpu, "fill-a", "gpu/plan", "what the caller holds");
    room(2, [16.0, 148.0], "fill-a", "gpu/pairs", "losses as dispatches");
    room(2, [172.0, 112.0], "fill-a", "gpu/training", "steps of weights");
    room(3, gpu, "fill-a", "gpu/dispatch", "dispatches made, recorded, read back");
    room(4, gpu, "fill-a", "gpu/device", "all that can fail on a device");
    room(5, gpu, "fill-a", "gpu/kernel", "every kernel, its bind group layout");
    room(6, gpu, "fill-a", "gpu/cut", "stripes, tiles, row widths: arithmetic");
    room(
        7,
        all,
        "fill-c",
        "loss, measures, training, data",
        "what is asked and given, what comes back",
    );
    room(8, all, "box", "wgsl, shaders", "the kernels, and what host and WGSL agree on");
    room(1, beside, "fill-c", "reference", "f64, with bounds");
    room(2, beside, "fill-a", "cpu", "the fast engine");
    room(6, beside, "fill-c", "definition", "each loss, once");
    let notes = ["Both run the same", "definitions. They", "know nothing of", "the GPU."];
    for (line, text) in notes.into_iter().enumerate() {
        svg.text([302.0, row(3) + 12.0 + 16.0 * line as f64], "small faint", text);
    }
    svg.arrow(&[[348.0, row(4) + 32.0], [348.0, row(6) - 4.0]]);
    svg.finish()
}
