use std::{fs, path::Path};

use anyhow::ensure;

use super::{ask, empty, served::Served};
use crate::{
    dist::{debian, target::Target},
    process::{command, exists},
    steps::Step,
    tools::packages,
};

const UNIT: &str = "imageclassifier-server.service";
/// Tenths of what `systemd-analyze security` says.
const EXPOSURE_MAX: &str = "20";

/// Installs the package below an empty folder, asks its server, and has systemd judge the service.
pub(super) fn try_it(target: &Target, step: Step<'_>) -> anyhow::Result<()> {
    let package = debian::package(target);
    ensure!(package.exists(), "{} is missing", package.display());
    let root = empty("debian")?;
    install(&package, &root, step)?;

    let programs = root.join("usr/bin");
    let served = Served::start(&mut command(programs.join("imageclassifier-server")))?;
    ask::everything(&served, &programs.join("imageclassifier"), step)?;
    served.stop()?;

    packages::debian("systemd-analyze", &["systemd"], step)?;
    let mut analyze = command("systemd-analyze");
    analyze.args([
        "security",
        "--no-pager",
        "--offline=true",
        "--threshold",
        EXPOSURE_MAX,
    ]);
    let said = ask::output(
        analyze.arg(format!("--root={}", root.display())).arg(UNIT),
        step,
    )?;
    step.say(said.lines().last().unwrap_or_default().trim());
    if exists("lintian") {
        // Who releases it says so: docs/releasing.md.
        let nobody = "malformed-contact,bogus-mail-host-in-debian-changelog";
        let mut lintian = command("lintian");
        lintian.args(["--fail-on", "error", "--suppress-tags", nobody]);
        step.run(lintian.arg(package))?;
    }
    Ok(())
}

fn install(package: &Path, root: &Path, step: Step<'_>) -> anyhow::Result<()> {
    let database = root.join("var/lib/dpkg");
    for folder in ["info", "updates", "triggers"] {
        fs::create_dir_all(database.join(folder))?;
    }
    for file in ["status", "available"] {
        fs::write(database.join(file), "")?;
    }
    step.run(
        command("dpkg")
            .arg(format!("--root={}", root.display()))
            // There is no shell below the folder, and nothing that needs root.
            .args(["--force-script-chrootless", "--force-not-root", "--install"])
            .arg(package),
    )
}
