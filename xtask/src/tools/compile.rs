//! Programs that crates.io has as source.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{process::command, root, steps::Step, tools::cache};

/// Compiles `program` of `package` into `folder`/bin, quickly rather than well: it is only a build tool.
pub(crate) fn install(
    (package, version): (&str, &str),
    program: &str,
    options: &[&str],
    folder: &Path,
    step: Step<'_>,
) -> anyhow::Result<()> {
    step.run(
        command("cargo")
            .args(["install", "--locked", "--debug", package])
            .args(["--version", version, "--bin", program])
            .args(options)
            .arg("--root")
            .arg(folder)
            // What two tools depend on in one version is compiled once.
            .arg("--target-dir")
            .arg(build_folder())
            // Less code to generate.
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .env("CARGO_PROFILE_DEV_DEBUG_ASSERTIONS", "false")
            .env("CARGO_PROFILE_DEV_OVERFLOW_CHECKS", "false"),
    )
}

/// The folder of a program that is compiled unless it is there.
pub(crate) fn program(
    (package, version): (&str, &str),
    program: &str,
    step: Step<'_>,
) -> anyhow::Result<PathBuf> {
    let folder = cache()?.join(format!("{package}-{version}"));
    let programs = folder.join("bin");
    if !programs.join(program).exists() {
        step.say(&format!("{package} {version} is compiled, once"));
        install((package, version), program, &[], &folder, step)?;
    }
    Ok(programs)
}

/// Removes what compiling left behind: a gigabyte that is not needed again.
pub(crate) fn tidy_up() {
    // Without a folder, nothing was compiled.
    let _ = fs::remove_dir_all(build_folder());
}

fn build_folder() -> PathBuf {
    root().join("target/tools")
}
