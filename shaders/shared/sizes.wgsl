// How many rows and pairs a recording has: as many as were planned for, unless the caller gives
// other numbers, which prepare/sizes.wgsl writes. The bindings, workgroups and strides are those of
// the planned numbers.

struct Sizes {
    queries: u32,      // N
    references: u32,   // M; of a list in one set N
    listed: u32,       // entries of the list; 0 for a matrix
    pairs: u32,        // pairs of the list: of a triplet two
    given: vec4<u32>,  // the first three as the caller gave them: an error where out of range
}
