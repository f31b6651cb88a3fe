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

/// Builds, then serves with the given options until stopped.
pub(crate) fn serve(options: &[String]) -> anyhow::Result<()> {
    build()?;
    let server = root().join("target/release/imageclassifier-server");
    run(command(&server.to_string_lossy()).args(options))
}
