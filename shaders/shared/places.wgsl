// Counts of columns by their places among the sorted positives.

// #include "shared/sorting.wgsl"

// How many columns have exactly k keys before them; then how many have at most k.
var<workgroup> places: array<atomic<u32>, CHUNK>;

// Each invocation clears what it sums up afterwards.
fn clear_places(size: u32, invocation: Invocation) {
    let each = owned_of(size);
    for (var k = invocation.index * each; k < (invocation.index + 1u) * each; k++) {
        atomicStore(&places[k], 0u);
    }
    workgroupBarrier();
}

// places[k] becomes the sum of places[0 ..= k].
fn sum_up_places(size: u32, invocation: Invocation) {
    let each = owned_of(size);
    var own = 0u;
    for (var k = invocation.index * each; k < (invocation.index + 1u) * each; k++) {
        own += atomicLoad(&places[k]);
    }
    var sum = exclusive_scan(own, invocation);
    for (var k = invocation.index * each; k < (invocation.index + 1u) * each; k++) {
        sum += atomicLoad(&places[k]);
        atomicStore(&places[k], sum);
    }
    workgroupBarrier();
}
