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

/// A target, the folders with its seeds, its longest input in bytes, and whether its runs are searched for leaks.
struct Target {
    name: &'static str,
    seeds: &'static [&'static str],
    longest: usize,
    leaks: bool,
}

impl Target {
    /// Files, long enough for every seed.
    const fn of_files(name: &'static str, seeds: &'static [&'static str]) -> Self {
        Self {
            name,
            seeds,
            longest: 32 * 1024,
            leaks: true,
        }
    }

    /// Requests to a service that takes images of 1,000 bytes at most: longer ones only cost time. There is no search for leaks,
    /// because it would run after almost every request: the service keeps memory from one to the next.
    const fn of_requests(name: &'static str, seeds: &'static [&'static str]) -> Self {
        Self {
            name,
            seeds,
            longest: 2 * 1024,
            leaks: false,
        }
    }
}

const TARGETS: [Target; 9] = [
    Target::of_files("jpeg", &JPEGS),
    Target::of_files(
        "image",
        &["fuzz/seeds/image", "fuzz/seeds/formats", JPEGS[0], JPEGS[1]],
    ),
    Target::of_requests("headers", &["fuzz/seeds/headers"]),
    Target::of_requests("form", &["fuzz/seeds/form"]),
    Target::of_requests("grpc_web", &["fuzz/seeds/grpc_web"]),
    Target::of_requests("infer", &["fuzz/seeds/infer"]),
    Target::of_files("model_folder", &["fuzz/seeds/model_folder"]),
    Target::of_files("onnx", &["onnx/tests/fixtures", "onnx/tests/rejected"]),
    Target::of_files("checkpoint", &["checkpoints/tests/fixtures"]),
];
const JPEGS: [&str; 2] = ["jpeg/tests/golden", "jpeg/tests/golden/scans"];

/// A number, as it is typed.
pub(crate) const RUNS_DEFAULT: &str = "100000";
/// A run that takes longer, or allocates more memory at once, counts as failed.
const LIMITS: [&str; 2] = ["-timeout=10", "-malloc_limit_mb=64"];

/// The names of all targets.
pub(crate) fn targets() -> [&'static str; TARGETS.len()] {
    TARGETS.each_ref().map(|target| target.name)
}

/// Fuzzes one target or all, each for some runs. What it finds new stays in `fuzz/corpus/`, what fails in
/// `fuzz/artifacts/`.
pub(crate) fn run_targets(chosen: Option<&str>, runs: u64) -> anyhow::Result<()> {
    let program = compile::program(CARGO_FUZZ, "cargo-fuzz", Step::unseen())?.join("cargo-fuzz");
    // The dependencies to fuzz are those that are used.
    let locked = fs::copy(root().join("Cargo.lock"), root().join("fuzz/Cargo.lock"));
    locked.context("cannot copy Cargo.lock")?;
    for Target {
        name,
        seeds,
        longest,
        leaks,
    } in &TARGETS
    {
        if chosen.is_some_and(|chosen| chosen != *name) {
            continue;
        }
        let found = root().join("fuzz/corpus").join(name);
        fs::create_dir_all(&found)?;
        println!("== {name}, {runs} runs");
        run(command(&program)
            .args(["run", name, "--target-dir", "target/fuzz"])
            .arg(found)
            .args(*seeds)
            .arg("--")
            .args(LIMITS)
            .arg(format!("-max_len={longest}"))
            .arg(format!("-detect_leaks={}", u8::from(*leaks)))
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
        for Target {
            name,
            seeds,
            longest,
            ..
        } in &TARGETS
        {
            assert!(manifest.contains(&format!("\"fuzz_targets/{name}.rs\"")));
            for folder in *seeds {
                // libFuzzer cuts off what is longer.
                for seed in fs::read_dir(root().join(folder)).unwrap() {
                    let seed = seed.unwrap();
                    let is_whole = seed.metadata().unwrap().len() <= *longest as u64;
                    assert!(is_whole, "{folder}: {:?}", seed.file_name());
                }
            }
        }
    }
}
