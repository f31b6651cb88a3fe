use std::path::{Path, PathBuf};

use anyhow::ensure;

use super::{ask, empty, package, served::Served};
use crate::{
    dist::{archive, programs, target::Target},
    process::command,
    root,
    steps::Step,
    tools::packages::debian,
};

/// Unpacks the archive and asks its server.
pub(super) fn try_native(target: &Target, step: Step<'_>) -> anyhow::Result<()> {
    let prefix = unpack(target, step)?;
    for program in ["imageclassifier", "imageclassifier-server"] {
        is_static_and_auditable(&prefix.join("bin").join(program), step)?;
    }
    let served = Served::start(&mut command(prefix.join("bin/imageclassifier-server")))?;
    ask::everything(&served, &prefix.join("bin/imageclassifier"), step)?;
    served.stop()
}

/// Classifies the golden photographs with an emulated processor, and with this one's own program: the labels have to agree.
pub(super) fn try_emulated(target: &Target, step: Step<'_>) -> anyhow::Result<()> {
    debian(target.qemu, &["qemu-user-static"], step)?;
    let prefix = unpack(target, step)?;
    let program = prefix.join("bin/imageclassifier");
    is_static_and_auditable(&program, step)?;
    let photographs = root().join("model/tests/golden/photos");
    let mut emulated = command(target.qemu);
    emulated.arg(&program);
    let mut native = command(programs::path_native()?);
    let mut said = Vec::new();
    for classify in [&mut native, &mut emulated] {
        classify
            .args(["classify", "--local", "--json"])
            .arg(&photographs);
        said.push(ask::output(classify, step)?);
    }
    let (native, emulated) = (ask::labels(&said[0]), ask::labels(&said[1]));
    ensure!(
        native == emulated && native.len() == std::fs::read_dir(photographs)?.count(),
        "here: {native:?}\n{}: {emulated:?}",
        target.triple
    );
    step.say(&format!(
        "{} photographs: {}",
        emulated.len(),
        emulated.join("; ")
    ));
    Ok(())
}

fn unpack(target: &Target, step: Step<'_>) -> anyhow::Result<PathBuf> {
    let name = archive::name(target);
    let folder = empty(&format!("archive-{}", target.triple))?;
    step.run(
        command("tar")
            .arg("--extract")
            .arg("--file")
            .arg(package(&name, ".tar.gz")?)
            .arg("--directory")
            .arg(&folder),
    )?;
    let prefix = folder.join(name);
    for file in [
        "share/doc/imageclassifier/NOTICE",
        "share/man/man1/imageclassifier.1",
    ] {
        ensure!(prefix.join(file).exists(), "{file} is missing");
    }
    Ok(prefix)
}

/// Needs no library of the system, and lists its dependencies for `cargo audit bin`.
fn is_static_and_auditable(program: &Path, step: Step<'_>) -> anyhow::Result<()> {
    let said = ask::output(
        command("readelf")
            .args(["--wide", "--section-headers", "--dynamic"])
            .arg(program),
        step,
    )?;
    ensure!(
        !said.contains("(NEEDED)"),
        "{} needs shared libraries",
        program.display()
    );
    ensure!(
        said.contains(".dep-v0"),
        "{} does not list its dependencies",
        program.display()
    );
    Ok(())
}
