//! Packages of Debian and of PyPI.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, bail};

use crate::{
    process::{command, exists},
    steps::Step,
};

/// One apt-get at a time: a second one fails where the first holds its lock.
static APT: Mutex<()> = Mutex::new(());

/// Installs Debian packages unless `program` is there already.
///
/// # Errors
/// What to install, if this cannot.
pub(crate) fn debian(program: &str, packages: &[&str], step: Step<'_>) -> anyhow::Result<()> {
    let _one = APT.lock().unwrap_or_else(PoisonError::into_inner);
    if exists(program) {
        return Ok(());
    }
    let names = packages.join(" ");
    if !exists("apt-get") {
        bail!("{program} is missing: install it (Debian calls it {names}) and try again");
    }
    step.say(&format!("Debian packages: {names}"));
    let install = ["install", "-y", "-qq", "--no-install-recommends"];
    apt(&["update", "-qq"], step)
        .and_then(|()| apt(&[&install[..], packages].concat(), step))
        .with_context(|| {
            format!("{program} is missing: as root, run `apt-get install {names}`, and try again")
        })
}

/// Unpacks a Debian package into `folder` unless `program` is on PATH or there already: for a service that must not start.
///
/// # Errors
/// What to install, if this cannot.
pub(crate) fn unpacked(
    program: &str,
    package: &str,
    folder: &Path,
    step: Step<'_>,
) -> anyhow::Result<()> {
    let _one = APT.lock().unwrap_or_else(PoisonError::into_inner);
    if exists(program) || folder.join("usr/bin").join(program).exists() {
        return Ok(());
    }
    if !exists("apt-get") {
        bail!("{program} is missing: install it (Debian calls it {package}) and try again");
    }
    step.say(&format!("Debian package, unpacked: {package}"));
    let download = folder.with_extension("download");
    fs::create_dir_all(&download)?;
    apt(&["update", "-qq"], step)?;
    step.run(
        command("apt-get")
            .current_dir(&download)
            .args(["download", "-qq", package]),
    )?;
    for file in fs::read_dir(&download)? {
        step.run(
            command("dpkg-deb")
                .arg("--extract")
                .arg(file?.path())
                .arg(folder),
        )?;
    }
    Ok(fs::remove_dir_all(download)?)
}

fn apt(arguments: &[&str], step: Step<'_>) -> anyhow::Result<()> {
    // Root in a container has no sudo, and needs none.
    let mut apt = command(if exists("sudo") { "sudo" } else { "env" });
    apt.arg("apt-get").args(arguments);
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    step.run(&mut apt)
}

/// Installs what the `package-lock.json` in `folder` lists, if it or `package.json` has changed since the last installation.
///
/// # Errors
/// If npm is missing, or fails.
pub(crate) fn npm(folder: &Path, step: Step<'_>) -> anyhow::Result<()> {
    debian("npm", &["nodejs", "npm"], step)?;
    let modified = |file: &str| fs::metadata(folder.join(file))?.modified();
    let listed = modified("package.json")?.max(modified("package-lock.json")?);
    if modified("node_modules/.package-lock.json").is_ok_and(|installed| installed > listed) {
        return Ok(());
    }
    npm_ci(folder, step)
}

/// Installs what the `package-lock.json` in `folder` lists, and nothing else.
///
/// # Errors
/// If npm fails.
pub(crate) fn npm_ci(folder: &Path, step: Step<'_>) -> anyhow::Result<()> {
    step.run(
        command("npm")
            .current_dir(folder)
            .args(["ci", "--silent", "--no-audit", "--no-fund"])
            // The browsers are Debian's.
            .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"),
    )
}

/// Python with the packages that `requirements` lists, in a virtual environment at `folder`; installed again if the list
/// has changed.
pub(crate) fn python(
    folder: &Path,
    requirements: &Path,
    step: Step<'_>,
) -> anyhow::Result<PathBuf> {
    let python = folder.join("bin/python");
    let installed = folder.join("requirements.txt");
    if fs::read(&installed).ok() != Some(fs::read(requirements)?) {
        debian("python3", &["python3", "python3-venv"], step)?;
        step.doing("Python packages");
        step.run(command("python3").args(["-m", "venv"]).arg(folder))
            .context("Debian's package python3-venv may be missing")?;
        let options = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
        ];
        step.run(command(&python).args(options).arg(requirements))?;
        fs::copy(requirements, &installed)?;
    }
    Ok(python)
}
