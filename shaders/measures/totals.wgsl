// The measures of the batch from the ranks of its queries, as means over the queries that have a
// positive, and 0 where none has:
//
//   Recall@k              share with first <= k
//   Precision@k, NDCG@k   mean of the scores / divisor
//   reciprocal rank       mean of 1 / first
//   R-precision           mean of within / R
//   MAP@R, MAP            mean of precisions / R, of all_precisions / R
//
//   ranks     N
//   cutoffs   L
//   scores    up to L x N
//   at        L      written: the measure of each cutoff
//   measures         written by the first workgroup
//
// One workgroup per cutoff.

// #include "shared/group.wgsl"
// #include "shared/reduce.wgsl"
// #include "shared/state.wgsl"
// #include "measures/summary.wgsl"
// #include "shared/sizes.wgsl"

struct Measures {
    counted: u32,      // queries that have a positive
    overflow: u32,     // rows with a distance that is not finite
    sequence: u32,     // how many recordings have run to their last dispatch
    reciprocal_rank: f32,
    r_precision: f32,
    average_precision_at_r: f32,
    average_precision: f32,
    faults: vec4<u32>,  // of embeddings and references: shared/state.wgsl
    given: vec4<u32>,   // rows and references as the caller gave them: shared/sizes.wgsl
}

@group(0) @binding(0) var<storage, read> ranks: array<Ranks>;
@group(0) @binding(1) var<storage, read> cutoffs: array<Cutoff>;
@group(0) @binding(2) var<storage, read> scores: array<f32>;
@group(0) @binding(3) var<storage, read_write> at: array<f32>;
@group(0) @binding(4) var<storage, read_write> measures: Measures;
@group(0) @binding(5) var<storage, read_write> state: array<u32, STATE_SIZE>;
@group(0) @binding(6) var<uniform> sizes: Sizes;

fn mean(sum: f32, count: u32) -> f32 {
    return select(sum / f32(count), 0.0, count == 0u);
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let index = number_of(group);
    if (index >= arrayLength(&cutoffs)) {
        return;
    }
    let cutoff = cutoffs[index];
    var own_sums = vec4(0.0);
    var own_score = 0.0;
    var own_counts = vec4(0u);
    for (var i = invocation.index; i < sizes.queries; i += WORKGROUP) {
        let row = ranks[i];
        if (row.positives > 0u) {
            own_counts += vec4(1u, select(0u, 1u, row.first <= cutoff.k), 0u, 0u);
            let parts = vec3(f32(row.within), row.precisions, row.all_precisions);
            own_sums += vec4(parts / f32(row.positives), 1.0 / f32(row.first));
            if (cutoff.measure != RECALL) {
                own_score += scores[cutoff.first + i];
            }
        }
        own_counts.z += row.overflow;
    }
    let sums = workgroup_sum(own_sums, invocation);
    let score = workgroup_sum(vec4(own_score, 0.0, 0.0, 0.0), invocation).x;
    let counts = workgroup_count(own_counts, invocation);
    if (invocation.index > 0u) {
        return;
    }
    let total = select(score, f32(counts.y), cutoff.measure == RECALL);
    at[index] = mean(total, counts.x) / cutoff.divisor;
    if (index == 0u) {
        measures.counted = counts.x;
        measures.overflow = counts.z;
        measures.sequence += 1u;
        measures.reciprocal_rank = mean(sums.w, counts.x);
        measures.r_precision = mean(sums.x, counts.x);
        measures.average_precision_at_r = mean(sums.y, counts.x);
        measures.average_precision = mean(sums.z, counts.x);
        measures.faults = vec4(state[EMBEDDINGS_FAULT], state[REFERENCES_FAULT], 0u, 0u);
        measures.given = sizes.given;
        for (var entry = 0u; entry < STATE_SIZE; entry++) {
            state[entry] = 0u;
        }
    }
}
