// Takes back what a recording wrote that came to no valid result:
//
//   numbers = filling
//
//   status          of finish/status.wgsl
//   numbers  count  a gradient or a loss
//
// A valid recording costs each workgroup one number that is read.

// #include "shared/group.wgsl"
// #include "shared/status.wgsl"

struct Withdrawal {
    first: u32,    // the first workgroup of a dispatch, where several share them
    count: u32,
    filling: u32,  // the bits of what takes their place
}

@group(0) @binding(0) var<uniform> subject: Withdrawal;
@group(0) @binding(1) var<storage, read> status: u32;
@group(0) @binding(2) var<storage, read_write> numbers: array<u32>;

const WORKGROUP = 256u;
// The numbers of an invocation are a workgroup apart, so that neighbours write neighbours.
const NUMBERS_PER_INVOCATION = 16u;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    if (status == VALID) {
        return;
    }
    let begin = (subject.first + number_of(group)) * NUMBERS_PER_INVOCATION * WORKGROUP;
    let end = min(begin + NUMBERS_PER_INVOCATION * WORKGROUP, subject.count);
    for (var i = begin + invocation.index; i < end; i += WORKGROUP) {
        numbers[i] = subject.filling;
    }
}
