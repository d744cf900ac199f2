// A piece of the pairs that are the same: as many as there is room to sort.

// #include "shared/sizes.wgsl"

// 256 bytes, so that each is a uniform of its own. They are filled up by a member, because what naga
// writes for GL knows no @size.
struct Piece {
    sizes: Sizes,   // `pairs`: how many pairs it has, which verification/offsets.wgsl writes
    first: u32,     // the number of its first pair among all that are the same
    capacity: u32,  // the most that it may have
    padding: array<vec4<u32>, 13>,
}
