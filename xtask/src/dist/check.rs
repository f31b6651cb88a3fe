//! Whether the packages in `target/dist/` work: each is installed into an empty place and classifies a photograph.

mod archive;
mod ask;
mod clients;
mod debian;
mod image;
mod served;
mod wheel;

use std::{fs, path::PathBuf};

use anyhow::{Context, bail, ensure};

use super::{
    folder, sums,
    target::{self, Target},
};
use crate::{
    process::command,
    root,
    steps::{Step, Steps},
};

const SUMS: &str = "checksums";
const ARCHIVE: &str = "archive";
const EMULATED: &str = "archive for the other architecture";
const WHEEL: &str = "wheel";
const DEBIAN: &str = "Debian package";
const IMAGE: &str = "image";
const CLIENTS: &str = "client packages";

/// Tries the packages of the targets that `triples` names, of all without a name. Goes on after a failure.
///
/// # Errors
/// If a package is missing or does not work.
pub(crate) fn check(triples: &[String]) -> anyhow::Result<()> {
    let (native, foreign): (Vec<&Target>, _) = target::named(triples)
        .into_iter()
        .partition(|target| target.is_native());
    let mut names = vec![SUMS];
    if !native.is_empty() {
        names.extend([ARCHIVE, WHEEL, DEBIAN, IMAGE, CLIENTS]);
    }
    if !foreign.is_empty() {
        names.push(EMULATED);
    }
    let outcomes = Steps::show(&names, |steps| {
        let mut outcomes = vec![steps.run(SUMS, check_sums)];
        for target in native {
            outcomes.push(steps.run(ARCHIVE, |step| archive::try_native(target, step)));
            outcomes.push(steps.run(WHEEL, |step| wheel::try_it(target, step)));
            outcomes.push(steps.run(DEBIAN, |step| debian::try_it(target, step)));
            outcomes.push(steps.run(IMAGE, |step| image::try_it(target, step)));
            outcomes.push(steps.run(CLIENTS, |step| clients::try_them(target, step)));
        }
        for target in foreign {
            outcomes.push(steps.run(EMULATED, |step| archive::try_emulated(target, step)));
        }
        outcomes
    });
    let failures: Vec<_> = outcomes
        .into_iter()
        .filter_map(Result::err)
        .map(|error| format!("{error:#}"))
        .collect();
    if !failures.is_empty() {
        bail!("these packages do not work:\n{}", failures.join("\n"));
    }
    Ok(())
}

fn check_sums(step: Step<'_>) -> anyhow::Result<()> {
    ensure!(
        folder().join(sums::FILE).exists(),
        "target/dist/ has no packages: run `cargo xtask dist` first"
    );
    step.run(
        command("sha256sum")
            .args(["--check", "--strict", "--quiet", sums::FILE])
            .current_dir(folder()),
    )?;
    sums::show(step)
}

/// An empty folder for what is checked as `name`.
fn empty(name: &str) -> anyhow::Result<PathBuf> {
    let folder = root().join("target/dist-check").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The package whose name begins and ends so.
fn package(start: &str, end: &str) -> anyhow::Result<PathBuf> {
    let names = fs::read_dir(folder())?.filter_map(|entry| Some(entry.ok()?.file_name()));
    let name = names
        .filter_map(|name| name.into_string().ok())
        .find(|name| name.starts_with(start) && name.ends_with(end));
    let name = name.with_context(|| format!("target/dist/ has no {start}*{end}"))?;
    Ok(folder().join(name))
}
