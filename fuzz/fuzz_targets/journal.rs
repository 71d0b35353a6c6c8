//! The journal of a copy that can be resumed, damaged in any way: see `copyist::fuzzing::journal`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| copyist::fuzzing::journal(data));
