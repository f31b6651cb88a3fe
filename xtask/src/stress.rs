//! Whether a release server keeps its promises under load, faults and bad input. The scenarios lie in `stress/`;
//! RELIABILITY.md says what is promised.

use std::{env, path::PathBuf};

use crate::{
    browser,
    process::{command, run},
    root,
    run::build,
    steps::Step,
    tools::packages::python,
};

/// A ready server, to be used instead of building one.
const SERVER: &str = "IMAGECLASSIFIER_SERVER_BINARY";

/// Scenarios with several servers. They need more packages: Envoy.
const FLEET: &str = "fleet";

/// Runs the scenarios that `arguments` name; fails if a figure is missed.
pub(crate) fn try_promises(arguments: &[String]) -> anyhow::Result<()> {
    if env::var_os(SERVER).is_none() {
        build()?;
    }
    let python = if arguments.first().is_some_and(|name| name == FLEET) {
        // The page is one of the scenarios.
        browser::set_up(Step::unseen())?;
        virtual_environment("target/stress/fleet-venv", "stress/fleet")?
    } else {
        virtual_environment("target/stress/venv", "stress")?
    };
    run(command(&python)
        .arg(root().join("stress/main.py"))
        .args(arguments))
}

fn virtual_environment(environment: &str, folder: &str) -> anyhow::Result<PathBuf> {
    python(
        &root().join(environment),
        &root().join(folder).join("requirements.txt"),
        Step::unseen(),
    )
}
