//! Any inputs on the host: `tests/fuzz/host.rs`.
#![no_main]

#[path = "../../tests/fuzz/host.rs"]
mod host;
#[path = "../../tests/fuzz/source.rs"]
mod source;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    host::evaluate(bytes);
});
