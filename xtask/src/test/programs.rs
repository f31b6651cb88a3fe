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

/// Integration tests that wait for servers and measure time.
const TIMED: [&str; 2] = ["service", "command"];

/// A program with the tests of one target.
#[derive(Debug, PartialEq, Eq)]
struct Program {
    kind: String,
    name: String,
    file: PathBuf,
    /// Its package's, where it runs.
    folder: PathBuf,
}

/// Runs all of them. Those that measure time leave half of the machine idle: the others run there, and wait whenever these need
/// it.
///
/// # Errors
/// If one ends without saying that a test failed.
pub(super) fn run_all(tally: &Tally, step: Step<'_>) -> anyhow::Result<()> {
    let (timed, others): (Vec<_>, Vec<_>) = compiled()?.into_iter().partition(Program::is_timed);
    let run = |programs: Vec<Program>, priority: &str| {
        let run = |program: &Program| tally.count_run(step, &mut program.command(priority));
        programs.iter().map(run).fold(Ok(()), Result::and)
    };
    thread::scope(|scope| {
        let others = scope.spawn(|| run(others, "19"));
        let timed = run(timed, "0");
        timed.and(others.join().expect("the counting does not panic"))
    })
}

/// All that `cargo test` would run.
fn compiled() -> anyhow::Result<Vec<Program>> {
    let mut cargo = tests();
    let output = cargo.args(["--no-run", "--message-format=json"]).output()?;
    ensure!(output.status.success(), "the tests do not compile");
    let programs = programs(str::from_utf8(&output.stdout)?)?;
    ensure!(!programs.is_empty(), "cargo names no test programs");
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
    /// Unit tests are short, and some measure time too.
    fn is_timed(&self) -> bool {
        self.kind != "test" || TIMED.contains(&self.name.as_str())
    }

    /// At a priority of `nice`: 0 is the usual one, with 19 it runs whenever nothing else needs the processor.
    fn command(&self, priority: &str) -> Command {
        let mut nice = command("nice");
        nice.args(["-n", priority])
            .arg(&self.file)
            .arg("--quiet")
            .current_dir(&self.folder);
        for (name, value) in tests().get_envs() {
            nice.env(name, value.unwrap_or_default());
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
