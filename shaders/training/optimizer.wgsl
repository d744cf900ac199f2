// A step of an optimiser, for every parameter by itself. The file that includes it counts the steps
// in its entry point `begin`.
//
//   gradient    P   dL/dw
//   parameters  P   w, in place
//   progress        what all parameters have in common
//
// A parameter stays as it is, its moments too, where its gradient is not finite or the step would
// make it so: that is counted.
// Memory-bound: reads every gradient once, and reads and writes every parameter and moment once.
//
// The file that includes it adds
//
//   struct Settings { count: u32, weight_decay: f32 }     may have more members
//   var<uniform> settings: Settings
//   fn make_step(index: u32, w: f32, slope: f32) -> bool  writes the parameter and its moments,
//                                                         what is remembered of its earlier
//                                                         gradients, if all of them are finite,
//                                                         and says so

// #include "shared/numbers.wgsl"
// #include "shared/start.wgsl"
// #include "shared/state.wgsl"

struct Progress {
    steps: u32,
    left_out: atomic<u32>,        // steps of single parameters
    first_left_out: atomic<u32>,  // the first parameter among them, as 2^32 - 1 - parameter
    padding: u32,
    means_of_one: vec2<f32>,      // what moments of a gradient that was always 1 would be
}

@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(4) var<storage, read_write> progress: Progress;

const WORKGROUP = 256u;

// No more are counted from here on, so that the count of a dispatch cannot pass 2^32.
const MOST_LEFT_OUT = 0x80000000u;

fn leave_out(index: u32) {
    if (atomicLoad(&progress.left_out) < MOST_LEFT_OUT) {
        atomicAdd(&progress.left_out, 1u);
    }
    atomicMax(&progress.first_left_out, fault_key(index));
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let index = number_from_start(group) * WORKGROUP + invocation.index;
    if (index >= settings.count) {
        return;
    }
    let w = parameters[index];
    let slope = gradient[index];
    if (!is_finite(slope) || !make_step(index, w, slope + settings.weight_decay * w)) {
        leave_out(index);
    }
}
