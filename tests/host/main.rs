//! What needs no device: the reference, the errors of the host, and rules that the sources keep.

mod any_bytes;
mod bounds;
mod errors;
mod goldens;
mod unsafe_code;
