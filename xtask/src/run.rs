use std::{os::unix::process::CommandExt, process::Command};

use anyhow::Context;

use crate::{
    page, root,
    tools::{command, run},
};

/// Builds everything that a user runs.
pub(crate) fn build() -> anyhow::Result<()> {
    page::build()?;
    run(command("cargo").args([
        "build",
        "--release",
        "--locked",
        "-p",
        "imageclassifier-server",
        "-p",
        "imageclassifier-cli",
    ]))
}

/// Builds, then becomes the server, so that Ctrl-C and exit status are its own.
pub(crate) fn serve(options: &[String]) -> anyhow::Result<()> {
    build()?;
    let server = root().join("target/release/imageclassifier-server");
    let error = Command::new(&server).args(options).exec();
    Err(error).with_context(|| format!("cannot start {}", server.display()))
}
