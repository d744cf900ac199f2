// What is shown of the embeddings: all of them. It follows slowly, so that the picture does not jump.

struct Settings {
    rows: u32,
    dimensions: u32,
}

@group(0) @binding(0) var<uniform> settings: Settings;
@group(0) @binding(1) var<storage, read> embeddings: array<f32>;
// The centre, and how far the embeddings reach from there; a reach of 0 says that nothing has been shown yet.
@group(0) @binding(2) var<storage, read_write> extent: vec4<f32>;

const WORKGROUP = 256u;
// The share of the way that a step goes.
const HASTE = 0.1;
const LEAST_REACH = 1e-6;
const LARGEST = 3.4e38;

var<workgroup> lows: array<vec3<f32>, WORKGROUP>;
var<workgroup> highs: array<vec3<f32>, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32) {
    var low = vec3(LARGEST);
    var high = vec3(-LARGEST);
    for (var row = local; row < settings.rows; row += WORKGROUP) {
        let at = row * settings.dimensions;
        var place = vec3(embeddings[at], embeddings[at + 1u], 0.0);
        if (settings.dimensions == 3u) {
            place.z = embeddings[at + 2u];
        }
        low = min(low, place);
        high = max(high, place);
    }
    lows[local] = low;
    highs[local] = high;
    workgroupBarrier();
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        if (local < half) {
            lows[local] = min(lows[local], lows[local + half]);
            highs[local] = max(highs[local], highs[local + half]);
        }
        workgroupBarrier();
    }
    if (local == 0u) {
        let sides = (highs[0] - lows[0]) / 2.0;
        let reach = max(max(sides.x, sides.y), max(sides.z, LEAST_REACH));
        let all = vec4(lows[0] + sides, reach);
        extent = select(mix(extent, all, HASTE), all, extent.w == 0.0);
    }
}
