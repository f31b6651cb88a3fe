//! Runs test programs, shows what they print as they print it, and adds up what they say they counted.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use anyhow::Context;

use crate::tools;

/// What all the test runs so far counted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Tally {
    /// One test without a runner of its own.
    pub(crate) fn check(&mut self, name: &str, outcome: anyhow::Result<()>) {
        match outcome {
            Ok(()) => {
                println!("{name} ... ok");
                self.passed += 1;
            }
            Err(error) => {
                println!("{name} ... FAILED: {error:#}");
                self.failed += 1;
            }
        }
    }

    /// A run of many tests, counted by what `command` prints. A run that ends badly without saying that a test failed
    /// counts as one.
    pub(crate) fn run(&mut self, name: &str, command: &mut Command) {
        println!("== {name}");
        let failed_before = self.failed;
        let outcome = self.count_printed(command);
        match outcome {
            Ok(true) => {}
            Ok(false) if self.failed > failed_before => {}
            Ok(false) => self.check(name, Err(anyhow::anyhow!("it ended with an error"))),
            Err(error) => self.check(name, Err(error)),
        }
    }

    fn count_printed(&mut self, command: &mut Command) -> anyhow::Result<bool> {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", tools::shown(command)))?;
        let stdout = child.stdout.take().expect("piped above");
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            println!("{line}");
            self.count(&line);
        }
        Ok(child.wait()?.success())
    }

    /// `test result: ok. 3 passed; 0 failed; 1 ignored; …` of cargo test, `  4 passed (9s)` of Playwright.
    fn count(&mut self, line: &str) {
        let counts = match line.strip_prefix("test result: ") {
            Some(counts) => counts.split_once(". ").map_or("", |(_, counts)| counts),
            None if line.starts_with("  ") => line,
            None => return,
        };
        for part in counts.split(';') {
            let mut words = part.split_whitespace();
            let (number, kind) = (words.next(), words.next());
            let Some(number) = number.and_then(|number| number.parse::<u64>().ok()) else {
                continue;
            };
            match kind {
                Some("passed") => self.passed += number,
                Some("failed") => self.failed += number,
                Some("ignored" | "skipped") => self.skipped += number,
                _ => {}
            }
        }
    }

    pub(crate) fn all_passed(&self) -> bool {
        self.failed == 0 && self.passed > 0
    }

    /// The line that ends a run.
    pub(crate) fn summary(&self) -> String {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        format!("{passed} passed, {failed} failed, {skipped} skipped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_cargo_test_and_playwright_add_up() {
        let mut tally = Tally::default();
        for line in [
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "  1 failed",
            "  4 passed (9.1s)",
            "  2 skipped",
            "7 passed on a line of something else",
            "    at tests/3 passed.ts",
        ] {
            tally.count(line);
        }
        assert_eq!(tally.summary(), "8 passed, 3 failed, 3 skipped");
        assert!(!tally.all_passed());
    }

    #[test]
    fn a_run_that_dies_counts_as_a_failure() {
        let mut tally = Tally::default();
        tally.run("dies", &mut Command::new("false"));
        tally.run("is missing", &mut Command::new("no-such-program-anywhere"));
        assert_eq!(tally.summary(), "0 passed, 2 failed, 0 skipped");
    }
}
