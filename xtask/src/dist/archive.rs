use std::{ffi::OsString, path::Path};

use super::{epoch, folder, target::Target, version};
use crate::{process::command, steps::Step};

/// The name of the archive, and of the only folder in it.
pub(super) fn name(target: &Target) -> String {
    format!("imageclassifier-{}-{}", version(), target.triple)
}

/// Packs `files`, with nothing of this machine: the same files give the same archive.
pub(super) fn pack(target: &Target, files: &Path, step: Step<'_>) -> anyhow::Result<()> {
    let name = name(target);
    let mut transform = OsString::from("--transform=s,^\\.,");
    transform.push(&name);
    transform.push(",");
    step.run(
        command("tar")
            .args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner"])
            .arg(format!("--mtime=@{}", epoch()?))
            .arg("--mode=u+rwX,go+rX,go-w")
            .arg(transform)
            // Without the time of compression.
            .args(["--use-compress-program=gzip -9n", "--create"])
            .arg(format!(
                "--file={}",
                folder().join(format!("{name}.tar.gz")).display()
            ))
            .arg("--directory")
            .arg(files)
            .arg("."),
    )
}
