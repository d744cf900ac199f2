// Reductions over the 256 invocations of a workgroup, as trees of a fixed shape: the same bits on every run.
// All invocations call them together; the result is the same for all.

const WORKGROUP = 256u;
const HALF_WORKGROUP = 128u;

// One scratch for floats and counts, so that the kernels that sort keep their 16 KiB.
var<workgroup> reduce_scratch: array<vec4<u32>, HALF_WORKGROUP>;

fn workgroup_sum(value: vec4<f32>, local: u32) -> vec4<f32> {
    if (local >= HALF_WORKGROUP) {
        reduce_scratch[local - HALF_WORKGROUP] = bitcast<vec4<u32>>(value);
    }
    workgroupBarrier();
    if (local < HALF_WORKGROUP) {
        add_floats(local, value);
    }
    workgroupBarrier();
    for (var width = HALF_WORKGROUP / 2u; width > 0u; width >>= 1u) {
        if (local < width) {
            add_floats(local, bitcast<vec4<f32>>(reduce_scratch[local + width]));
        }
        workgroupBarrier();
    }
    return bitcast<vec4<f32>>(workgroupUniformLoad(&reduce_scratch[0]));
}

fn add_floats(slot: u32, value: vec4<f32>) {
    reduce_scratch[slot] = bitcast<vec4<u32>>(bitcast<vec4<f32>>(reduce_scratch[slot]) + value);
}

fn workgroup_count(value: vec4<u32>, local: u32) -> vec4<u32> {
    if (local >= HALF_WORKGROUP) {
        reduce_scratch[local - HALF_WORKGROUP] = value;
    }
    workgroupBarrier();
    if (local < HALF_WORKGROUP) {
        reduce_scratch[local] += value;
    }
    workgroupBarrier();
    for (var width = HALF_WORKGROUP / 2u; width > 0u; width >>= 1u) {
        if (local < width) {
            reduce_scratch[local] += reduce_scratch[local + width];
        }
        workgroupBarrier();
    }
    return workgroupUniformLoad(&reduce_scratch[0]);
}
