//! What independent implementations can do against the server, as a table in `docs/conformance.md`.

use anyhow::Context;

use crate::{
    process::{command, run},
    root,
    steps::Step,
    tools::packages::debian,
};

/// Tries them all against a release server. `conformance/` has what is asked of each, and with what.
pub(crate) fn table() -> anyhow::Result<()> {
    debian("python3", &["python3", "python3-venv"], Step::unseen())?;
    debian("npm", &["nodejs", "npm"], Step::unseen())?;
    // Of the programs among them the one that is least likely to be there without the others.
    debian(
        "protoc-gen-go",
        &[
            "golang-go",
            "golang-google-genproto-dev",
            "golang-google-grpc-dev",
            "protobuf-compiler",
            "protoc-gen-go-1-3",
        ],
        Step::unseen(),
    )?;
    run(command("cargo").args([
        "build",
        "--locked",
        "--release",
        "-p",
        "imageclassifier-server",
    ]))?;
    run(command("python3")
        .arg(root().join("conformance/conformance.py"))
        .arg(root().join("target/release/imageclassifier-server")))
    .context("a cell is red without an upstream issue, or known.json is stale: see above")
}
