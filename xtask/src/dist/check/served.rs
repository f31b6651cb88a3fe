use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};

use crate::process::shown;

/// From the start to a first answer; under load, since nothing here measures speed.
const START_MAX: Duration = Duration::from_secs(90);
/// Above --drain-grace and --drain-timeout.
const STOP_MAX: Duration = Duration::from_secs(30);

/// A running server, from a package.
#[derive(Debug)]
pub(super) struct Served {
    server: Child,
    /// Host and port.
    pub(super) address: String,
}

impl Served {
    /// Starts `command`, which passes its last arguments on to the server, on a free port.
    pub(super) fn start(command: &mut Command) -> anyhow::Result<Self> {
        command.args(["--listen", "127.0.0.1:0"]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut server = command
            .spawn()
            .with_context(|| format!("cannot start {}", shown(command)))?;
        let log = BufReader::new(server.stderr.take().context("piped above")?);
        let (lines, heard) = mpsc::channel();
        // Reads on when nobody listens any more: a full pipe would hold up the log.
        thread::spawn(move || {
            log.lines()
                .map_while(Result::ok)
                .for_each(|line| drop(lines.send(line)))
        });
        let mut served = Self {
            server,
            address: String::new(),
        };
        let (deadline, mut log) = (Instant::now() + START_MAX, Vec::new());
        while let Ok(line) = heard.recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            if let Some((_, address)) = line.split_once("on http://") {
                address.trim().clone_into(&mut served.address);
            }
            if line.ends_with("ready") {
                return Ok(served);
            }
            log.push(line);
        }
        bail!(
            "{} did not become ready; it said:\n{}",
            shown(command),
            log.join("\n")
        );
    }

    /// Stops the server as service managers do.
    ///
    /// # Errors
    /// If it does not end with 0 in time.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        let mut kill = Command::new("kill");
        kill.args(["-TERM", &self.server.id().to_string()]);
        ensure!(kill.status()?.success(), "the server is gone");
        let deadline = Instant::now() + STOP_MAX;
        while Instant::now() < deadline {
            if let Some(status) = self.server.try_wait()? {
                ensure!(
                    status.success(),
                    "after SIGTERM the server ended with {status}"
                );
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!("the server does not end on SIGTERM");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It has ended, or the check has failed.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
