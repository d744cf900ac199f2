// How a gradient is finished: by finish/gradient.wgsl, or where it is summed up, by
// gradient/finished.wgsl and gradient/finished_chosen.wgsl.

struct Finish {
    first: u32,          // the first workgroup of a dispatch, where several share them
    of_references: u32,  // 1: the rows are the references, else the queries
    dimensions: u32,     // D
    width: u32,          // D, or where values are no rows, as many as they are cut into
    vectors: u32,        // ceil(D / 4)
    unit: u32,           // 1: points are unit rows
    add: u32,            // 1: there is a transposed part
    last: u32,           // 1: the last of a recording
    factor: f32,         // 2 for one of two equal halves, and what the terms left out
}
