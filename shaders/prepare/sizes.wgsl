// Reads how many rows and entries of a list the caller gives, and writes them for all other
// kernels, kept within 1 and what was planned: no index leaves its buffer, and the result is an
// error anyway.
//
//   rows            the caller's number of rows of the embeddings
//   reference_rows  the caller's number of rows of the references
//   listed          the caller's number of pairs or triplets
//   sizes           written
//
// What is not given is as planned.
// One invocation.

// #include "shared/sizes.wgsl"

struct Planned {
    sizes: vec4<u32>,     // queries, references, entries of the list
    is_given: vec4<u32>,  // 1 where the caller gives it
    pairs_per_entry: u32,
}

@group(0) @binding(0) var<uniform> subject: Planned;
@group(0) @binding(1) var<storage, read> rows: u32;
@group(0) @binding(2) var<storage, read> reference_rows: u32;
@group(0) @binding(3) var<storage, read> listed: u32;
@group(0) @binding(4) var<storage, read_write> sizes: Sizes;

@compute @workgroup_size(1)
fn main() {
    let given = select(
        subject.sizes, vec4(rows, reference_rows, listed, 0u), subject.is_given == vec4(1u),
    );
    let used = clamp(given, min(subject.sizes, vec4(1u)), subject.sizes);
    sizes = Sizes(used.x, used.y, used.z, used.z * subject.pairs_per_entry, given);
}
