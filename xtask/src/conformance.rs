//! Tests third-party clients against the server; the result is a table in `docs/conformance.md`.

use anyhow::Context;

use crate::{
    process::{command, run},
    root,
    steps::Step,
    tools::packages::debian,
};

/// Tests all clients against a release server. `conformance/` has the checks and the clients.
pub(crate) fn table() -> anyhow::Result<()> {
    debian("python3", &["python3", "python3-venv"], Step::unseen())?;
    debian("npm", &["nodejs", "npm"], Step::unseen())?;
    // Of these packages' programs, the one that is least likely to be installed alone.
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
    .context("a check failed without an upstream issue, or known.json is out of date: see above")
}
