//! The client packages of other languages.

use super::{epoch, folder, tools::Tools};
use crate::{process::command, root, steps::Step, tools::packages};

pub(super) fn python(tools: &Tools, step: Step<'_>) -> anyhow::Result<()> {
    step.run(
        tools
            .command("python")
            .args(["-m", "build", "--wheel", "--no-isolation", "--outdir"])
            .arg(folder())
            .arg("clients/python")
            .env("SOURCE_DATE_EPOCH", epoch()?),
    )
}

pub(super) fn npm(step: Step<'_>) -> anyhow::Result<()> {
    let package = root().join("clients/js");
    packages::debian("npm", &["nodejs", "npm"], step)?;
    packages::npm_ci(&package, step)?;
    step.run(
        command("npm")
            .current_dir(package)
            .args(["pack", "--silent", "--pack-destination"])
            .arg(folder()),
    )
}
