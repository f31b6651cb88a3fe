//! Whether a release server keeps its promises under load, faults and bad input. The scenarios lie in `stress/`;
//! RELIABILITY.md says what is promised.

use std::{env, fs, path::PathBuf};

use anyhow::Context;

use crate::{
    root,
    run::build,
    tools::{command, debian, run},
};

/// A ready server, to be used instead of building one.
const SERVER: &str = "IMAGECLASSIFIER_SERVER_BINARY";

/// Runs the scenarios that `arguments` name; fails if a figure is missed.
pub(crate) fn of(arguments: &[String]) -> anyhow::Result<()> {
    if env::var_os(SERVER).is_none() {
        build()?;
    }
    let mut scenarios = command(&virtual_environment()?.to_string_lossy());
    run(scenarios.arg(root().join("stress/main.py")).args(arguments))
}

/// The virtual environment's Python; installs what `stress/requirements.txt` lists where that has changed.
fn virtual_environment() -> anyhow::Result<PathBuf> {
    let folder = root().join("target/stress/venv");
    let python = folder.join("bin/python");
    let wanted = root().join("stress/requirements.txt");
    let installed = folder.join("requirements.txt");
    if fs::read(&installed).ok() != Some(fs::read(&wanted)?) {
        debian("python3", &["python3", "python3-venv"])?;
        eprintln!("installing Python packages ...");
        run(command("python3").args(["-m", "venv"]).arg(&folder))
            .context("Debian's package python3-venv may be missing")?;
        run(command(&python.to_string_lossy())
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "-r",
            ])
            .arg(&wanted))?;
        fs::copy(&wanted, &installed)?;
    }
    Ok(python)
}
