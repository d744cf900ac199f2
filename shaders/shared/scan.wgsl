// Sums over the invocations before one.

// #include "shared/reduce.wgsl"

// Sums that one invocation adds up one after the other.
const SCAN_BLOCK = 16u;

var<workgroup> scan_scratch: array<u32, MOST_INVOCATIONS>;

// The sum of `value` over the invocations before this one: sums of blocks of 16, then of the blocks
// before.
fn exclusive_scan(value: u32, invocation: Invocation) -> u32 {
    scan_scratch[invocation.index] = value;
    workgroupBarrier();
    if (invocation.index < WORKGROUP / SCAN_BLOCK) {
        var sum = 0u;
        for (var k = invocation.index * SCAN_BLOCK; k < (invocation.index + 1u) * SCAN_BLOCK; k++) {
            sum += scan_scratch[k];
            scan_scratch[k] = sum;
        }
    }
    workgroupBarrier();
    var before = scan_scratch[invocation.index] - value;
    for (var k = SCAN_BLOCK - 1u; k + 1u <= invocation.index; k += SCAN_BLOCK) {
        before += scan_scratch[k];
    }
    workgroupBarrier();
    return before;
}
