//! Any bytes of an `.npy` file: `tests/fuzz/program.rs`.
#![no_main]

#[path = "../../tests/fuzz/host.rs"]
mod host;
#[path = "../../tests/fuzz/program.rs"]
mod program;
#[path = "../../tests/fuzz/source.rs"]
mod source;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    program::read_npy(bytes);
});
