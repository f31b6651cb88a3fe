use std::fs;

use anyhow::{Context, bail};

use crate::{
    root,
    tools::{cargo_tool, command, run},
};

const CARGO_FUZZ: (&str, &str) = ("cargo-fuzz", "0.13.2");
/// The stable compiler has what fuzzing needs, AddressSanitizer and counters of branches, but only shows it to those who ask.
const UNSTABLE_OPTIONS: (&str, &str) = ("RUSTC_BOOTSTRAP", "1");

/// A target, and the folders with its seeds.
const TARGETS: [(&str, &[&str]); 4] = [
    ("jpeg", &JPEGS),
    ("picture", &["fuzz/seeds/picture", JPEGS[0], JPEGS[1]]),
    ("headers", &["fuzz/seeds/headers"]),
    ("grpc_web", &["fuzz/seeds/grpc_web"]),
];
const JPEGS: [&str; 2] = ["jpeg/tests/golden", "jpeg/tests/golden/scans"];

const RUNS_DEFAULT: u64 = 100_000;
/// No run should take longer, nor ask for more memory at once.
const LIMITS: [&str; 2] = ["-timeout=10", "-malloc_limit_mb=64"];

/// What `[TARGET] [--runs N]` asks for.
struct Plan {
    target: Option<String>,
    runs: u64,
}

/// Fuzzes one target or all, each for some runs. What it finds new stays in `fuzz/corpus/`, what fails in
/// `fuzz/artifacts/`.
pub(crate) fn run_targets(arguments: &[String]) -> anyhow::Result<()> {
    let plan = Plan::of(arguments)?;
    let program = cargo_tool(CARGO_FUZZ, "cargo-fuzz")?.join("cargo-fuzz");
    // The dependencies to fuzz are those that are used.
    let locked = fs::copy(root().join("Cargo.lock"), root().join("fuzz/Cargo.lock"));
    locked.context("cannot copy Cargo.lock")?;
    for (target, seeds) in plan.targets() {
        let found = root().join("fuzz/corpus").join(target);
        fs::create_dir_all(&found)?;
        println!("== {target}, {} runs", plan.runs);
        run(command(&program)
            .args(["run", target, "--target-dir", "target/fuzz"])
            .arg(found)
            .args(seeds)
            .arg("--")
            .args(LIMITS)
            .arg(format!("-runs={}", plan.runs))
            .env(UNSTABLE_OPTIONS.0, UNSTABLE_OPTIONS.1))?;
    }
    Ok(())
}

impl Plan {
    fn of(arguments: &[String]) -> anyhow::Result<Self> {
        let mut plan = Self {
            target: None,
            runs: RUNS_DEFAULT,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            if argument == "--runs" {
                let runs = arguments.next().context("--runs needs a number")?;
                plan.runs = runs.parse().context("--runs needs a number")?;
            } else if TARGETS.iter().any(|(target, _)| target == argument) {
                plan.target = Some(argument.clone());
            } else {
                let known = TARGETS.map(|(target, _)| target).join(", ");
                bail!("there is no target {argument:?}; there are {known}");
            }
        }
        Ok(plan)
    }

    fn targets(&self) -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
        let chosen = |target| self.target.as_deref().is_none_or(|chosen| chosen == target);
        TARGETS
            .into_iter()
            .filter(move |&(target, _)| chosen(target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(arguments: &[&str]) -> anyhow::Result<(Vec<&'static str>, u64)> {
        let arguments: Vec<_> = arguments.iter().map(|&word| word.to_owned()).collect();
        let plan = Plan::of(&arguments)?;
        Ok((
            plan.targets().map(|(target, _)| target).collect(),
            plan.runs,
        ))
    }

    #[test]
    fn one_target_or_all_and_any_number_of_runs() {
        assert_eq!(plan(&["jpeg"]).unwrap(), (vec!["jpeg"], RUNS_DEFAULT));
        let (all, runs) = plan(&["--runs", "7"]).unwrap();
        assert_eq!((all.len(), runs), (TARGETS.len(), 7));
        for wrong in [&["jepg"][..], &["--runs"], &["--runs", "many"]] {
            assert!(plan(wrong).is_err(), "{wrong:?}");
        }
    }

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
