use std::io::{IsTerminal, stderr, stdout};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A progress bar on standard error, if that is a terminal and there is more than one image.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Output on standard output would overwrite the bar.
    shares_terminal: bool,
}

impl Progress {
    pub(crate) fn new(images: usize) -> Self {
        let target = if images > 1 {
            // Draws nothing without a terminal.
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(images as u64), target);
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len}, {per_sec}, {eta} left");
        Self {
            bar: bar.with_style(style.expect("the template is well-formed")),
            shares_terminal: stdout().is_terminal() && stderr().is_terminal(),
        }
    }

    pub(crate) fn advance(&self) {
        self.bar.inc(1);
    }

    /// Runs `print`, which writes to standard output, without disturbing the bar.
    pub(crate) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        if self.shares_terminal {
            self.bar.suspend(print)
        } else {
            print()
        }
    }

    /// Prints an error on standard error.
    pub(crate) fn print_error(&self, message: &str) {
        self.bar.suspend(|| eprintln!("imageclassifier: {message}"));
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
