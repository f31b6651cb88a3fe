//! Upstream's own builds of tools, each known by the SHA-256 of its archive.

use std::{
    env::{self, consts},
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use sha2::{Digest, Sha256};

use super::Tool;
use crate::process::{exists, has_version};

/// Names the server to download from instead of GitHub: a mirror with the same paths.
pub(crate) const ORIGIN: &str = "IMAGECLASSIFIER_TOOLS_URL";
const GITHUB: &str = "https://github.com";

/// An archive of one program for one platform.
#[derive(Debug)]
pub(crate) struct Archive {
    /// Operating system and architecture, as Rust calls them.
    platform: (&'static str, &'static str),
    path: &'static str,
    /// Of the whole archive, in hexadecimal.
    sha256: &'static str,
    /// The program in it.
    member: &'static str,
}

// The digests are those of upstream's release pages; each was compared with two independent repositories that pin it.

/// One archive for each platform. `path` and `member` differ only in the target.
macro_rules! archives {
    (@member ($member:literal) $target:literal) => {
        $member
    };
    (@member ($before:literal target $after:literal) $target:literal) => {
        concat!($before, $target, $after)
    };
    (
        path: $path:literal target,
        member: $member:tt,
        $($target:literal ($os:literal, $arch:literal): $sha256:literal,)*
    ) => {
        [$(Archive {
            platform: ($os, $arch),
            path: concat!($path, $target, ".tar.gz"),
            sha256: $sha256,
            member: archives!(@member $member $target),
        },)*]
    };
}

pub(crate) const TRUNK: [Archive; 4] = archives! {
    path: "trunk-rs/trunk/releases/download/v0.21.14/trunk-" target,
    member: ("trunk"),
    "x86_64-unknown-linux-musl" ("linux", "x86_64"): "a67f4054b249fe9acc5fabc25de1aebf19783aca3ad6ff64bf34d7da44d0ea20",
    "aarch64-unknown-linux-musl" ("linux", "aarch64"): "e8e2a2bb423ce6702ab9f4f02f8c9ae99d790f0301f7634e986b2dd8706019cc",
    "x86_64-apple-darwin" ("macos", "x86_64"): "f1ba0e3bbe24e0ae219c6d22c33e24e2825c1608dd27c2556e323495110f1a95",
    "aarch64-apple-darwin" ("macos", "aarch64"): "764e299dd50d89442a4e96a236349f57961984b701e74d3dbdb39cd1c9f5101e",
};

pub(crate) const WASM_BINDGEN: [Archive; 4] = archives! {
    path: "wasm-bindgen/wasm-bindgen/releases/download/0.2.126/wasm-bindgen-0.2.126-" target,
    member: ("wasm-bindgen-0.2.126-" target "/wasm-bindgen"),
    "x86_64-unknown-linux-musl" ("linux", "x86_64"): "064948d58e2d6c0a745216477a639ba696216d6309aaa902939d1b865b1d869d",
    "aarch64-unknown-linux-musl" ("linux", "aarch64"): "2245120254a9f6c9a9adf3601f3d52bb31309219e9ceab7696e74e24885c440a",
    "x86_64-apple-darwin" ("macos", "x86_64"): "6014dca993c8bf8a6ec10b6fccfbeabf599842d011f58a4abb7669afef784422",
    "aarch64-apple-darwin" ("macos", "aarch64"): "7df536babe345deb68828148dbdc71179118afdab42d83547c7cebfbf1426bd5",
};

/// The server that has the archives.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) base: String,
    connect_timeout: Duration,
    /// How long it may send almost nothing.
    stall_timeout: Duration,
}

impl Origin {
    /// GitHub, or the mirror that [`ORIGIN`] names.
    pub(crate) fn of_environment() -> Self {
        Self {
            base: env::var(ORIGIN).unwrap_or_else(|_| GITHUB.to_owned()),
            // Without a way to GitHub, set-up should find out soon.
            connect_timeout: Duration::from_secs(4),
            stall_timeout: Duration::from_secs(10),
        }
    }

    /// Whether the server answers at all.
    pub(crate) fn answers(&self) -> bool {
        let mut curl = self.curl();
        curl.args(["--head", "--output", "/dev/null"])
            .arg(&self.base);
        curl.output().is_ok_and(|answer| answer.status.success())
    }

    fn curl(&self) -> Command {
        let mut curl = Command::new("curl");
        let seconds = |duration: Duration| duration.as_secs().to_string();
        curl.args(["--silent", "--show-error", "--fail", "--location"])
            .args(["--connect-timeout", &seconds(self.connect_timeout)])
            .args(["--speed-limit", "10000"])
            .args(["--speed-time", &seconds(self.stall_timeout)])
            .args(["--max-time", "120"]);
        curl
    }
}

/// Downloads `tool` for this platform into `folder`/bin.
///
/// # Errors
/// If there is no archive for this platform, the origin does not answer, the digest is another, or the program does not run
/// here. Then `folder` stays as it was.
pub(super) fn install(tool: &Tool, origin: &Origin, folder: &Path) -> anyhow::Result<()> {
    let here = (consts::OS, consts::ARCH);
    let archive = tool
        .archives
        .iter()
        .find(|archive| archive.platform == here);
    let archive =
        archive.with_context(|| format!("there is no archive for {} {}", here.0, here.1))?;
    ensure!(exists("curl") && exists("tar"), "curl or tar is missing");
    let work = work_folder(folder);
    let outcome = download(archive, origin, &work)
        .and_then(|()| unpack(archive, tool, &work))
        .and_then(|program| move_into(&program, folder, tool.program));
    // The folder may be gone already.
    let _ = fs::remove_dir_all(work);
    outcome
}

/// Beside `folder`, so that the program only has to be renamed.
fn work_folder(folder: &Path) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn download(archive: &Archive, origin: &Origin, work: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(work)?;
    let url = format!("{}/{}", origin.base, archive.path);
    let mut curl = origin.curl();
    let answer = curl
        .arg("--output")
        .arg(work.join("archive"))
        .arg(&url)
        .output()?;
    if !answer.status.success() {
        let reason = String::from_utf8_lossy(&answer.stderr);
        bail!("cannot download {url}: {}", reason.trim());
    }
    let digest = Sha256::digest(fs::read(work.join("archive"))?);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    ensure!(
        digest == archive.sha256,
        "{url} has SHA-256 {digest}, which is not the pinned {}",
        archive.sha256
    );
    Ok(())
}

/// Unpacks the program and checks its version.
fn unpack(archive: &Archive, tool: &Tool, work: &Path) -> anyhow::Result<PathBuf> {
    let mut tar = Command::new("tar");
    tar.current_dir(work)
        .args(["-xzf", "archive", archive.member]);
    ensure!(
        tar.status()?.success(),
        "{} is not in the archive",
        archive.member
    );
    let program = work.join(archive.member);
    ensure!(
        has_version(&program, tool.version),
        "upstream's {} does not run on this machine, or has another version",
        tool.program
    );
    Ok(program)
}

fn move_into(program: &Path, folder: &Path, name: &str) -> anyhow::Result<()> {
    let programs = folder.join("bin");
    fs::create_dir_all(&programs)?;
    fs::rename(program, programs.join(name))?;
    Ok(())
}

#[cfg(test)]
mod tests;
