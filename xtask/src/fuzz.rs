use std::fs;

use anyhow::Context;

use crate::{
    process::{command, run},
    root,
    steps::Step,
    tools::compile,
};

const CARGO_FUZZ: (&str, &str) = ("cargo-fuzz", "0.13.2");
/// The stable compiler has what fuzzing needs, AddressSanitizer and counters of branches, but only shows it to those who ask.
const UNSTABLE_OPTIONS: (&str, &str) = ("RUSTC_BOOTSTRAP", "1");

/// A target, and the folders with its seeds.
const TARGETS: [(&str, &[&str]); 9] = [
    ("jpeg", &JPEGS),
    (
        "image",
        &["fuzz/seeds/image", "fuzz/seeds/formats", JPEGS[0], JPEGS[1]],
    ),
    ("headers", &["fuzz/seeds/headers"]),
    ("form", &["fuzz/seeds/form"]),
    ("grpc_web", &["fuzz/seeds/grpc_web"]),
    ("infer", &["fuzz/seeds/infer"]),
    ("model_folder", &["fuzz/seeds/model_folder"]),
    ("onnx", &["onnx/tests/fixtures"]),
    ("checkpoint", &["checkpoints/tests/fixtures"]),
];
const JPEGS: [&str; 2] = ["jpeg/tests/golden", "jpeg/tests/golden/scans"];

/// A number, as it is typed.
pub(crate) const RUNS_DEFAULT: &str = "100000";
/// A run that takes longer, or allocates more memory at once, counts as failed.
const LIMITS: [&str; 2] = ["-timeout=10", "-malloc_limit_mb=64"];

/// The names of all targets.
pub(crate) fn targets() -> [&'static str; TARGETS.len()] {
    TARGETS.map(|(target, _)| target)
}

/// Fuzzes one target or all, each for some runs. What it finds new stays in `fuzz/corpus/`, what fails in
/// `fuzz/artifacts/`.
pub(crate) fn run_targets(chosen: Option<&str>, runs: u64) -> anyhow::Result<()> {
    let program = compile::program(CARGO_FUZZ, "cargo-fuzz", Step::unseen())?.join("cargo-fuzz");
    // The dependencies to fuzz are those that are used.
    let locked = fs::copy(root().join("Cargo.lock"), root().join("fuzz/Cargo.lock"));
    locked.context("cannot copy Cargo.lock")?;
    for (target, seeds) in TARGETS {
        if chosen.is_some_and(|chosen| chosen != target) {
            continue;
        }
        let found = root().join("fuzz/corpus").join(target);
        fs::create_dir_all(&found)?;
        println!("== {target}, {runs} runs");
        run(command(&program)
            .args(["run", target, "--target-dir", "target/fuzz"])
            .arg(found)
            .args(seeds)
            .arg("--")
            .args(LIMITS)
            .arg(format!("-runs={runs}"))
            .env(UNSTABLE_OPTIONS.0, UNSTABLE_OPTIONS.1))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_seeds_and_a_program() {
        let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
        for (target, seeds) in TARGETS {
            assert!(manifest.contains(&format!("\"fuzz_targets/{target}.rs\"")));
            for folder in seeds {
                assert!(root().join(folder).is_dir(), "{folder}");
            }
        }
    }
}
