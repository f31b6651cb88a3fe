//! Checkpoints through the crate's interface. `fixtures.py` writes what the results are compared with.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod formula;
mod hostile;
mod parity;
mod pickles;
mod pytorch;
mod safetensors;

use std::fs;
use std::path::Path;

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    fs::read(folder.join(name)).unwrap()
}
