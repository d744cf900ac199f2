// The measures of the batch from the ranks of its queries, as means over the queries that have a
// positive, and 0 where none has:
//
//   Recall@k     share with first <= k
//   R-precision  mean of within / R
//   MAP@R        mean of precisions / R
//
//   ranks      N
//   recall_at  the k
//   recall     written, for each of them
//   measures   written by the first workgroup
//
// One workgroup per k.

// #include "shared/group.wgsl"
// #include "shared/reduce.wgsl"
// #include "shared/state.wgsl"
// #include "measures/summary.wgsl"
// #include "shared/sizes.wgsl"

struct Measures {
    counted: u32,      // queries that have a positive
    overflow: u32,     // rows with a distance that is not finite
    sequence: u32,     // how many recordings have run to their last dispatch
    r_precision: f32,
    mean_average_precision: f32,
    faults: vec4<u32>,  // of embeddings and references: shared/state.wgsl
    given: vec4<u32>,   // rows and references as the caller gave them: shared/sizes.wgsl
}

@group(0) @binding(0) var<storage, read> ranks: array<Ranks>;
@group(0) @binding(1) var<storage, read> recall_at: array<u32>;
@group(0) @binding(2) var<storage, read_write> recall: array<f32>;
@group(0) @binding(3) var<storage, read_write> measures: Measures;
@group(0) @binding(4) var<storage, read_write> state: array<u32, STATE_SIZE>;
@group(0) @binding(5) var<uniform> sizes: Sizes;

fn mean(sum: f32, count: u32) -> f32 {
    return select(sum / f32(count), 0.0, count == 0u);
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let index = number_of(group);
    if (index >= arrayLength(&recall)) {
        return;
    }
    let k = recall_at[index];
    var own_sums = vec4(0.0);
    var own_counts = vec4(0u);
    for (var i = invocation.index; i < sizes.queries; i += WORKGROUP) {
        let row = ranks[i];
        if (row.positives > 0u) {
            own_counts += vec4(1u, select(0u, 1u, row.first <= k), 0u, 0u);
            own_sums += vec4(f32(row.within), row.precisions, 0.0, 0.0) / f32(row.positives);
        }
        own_counts.z += row.overflow;
    }
    let sums = workgroup_sum(own_sums, invocation);
    let counts = workgroup_count(own_counts, invocation);
    if (invocation.index > 0u) {
        return;
    }
    recall[index] = mean(f32(counts.y), counts.x);
    if (index == 0u) {
        measures.counted = counts.x;
        measures.overflow = counts.z;
        measures.sequence += 1u;
        measures.r_precision = mean(sums.x, counts.x);
        measures.mean_average_precision = mean(sums.y, counts.x);
        measures.faults = vec4(state[EMBEDDINGS_FAULT], state[REFERENCES_FAULT], 0u, 0u);
        measures.given = sizes.given;
        for (var entry = 0u; entry < STATE_SIZE; entry++) {
            state[entry] = 0u;
        }
    }
}
