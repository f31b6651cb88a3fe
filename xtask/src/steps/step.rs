use std::{
    ffi::OsStr,
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::Instant,
};

use anyhow::{Context, bail};

use super::{
    Steps,
    heard::{Heard, pieces},
};
use crate::process::{self, shown};

/// A running step. It runs programs and shows their progress.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step<'a>(Option<(&'a Steps, &'static str)>);

/// What a program printed, and whether it succeeded.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) success: bool,
    pub(crate) lines: Vec<String>,
}

impl<'a> Step<'a> {
    pub(super) fn of(steps: &'a Steps, name: &'static str) -> Self {
        Self(Some((steps, name)))
    }

    /// A step without output of its own: its programs write to the terminal.
    pub(crate) fn unseen() -> Self {
        Self(None)
    }

    /// Prints a line.
    pub(crate) fn say(self, line: &str) {
        match self.0 {
            Some((steps, name)) => steps.say(&format!("{} {name}: {line}", steps.head(name))),
            None => eprintln!("{line}"),
        }
    }

    /// Prints lines on standard output.
    pub(crate) fn show(self, lines: &[String]) {
        let mut state = self.0.map(|(steps, _)| steps.state());
        if let Some(state) = &mut state {
            state.erase_status();
            state.printed = Instant::now();
        }
        for line in lines {
            println!("{line}");
        }
    }

    /// Shows what the step does at the moment.
    pub(crate) fn doing(self, what: &str) {
        let Some((steps, name)) = self.0 else { return };
        let mut state = steps.state();
        let running = state
            .running
            .iter_mut()
            .find(|running| running.name == name);
        if let Some(running) = running {
            what.clone_into(&mut running.doing);
        }
    }

    /// Runs `command`. What it prints is shown if it fails.
    ///
    /// # Errors
    /// If it cannot start or does not succeed.
    pub(crate) fn run(self, command: &mut Command) -> anyhow::Result<()> {
        let Some((steps, _)) = self.0 else {
            return process::run(command);
        };
        let finished = self.listen(command)?;
        if !finished.success {
            steps.say(&finished.lines.join("\n"));
            bail!("{} failed", shown(command));
        }
        Ok(())
    }

    /// Runs `command` and gives what it printed, both streams in the order in which lines ended.
    ///
    /// # Errors
    /// If it cannot start.
    pub(crate) fn listen(self, command: &mut Command) -> anyhow::Result<Finished> {
        if ["cargo", "trunk"]
            .map(OsStr::new)
            .contains(&command.get_program())
        {
            // With this, cargo shows its progress in a pipe too.
            command
                .env("CARGO_TERM_PROGRESS_WHEN", "always")
                .env("CARGO_TERM_PROGRESS_WIDTH", "120");
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", shown(command)))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let lines = Mutex::new(Vec::new());
        let hear = |piece: &str| match Heard::of(piece) {
            Heard::Progress(doing) => self.doing(&doing),
            Heard::Line(line) => {
                if !line.trim().is_empty() {
                    self.doing(line.trim());
                }
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                lines.push(line);
            }
            Heard::Nothing => {}
        };
        thread::scope(|scope| {
            scope.spawn(|| pieces(stdout.expect("piped above"), hear));
            scope.spawn(|| pieces(stderr.expect("piped above"), hear));
        });
        let success = child.wait()?.success();
        let lines = lines.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Finished { success, lines })
    }
}
