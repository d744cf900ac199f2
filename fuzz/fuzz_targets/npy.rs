//! Any bytes of an `.npy` file.
#![no_main]

use support::fuzz::program;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    program::read_npy(bytes);
});
