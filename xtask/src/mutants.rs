//! Changes the code in small ways and runs the tests: a change that no test notices shows what is not tested.

use std::fs;

use crate::{
    process::{command, run},
    root,
    steps::Step,
    tools::compile,
};

const CARGO_MUTANTS: (&str, &str) = ("cargo-mutants", "27.1.0");

/// A crate: its package, the files that are changed, and the tests that should notice.
struct Crate {
    name: &'static str,
    package: &'static str,
    files: &'static [&'static str],
    tests: &'static [&'static str],
}

const CRATES: [Crate; 3] = [
    Crate {
        name: "jpeg",
        package: "imageclassifier-jpeg",
        files: &["jpeg/src/**"],
        tests: &[],
    },
    // Not the golden tests: they compute networks, for minutes.
    Crate {
        name: "model",
        package: "imageclassifier-model",
        files: &["model/src/**"],
        tests: &[
            "--lib",
            "--test=formats",
            "--test=images",
            "--test=bombs",
            "--test=jpeg",
            "--test=own_network",
        ],
    },
    Crate {
        name: "server",
        package: "imageclassifier-server",
        files: &[
            "server/src/edge/**",
            "server/src/guard/**",
            "server/src/protocols/oip/element_count.rs",
        ],
        tests: &["--lib", "--test=service"],
    },
];

/// The names of the crates that can be tried.
pub(crate) fn names() -> [&'static str; CRATES.len()] {
    CRATES.each_ref().map(|tried| tried.name)
}

/// Tries the mutants of one crate in a copy of the repository. `options` are those of cargo-mutants. The results are in
/// `target/mutants/NAME/mutants.out/`: `missed.txt` lists the mutants that no test noticed.
///
/// # Errors
/// Also if a mutant is not noticed.
pub(crate) fn try_crate(name: &str, options: &[String]) -> anyhow::Result<()> {
    let programs = compile::program(CARGO_MUTANTS, "cargo-mutants", Step::unseen())?;
    let tried = CRATES.iter().find(|tried| tried.name == name);
    let tried = tried.expect("clap knows the names above alone");
    let results = root().join("target/mutants").join(name);
    fs::create_dir_all(&results)?;
    let mut mutants = command(programs.join("cargo-mutants"));
    mutants.args(["mutants", "--package", tried.package, "--no-shuffle"]);
    // A file that the options name replaces the crate's.
    if !options.iter().any(|option| option.starts_with("--file")) {
        mutants.args(tried.files.iter().flat_map(|files| ["--file", files]));
    }
    run(mutants
        .args(options)
        .arg("--output")
        .arg(results)
        .arg("--")
        .args(tried.tests))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_and_test_exists() {
        for Crate {
            name, files, tests, ..
        } in &CRATES
        {
            for file in *files {
                let path = root().join(file.trim_end_matches("/**"));
                assert!(path.exists(), "{file}");
            }
            for test in tests.iter().filter_map(|test| test.strip_prefix("--test=")) {
                let tests = root().join(name).join("tests");
                let exists = tests.join(test).is_dir() || tests.join(format!("{test}.rs")).exists();
                assert!(exists, "{name}: {test}");
            }
        }
    }
}
