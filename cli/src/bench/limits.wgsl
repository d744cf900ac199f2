// What an adapter can do at most: `multiply_add` does nothing but f32 multiply-adds, on all lanes and without memory; `empty`
// does nothing.

const WORKGROUP = 256u;
const ROUNDS = 2048u;  // of 8 multiply-adds of 4 lanes each

@group(0) @binding(0) var<storage, read_write> sink: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn multiply_add(@builtin(global_invocation_id) id: vec3<u32>) {
    let start = vec4(f32(id.x & 255u)) + vec4(0.0, 0.25, 0.5, 0.75);
    // Eight chains, so that none waits for itself. They go towards 1 and stay there.
    var a = start;
    var b = start + 1.0;
    var c = start + 2.0;
    var d = start + 3.0;
    var e = start + 4.0;
    var f = start + 5.0;
    var g = start + 6.0;
    var h = start + 7.0;
    let factor = vec4(0.5);
    for (var round = 0u; round < ROUNDS; round += 1u) {
        a = fma(a, factor, factor);
        b = fma(b, factor, factor);
        c = fma(c, factor, factor);
        d = fma(d, factor, factor);
        e = fma(e, factor, factor);
        f = fma(f, factor, factor);
        g = fma(g, factor, factor);
        h = fma(h, factor, factor);
    }
    let sum = a + b + c + d + e + f + g + h;
    // Never so, but no compiler knows.
    if (sum.x + sum.y + sum.z + sum.w < 0.0) {
        sink[0] = sum.x;
    }
}

@compute @workgroup_size(1)
fn empty() {
}
