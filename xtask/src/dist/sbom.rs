//! Software bills of materials (CycloneDX), one for each program and target.

use std::{fs, path::PathBuf};

use super::{epoch, folder, target::Target, tools::Tools, version};
use crate::{root, steps::Step};

pub(super) fn path(target: &Target, program: &str) -> PathBuf {
    folder().join(format!(
        "{program}-{}-{}.cdx.json",
        version(),
        target.triple
    ))
}

pub(super) fn write(target: &Target, tools: &Tools, step: Step<'_>) -> anyhow::Result<()> {
    step.run(
        tools
            .command("cargo")
            .args(["cyclonedx", "--format", "json", "--spec-version", "1.5"])
            .args(["--describe", "binaries", "--no-build-deps"])
            .args([
                "--target",
                target.triple,
                "--manifest-path",
                "server/Cargo.toml",
            ])
            .env("SOURCE_DATE_EPOCH", epoch()?),
    )?;
    // It writes one beside the manifest of every member that has a program.
    for (member, program, released) in [
        ("server", "imageclassifier-server", true),
        ("cli", "imageclassifier", true),
        ("web", "imageclassifier-web", false),
        ("xtask", "xtask", false),
    ] {
        let written = root().join(member).join(format!("{program}_bin.cdx.json"));
        if released {
            let bill = without_folder(&fs::read_to_string(&written)?);
            fs::write(path(target, program), bill)?;
        }
        fs::remove_file(written)?;
    }
    Ok(())
}

/// Crates of this repository are identified by their path. Where the repository lies is nobody's business.
fn without_folder(bill: &str) -> String {
    bill.replace(&format!("file://{}/", root().display()), "file:///")
}
