#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| imageclassifier_fuzz::checkpoint::run(data));
