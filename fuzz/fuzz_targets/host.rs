//! Any inputs on the host.
#![no_main]

use support::fuzz::host;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    host::evaluate(bytes);
});
