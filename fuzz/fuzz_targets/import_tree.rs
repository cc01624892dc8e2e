//! See `crates/fuzz-targets`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| strongroom_fuzz_targets::run("import_tree", data));
