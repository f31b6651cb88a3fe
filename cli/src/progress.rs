use std::io::{IsTerminal, stderr, stdout};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How far the pictures are: a bar on standard error, if that is a terminal and there is more than one picture.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// What is printed would land in the bar.
    shares_terminal: bool,
}

impl Progress {
    pub(crate) fn of(pictures: usize) -> Self {
        let target = if pictures > 1 {
            // Draws nothing where there is no terminal.
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(pictures as u64), target);
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len}, {per_sec}, {eta} left");
        Self {
            bar: bar.with_style(style.expect("the template is well-formed")),
            shares_terminal: stdout().is_terminal() && stderr().is_terminal(),
        }
    }

    pub(crate) fn one_more(&self) {
        self.bar.inc(1);
    }

    /// Prints on standard output beside the bar.
    pub(crate) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        if self.shares_terminal {
            self.bar.suspend(print)
        } else {
            print()
        }
    }

    /// Says on standard error what went wrong.
    pub(crate) fn say(&self, what: &str) {
        self.bar.suspend(|| eprintln!("imageclassifier: {what}"));
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
