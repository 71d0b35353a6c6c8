//! The planner, with any facts and options: see `copyist::fuzzing::plan`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| copyist::fuzzing::plan(data));
