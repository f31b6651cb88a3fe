//! Server and command line, static, with the list of their dependencies inside (cargo-auditable).

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::{
    target::{self, Target},
    tools::Tools,
};
use crate::{folders::folders, process::command, root, steps::Step, tools::add_target};

/// Each package with its program.
pub(super) const PROGRAMS: [(&str, &str); 2] = [
    ("imageclassifier-server", "imageclassifier-server"),
    ("imageclassifier-cli", "imageclassifier"),
];

pub(super) fn compile(target: &Target, tools: &Tools, step: Step<'_>) -> anyhow::Result<()> {
    add_target(target.triple, step)?;
    for (package, program) in PROGRAMS {
        step.run(
            tools
                .compiler("cargo", target)?
                .args(["auditable", "build", "--release", "--locked"])
                // One at a time: together, each would get the features of both.
                .args(["--target", target.triple, "-p", package]),
        )?;
        check_folders(&path(target, program))?;
    }
    Ok(())
}

/// # Errors
/// If `program` names folders of this machine.
fn check_folders(program: &Path) -> anyhow::Result<()> {
    for (folder, _) in folders()? {
        let found = command("grep")
            .args(["--text", "--fixed-strings", "--quiet", "--regexp"])
            .arg(&folder)
            .arg(program)
            .status()?;
        ensure!(
            !found.success(),
            "{} names {}, a folder of this machine",
            program.display(),
            folder.display()
        );
    }
    Ok(())
}

pub(super) fn path(target: &Target, program: &str) -> PathBuf {
    root()
        .join("target")
        .join(target.triple)
        .join("release")
        .join(program)
}

/// The command line for this machine.
pub(super) fn path_native() -> anyhow::Result<PathBuf> {
    let mut targets = target::named(&[]).into_iter();
    let native = targets.find(|target| target.is_native());
    let path = native.map(|target| path(target, "imageclassifier"));
    path.filter(|path| path.exists())
        .context("nothing to compare with: `cargo xtask dist` compiles for this machine too")
}
