//! Whether a release server keeps its promises under load, faults and bad input. The scenarios lie in `stress/`;
//! RELIABILITY.md says what is promised.

use std::env;

use crate::{
    process::{command, run},
    root,
    run::build,
    steps::Step,
    tools::packages::python,
};

/// A ready server, to be used instead of building one.
const SERVER: &str = "IMAGECLASSIFIER_SERVER_BINARY";

/// Runs the scenarios that `arguments` name; fails if a figure is missed.
pub(crate) fn try_promises(arguments: &[String]) -> anyhow::Result<()> {
    if env::var_os(SERVER).is_none() {
        build()?;
    }
    let python = python(
        &root().join("target/stress/venv"),
        &root().join("stress/requirements.txt"),
        Step::unseen(),
    )?;
    run(command(&python)
        .arg(root().join("stress/main.py"))
        .args(arguments))
}
