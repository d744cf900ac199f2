// Counts of columns by their places among the sorted positives. Needs shared/sorting.wgsl.

// How many columns have exactly k keys before them; then how many have at most k.
var<workgroup> places: array<atomic<u32>, CHUNK>;

// Each invocation clears what it sums up afterwards.
fn clear_places(local: u32) {
    let first = local * CHUNK_PER_INVOCATION;
    for (var k = 0u; k < CHUNK_PER_INVOCATION; k++) {
        atomicStore(&places[first + k], 0u);
    }
    workgroupBarrier();
}

// places[k] becomes the sum of places[0 ..= k].
fn sum_up_places(local: u32) {
    let first = local * CHUNK_PER_INVOCATION;
    var own = 0u;
    for (var k = 0u; k < CHUNK_PER_INVOCATION; k++) {
        own += atomicLoad(&places[first + k]);
    }
    var sum = exclusive_scan(own, local);
    for (var k = 0u; k < CHUNK_PER_INVOCATION; k++) {
        sum += atomicLoad(&places[first + k]);
        atomicStore(&places[first + k], sum);
    }
    workgroupBarrier();
}
