//! The compiled test programs. `cargo test` would run one after the other.

use std::{
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use anyhow::{Context, ensure};
use regex_lite::Regex;

use super::tests;
use crate::{process::command, steps::Step, tally::Tally};

/// Integration tests that compute and measure no time.
const COMPUTING: [&str; 7] = [
    "accuracy",
    "allocations",
    "checkpoints",
    "golden",
    "kernels",
    "own_network",
    "replay",
];

/// A program with the tests of one target.
#[derive(Debug, PartialEq, Eq)]
struct Program {
    kind: String,
    name: String,
    file: PathBuf,
    /// The package's, its working directory.
    folder: PathBuf,
}

/// Runs all of them. Those that may measure time leave half of the processor time unused; the others take it, at the lowest
/// priority.
///
/// # Errors
/// If one ends badly without saying that a test failed.
pub(super) fn run_all(tally: &Tally, step: Step<'_>) -> anyhow::Result<()> {
    let (computing, timed): (Vec<_>, Vec<_>) =
        compiled()?.into_iter().partition(Program::only_computes);
    let run = |programs: Vec<Program>, priority: &str| {
        let run = |program: &Program| tally.count_run(step, &mut program.command(priority));
        programs.iter().map(run).fold(Ok(()), Result::and)
    };
    thread::scope(|scope| {
        let computing = scope.spawn(|| run(computing, "19"));
        let timed = run(timed, "0");
        timed.and(computing.join().expect("the counting does not panic"))
    })
}

/// All that `cargo test` would run, except tests in documentation.
fn compiled() -> anyhow::Result<Vec<Program>> {
    let mut cargo = tests();
    let output = cargo.args(["--no-run", "--message-format=json"]).output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "the tests do not compile: {errors}"
    );
    let messages = str::from_utf8(&output.stdout)?;
    let is_program = |line: &&str| {
        line.contains(r#""test":true},"features""#) && line.contains(r#""executable":""#)
    };
    let compiled = messages.lines().filter(is_program).count();
    let programs = programs(messages)?;
    ensure!(
        !programs.is_empty() && programs.len() == compiled,
        "understood {} of cargo's {compiled} messages on test programs",
        programs.len()
    );
    Ok(programs)
}

/// Those that cargo's messages name.
fn programs(messages: &str) -> anyhow::Result<Vec<Program>> {
    let artifact = Regex::new(concat!(
        r#""manifest_path":"([^"]+)","target":\{"kind":\["([^"]+)"\],.*?"name":"([^"]+)",.*"#,
        r#""profile":\{[^}]*"test":true\},.*"executable":"([^"]+)""#
    ))?;
    let found = messages.lines().filter_map(|line| artifact.captures(line));
    found
        .map(|found| {
            let folder = Path::new(&found[1]).parent();
            Ok(Program {
                kind: found[2].to_owned(),
                name: found[3].to_owned(),
                file: PathBuf::from(&found[4]),
                folder: folder.context("a manifest in no folder")?.to_owned(),
            })
        })
        .collect()
}

impl Program {
    fn only_computes(&self) -> bool {
        self.kind == "test" && COMPUTING.contains(&self.name.as_str())
    }

    /// At a priority of `nice`: 0 is the usual one, with 19 it runs whenever nothing else needs the processor.
    fn command(&self, priority: &str) -> Command {
        let mut nice = command("nice");
        nice.args(["-n", priority])
            .arg(&self.file)
            .arg("--quiet")
            .current_dir(&self.folder);
        for (name, value) in tests().get_envs() {
            match value {
                Some(value) => nice.env(name, value),
                None => nice.env_remove(name),
            };
        }
        nice
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_programs_are_told_from_other_artifacts() {
        let artifact = |kind: &str, test: bool, executable: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"p","manifest_path":"/repository/server/Cargo.toml","target":{{"kind":["{kind}"],"crate_types":["bin"],"name":"service","src_path":"/s.rs","edition":"2024","doc":false,"doctest":false,"test":true}},"profile":{{"opt_level":"0","debuginfo":2,"debug_assertions":true,"overflow_checks":true,"test":{test}}},"features":[],"filenames":["/f"],"executable":{executable},"fresh":true}}"#
            )
        };
        let messages = [
            artifact("bin", false, r#""/target/server""#),
            artifact("lib", false, "null"),
            artifact("test", true, r#""/target/service-1""#),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        let expected = Program {
            kind: "test".to_owned(),
            name: "service".to_owned(),
            file: PathBuf::from("/target/service-1"),
            folder: PathBuf::from("/repository/server"),
        };
        assert_eq!(programs(&messages.join("\n")).unwrap(), [expected]);
    }
}
