// Round points in the plane, straight from the buffer of the embeddings.

struct View {
    // Of the canvas, in pixels.
    size: vec2<f32>,
    // Of a point, in pixels.
    radius: f32,
    palette: array<vec4<f32>, 10>,
}

@group(0) @binding(0) var<uniform> view: View;
// N x 2.
@group(0) @binding(1) var<storage, read> positions: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
// The centre of what is shown, and how far it reaches from there.
@group(0) @binding(3) var<storage, read> extent: vec4<f32>;

// How much of the shorter side is used.
const FILL = 0.95;

struct Vertex {
    @builtin(position) place: vec4<f32>,
    // From the point's middle, in pixels.
    @location(0) offset: vec2<f32>,
    @location(1) @interpolate(flat) label: u32,
}

@vertex
fn vertex(@builtin(vertex_index) corner: u32, @builtin(instance_index) i: u32) -> Vertex {
    let place = (positions[i] - extent.xy) / extent.w;
    let middle = place * (FILL * min(view.size.x, view.size.y)) / view.size;
    let sides = vec2(f32(corner & 1u), f32(corner >> 1u)) * 2.0 - 1.0;
    let offset = sides * (view.radius + 1.0);
    return Vertex(vec4(middle + offset * 2.0 / view.size, 0.0, 1.0), offset, labels[i]);
}

@fragment
fn fragment(in: Vertex) -> @location(0) vec4<f32> {
    let coverage = clamp(view.radius - length(in.offset) + 0.5, 0.0, 1.0);
    return vec4(view.palette[in.label % 10u].rgb, coverage);
}
