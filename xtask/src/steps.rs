//! What xtask is doing: which step of how many, for how long, and what is being built. A terminal shows the running steps in
//! one line that is redrawn; a pipe gets plain lines.

mod heard;
mod step;

use std::{
    io::{self, IsTerminal, Write},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;

pub(crate) use step::Step;

/// A pipe gets a line at least this often.
const SILENCE_MAX: Duration = Duration::from_secs(8);
const REDRAW_PERIOD: Duration = Duration::from_millis(250);
/// Narrower than any usual terminal, so that a redrawn line stays one line.
const STATUS_COLUMNS: usize = 79;

/// The steps of one command of xtask. Several may run at once, each on a thread of its own.
#[derive(Debug)]
pub(crate) struct Steps {
    names: Vec<&'static str>,
    started: Instant,
    is_terminal: bool,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    running: Vec<Running>,
    printed: Instant,
    status_shown: bool,
    finished: bool,
}

#[derive(Debug)]
struct Running {
    name: &'static str,
    started: Instant,
    doing: String,
}

/// Ends the showing, also where the work panics.
struct Finish<'a>(&'a Steps);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.erase_status();
        state.finished = true;
        self.0.changed.notify_all();
    }
}

impl Steps {
    /// Runs `work`, whose steps are those of `names`, and shows them meanwhile on standard error.
    pub(crate) fn show<T>(names: &[&'static str], work: impl FnOnce(&Self) -> T) -> T {
        let now = Instant::now();
        let steps = Self {
            names: names.to_vec(),
            started: now,
            is_terminal: io::stderr().is_terminal(),
            state: Mutex::new(State {
                running: Vec::new(),
                printed: now,
                status_shown: false,
                finished: false,
            }),
            changed: Condvar::new(),
        };
        thread::scope(|scope| {
            scope.spawn(|| steps.keep_showing());
            let _finish = Finish(&steps);
            work(&steps)
        })
    }

    /// Runs `work` as the step `name`.
    ///
    /// # Errors
    /// That of `work`, with the step's name.
    pub(crate) fn run<T>(
        &self,
        name: &'static str,
        work: impl FnOnce(Step<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let started = Instant::now();
        self.state().running.push(Running {
            name,
            started,
            doing: String::new(),
        });
        self.say(&format!("{} {name}", self.head(name)));
        let outcome = work(Step::of(self, name));
        self.state().running.retain(|running| running.name != name);
        let end = if outcome.is_ok() { "done" } else { "FAILED" };
        let took = clock(started.elapsed());
        self.say(&format!("{} {name}: {end} in {took}", self.head(name)));
        outcome.with_context(|| name.to_owned())
    }

    /// `[2/5  1:07]`
    fn head(&self, name: &str) -> String {
        let index = self.names.iter().position(|&known| known == name);
        let number = index.expect("a step is announced") + 1;
        let elapsed = clock(self.started.elapsed());
        format!("[{number}/{} {elapsed:>5}]", self.names.len())
    }

    /// Prints whole lines on standard error.
    pub(crate) fn say(&self, lines: &str) {
        let mut state = self.state();
        state.erase_status();
        eprintln!("{lines}");
        state.printed = Instant::now();
    }

    fn keep_showing(&self) {
        let mut state = self.state();
        while !state.finished {
            let waited = self.changed.wait_timeout(state, REDRAW_PERIOD);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.running.is_empty() || state.finished {
                continue;
            }
            let status = self.status(&state.running);
            if self.is_terminal {
                state.erase_status();
                let line: String = status.chars().take(STATUS_COLUMNS).collect();
                eprint!("{line}");
                // A terminal that is gone sees nothing anyway.
                let _ = io::stderr().flush();
                state.status_shown = true;
            } else if state.printed.elapsed() >= SILENCE_MAX {
                eprintln!("{status}");
                state.printed = Instant::now();
            }
        }
    }

    /// `[ 1:07] page 0:50: leptos (31 of 120) | server 1:07: burn-core (200 of 340)`
    fn status(&self, running: &[Running]) -> String {
        let parts = running.iter().map(|running| {
            let took = clock(running.started.elapsed());
            let doing = if running.doing.is_empty() { "" } else { ": " };
            format!("{} {took}{doing}{}", running.name, running.doing)
        });
        let parts: Vec<_> = parts.collect();
        format!(
            "[{:>5}] {}",
            clock(self.started.elapsed()),
            parts.join(" | ")
        )
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn erase_status(&mut self) {
        if self.status_shown {
            eprint!("\r\x1b[2K");
            self.status_shown = false;
        }
    }
}

/// Minutes and seconds, as `1:07`.
fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests;
