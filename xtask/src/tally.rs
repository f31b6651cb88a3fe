//! Runs test programs and adds up the counts that they print.

use std::{
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::ensure;

use crate::{
    process::shown,
    steps::{Step, Steps},
};

/// What all the test runs so far counted.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Counts>);

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Tally {
    /// Runs `work` as a step that is one test.
    pub(crate) fn check(
        &self,
        steps: &Steps,
        name: &'static str,
        work: impl FnOnce(Step<'_>) -> anyhow::Result<()>,
    ) {
        let outcome = steps.run(name, work);
        self.note(&outcome, |why| steps.say(why));
    }

    /// Runs `work` as a step that counts its tests itself. An error is one more test, which failed.
    pub(crate) fn count(
        &self,
        steps: &Steps,
        name: &'static str,
        work: impl FnOnce(Step<'_>) -> anyhow::Result<()>,
    ) {
        let outcome = steps.run(name, work);
        if outcome.is_err() {
            self.note(&outcome, |why| steps.say(why));
        }
    }

    /// Counts one test. Says why it failed, by `say`.
    pub(crate) fn note(&self, outcome: &anyhow::Result<()>, say: impl FnOnce(&str)) {
        match outcome {
            Ok(()) => self.counts().passed += 1,
            Err(error) => {
                self.counts().failed += 1;
                say(&format!("FAILED: {error:#}"));
            }
        }
    }

    /// A run of many tests, counted by what `command` prints, which is shown at its end.
    ///
    /// # Errors
    /// If `command` ends badly without saying that a test failed.
    pub(crate) fn count_run(&self, step: Step<'_>, command: &mut Command) -> anyhow::Result<()> {
        let finished = step.listen(command)?;
        step.show(&finished.lines);
        let mut counts = self.counts();
        let failed_before = counts.failed;
        for line in &finished.lines {
            counts.add(line);
        }
        ensure!(
            finished.success || counts.failed > failed_before,
            "{} ended with an error",
            shown(command)
        );
        Ok(())
    }

    pub(crate) fn all_passed(&self) -> bool {
        let counts = self.counts();
        counts.failed == 0 && counts.passed > 0
    }

    /// The line that ends a run.
    pub(crate) fn summary(&self) -> String {
        let Counts {
            passed,
            failed,
            skipped,
        } = *self.counts();
        format!("{passed} passed, {failed} failed, {skipped} skipped")
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// `test result: ok. 3 passed; 0 failed; 1 ignored; …` of cargo test, `  4 passed (9s)` of Playwright.
    fn add(&mut self, line: &str) {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_cargo_test_and_playwright_add_up() {
        let mut counts = Counts::default();
        for line in [
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "  1 failed",
            "  4 passed (9.1s)",
            "  2 skipped",
            "7 passed on a line of something else",
            "    at tests/3 passed.ts",
        ] {
            counts.add(line);
        }
        let tally = Tally(Mutex::new(counts));
        assert_eq!(tally.summary(), "8 passed, 3 failed, 3 skipped");
        assert!(!tally.all_passed());
    }

    #[test]
    fn checks_and_runs_add_up() {
        let tally = Tally::default();
        Steps::show(&["check", "run", "dies", "missing"], |steps| {
            tally.check(steps, "check", |_| Ok(()));
            let run = |name: &'static str, command: &mut Command| {
                tally.count(steps, name, |step| tally.count_run(step, command));
            };
            let says = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured";
            run("run", Command::new("echo").arg(says));
            assert!(tally.all_passed());
            run("dies", &mut Command::new("false"));
            run("missing", &mut Command::new("no-such-program-anywhere"));
        });
        assert_eq!(tally.summary(), "4 passed, 2 failed, 1 skipped");
    }

    #[test]
    fn a_run_that_fails_counts_what_it_says_and_no_more() {
        let tally = Tally::default();
        let says = "echo 'test result: FAILED. 1 passed; 2 failed; 0 ignored'; exit 101";
        let mut command = Command::new("sh");
        tally
            .count_run(Step::unseen(), command.args(["-c", says]))
            .unwrap();
        assert_eq!(tally.summary(), "1 passed, 2 failed, 0 skipped");
    }
}
