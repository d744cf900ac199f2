// Adds a loss of an objective, and its gradient, to those of the objective:
//
//   sum         (+)= gradient       the gradient has the weight already
//   total.loss  (+)= weight * loss
//
// The first to come writes, and needs no clearing.
//
//   gradient  N x D
//   sum       N x D   of all losses over the same rows
//
// Memory-bound: reads and writes N x D once.

// #include "shared/group.wgsl"
// #include "shared/numbers.wgsl"
// #include "shared/state.wgsl"
// #include "shared/summary.wgsl"

struct Accumulate {
    first: u32,           // the first workgroup of a dispatch, where several share them
    count: u32,          // N x D
    is_first: u32,       // 1: the first loss over these rows
    is_first_of_all: u32,  // 1: the first loss of the objective
    weight: f32,
}

@group(0) @binding(0) var<uniform> subject: Accumulate;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> totals: Totals;
@group(0) @binding(3) var<storage, read_write> sum: array<f32>;
@group(0) @binding(4) var<storage, read_write> total_loss: f32;
@group(0) @binding(5) var<storage, read_write> state: array<atomic<u32>, STATE_SIZE>;

const WORKGROUP = 256u;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let index = (subject.first + number_of(group)) * WORKGROUP + invocation.index;
    if (index >= subject.count) {
        return;
    }
    var value = gradient[index];
    if (subject.is_first == 0u) {
        value += sum[index];
    }
    if (!is_finite(value)) {
        atomicMax(&state[OVERFLOW], 1u);
    }
    sum[index] = value;
    if (index == 0u) {
        var loss = subject.weight * totals.loss;
        if (subject.is_first_of_all == 0u) {
            loss += total_loss;
        }
        total_loss = loss;
    }
}
