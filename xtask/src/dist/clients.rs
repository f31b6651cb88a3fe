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
    packages::debian("npm", &["nodejs", "npm"], step)?;
    let package = root().join("clients/js");
    let npm = || {
        let mut npm = command("npm");
        npm.current_dir(&package);
        npm
    };
    step.run(npm().args(["ci", "--silent", "--no-audit", "--no-fund"]))?;
    step.run(
        npm()
            .args(["pack", "--silent", "--pack-destination"])
            .arg(folder()),
    )
}
