use std::{env, fs, path::PathBuf};

use super::{epoch, folder, target::Target, tools::Tools, version};
use crate::{process::command, root, steps::Step};

const PACKAGE: &str = "imageclassifier-server";

pub(super) fn package(target: &Target) -> PathBuf {
    folder().join(format!("{PACKAGE}_{}-1_{}.deb", version(), target.debian))
}

/// `server/Cargo.toml` says what is in it.
pub(super) fn build(target: &Target, tools: &Tools, step: Step<'_>) -> anyhow::Result<()> {
    let maintainer = maintainer();
    write_changelog(&maintainer)?;
    step.run(
        tools
            .command("cargo")
            .args(["deb", "--no-build", "--no-strip", "--locked"])
            .args(["--target", target.triple, "-p", PACKAGE])
            .args(["--maintainer", &maintainer])
            .arg("--output")
            .arg(package(target))
            .env("SOURCE_DATE_EPOCH", epoch()?),
    )
}

/// Whoever builds it, as Debian's own tools ask for it.
fn maintainer() -> String {
    match (env::var("DEBFULLNAME"), env::var("DEBEMAIL")) {
        (Ok(name), Ok(address)) => format!("{name} <{address}>"),
        _ => "The imageclassifier authors <>".to_owned(),
    }
}

fn write_changelog(maintainer: &str) -> anyhow::Result<()> {
    let mut date = command("date");
    date.args(["--utc", "--rfc-email", &format!("--date=@{}", epoch()?)]);
    let date = String::from_utf8(date.output()?.stdout)?;
    let text = format!(
        "{PACKAGE} ({}-1) unstable; urgency=medium\n\n  * changelog.gz, beside this file, says what is new.\n\n -- {maintainer}  {}\n",
        version(),
        date.trim(),
    );
    let folder = root().join("target/dist-files");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("changelog"), text)?;
    Ok(())
}
