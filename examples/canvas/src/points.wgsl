// Round points, each a square of two triangles, straight from a buffer of positions.

struct View {
    // Turns positions, relative to the centre.
    rotation: mat3x3<f32>,
    // Of the viewport, in pixels.
    size: vec2<f32>,
    // Of a point, in pixels.
    radius: f32,
    // 2 or 3.
    dimensions: u32,
    palette: array<vec4<f32>, 10>,
    // What the points lie on.
    ground: vec4<f32>,
}

@group(0) @binding(0) var<uniform> view: View;
// N x dimensions.
@group(0) @binding(1) var<storage, read> positions: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
// The centre of what is shown, and how far it reaches from there.
@group(0) @binding(3) var<storage, read> extent: vec4<f32>;

// How much of the shorter side is used.
const FILL = 0.95;
// From the camera to the centre, in units of the reach; only in three dimensions.
const DISTANCE = 3.0;
// How much of its colour the farthest point loses.
const FOG = 0.55;
// Of the line around a point, in pixels: it keeps neighbours apart.
const RIM = 0.8;

struct Vertex {
    @builtin(position) place: vec4<f32>,
    // From the point's middle, in pixels.
    @location(0) offset: vec2<f32>,
    @location(1) radius: f32,
    @location(2) color: vec3<f32>,
}

@vertex
fn vertex(@builtin(vertex_index) corner: u32, @builtin(instance_index) i: u32) -> Vertex {
    var position = vec3(positions[i * view.dimensions], positions[i * view.dimensions + 1u], extent.z);
    if (view.dimensions == 3u) {
        position.z = positions[i * 3u + 2u];
    }
    let turned = view.rotation * ((position - extent.xyz) / extent.w);
    let nearness = select(1.0, DISTANCE / (DISTANCE - turned.z), view.dimensions == 3u);
    let middle = turned.xy * (nearness * FILL * min(view.size.x, view.size.y)) / view.size;

    let radius = view.radius * nearness;
    let sides = vec2(f32(corner & 1u), f32(corner >> 1u)) * 2.0 - 1.0;
    let offset = sides * (radius + 1.0);
    let depth = 0.5 - 0.25 * turned.z;
    let haze = select(0.0, FOG * clamp(depth, 0.0, 1.0), view.dimensions == 3u);
    return Vertex(
        vec4(middle + offset * 2.0 / view.size, depth, 1.0),
        offset,
        radius,
        mix(view.palette[labels[i] % 10u].rgb, view.ground.rgb, haze),
    );
}

@fragment
fn fragment(in: Vertex) -> @location(0) vec4<f32> {
    let inside = in.radius - length(in.offset);
    let coverage = clamp(inside + 0.5, 0.0, 1.0);
    if (coverage == 0.0) {
        discard;
    }
    let rim = 1.0 - clamp(inside - RIM + 0.5, 0.0, 1.0);
    return vec4(mix(in.color, view.ground.rgb, rim), coverage);
}
