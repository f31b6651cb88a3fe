//! Packages of what is released, in `target/dist/`. The programs are compiled once for each target, and every package takes
//! those.

mod archive;
mod check;
mod clients;
mod debian;
mod files;
mod image;
mod licences;
mod programs;
mod sbom;
mod sums;
mod target;
mod tools;
mod version;
mod wheel;

use std::{fs, path::PathBuf};

use crate::{
    process::command,
    root,
    run::{COMPILE_PAGE, PAGE, TOOLS, build_page},
    steps::{Step, Steps},
};
pub(crate) use check::check;
pub(crate) use target::TRIPLES;
use target::Target;
use tools::Tools;
use version::version;

const DIST_TOOLS: &str = "packaging tools";
const CLIENTS: &str = "client packages";
const LICENCES: &str = "licences";
const SUMS: &str = "checksums";

/// Where the packages are.
fn folder() -> PathBuf {
    root().join("target/dist")
}

/// Builds the packages of the targets that `triples` names, of all without a name.
pub(crate) fn build(triples: &[String]) -> anyhow::Result<()> {
    let targets = target::named(triples);
    let mut names = vec![TOOLS, COMPILE_PAGE, PAGE, DIST_TOOLS, LICENCES];
    names.extend(
        targets
            .iter()
            .flat_map(|target| [target.programs, target.packages]),
    );
    names.extend([CLIENTS, SUMS]);
    Steps::show(&names, |steps| {
        build_page(steps)?;
        let tools = steps.run(DIST_TOOLS, Tools::install)?;
        // Packages of another version or target would get into the list of checksums.
        if folder().exists() {
            fs::remove_dir_all(folder())?;
        }
        fs::create_dir_all(folder())?;
        steps.run(LICENCES, licences::write)?;
        for target in targets {
            steps.run(target.programs, |step| {
                programs::compile(target, &tools, step)
            })?;
            steps.run(target.packages, |step| package(target, &tools, step))?;
        }
        steps.run(CLIENTS, |step| {
            clients::python(&tools, step)?;
            clients::npm(step)
        })?;
        steps.run(SUMS, sums::write)
    })
}

fn package(target: &Target, tools: &Tools, step: Step<'_>) -> anyhow::Result<()> {
    step.doing("archive");
    let files = files::lay_out(target)?;
    archive::pack(target, &files, step)?;
    step.doing("bills of materials");
    sbom::write(target, tools, step)?;
    step.doing("image");
    image::build(target, step)?;
    step.doing("wheel");
    wheel::build(target, tools, step)?;
    step.doing("Debian package");
    debian::build(target, tools, step)
}

/// When the packaged commit was made, in seconds since 1970: packages of one commit have the same times in them.
fn epoch() -> anyhow::Result<String> {
    if let Ok(epoch) = std::env::var("SOURCE_DATE_EPOCH") {
        return Ok(epoch);
    }
    git(&["log", "-1", "--format=%ct"])
}

fn git(arguments: &[&str]) -> anyhow::Result<String> {
    let said = command("git").args(arguments).output()?;
    anyhow::ensure!(
        said.status.success(),
        "git says neither time nor name of the commit: set SOURCE_DATE_EPOCH"
    );
    Ok(String::from_utf8(said.stdout)?.trim().to_owned())
}
