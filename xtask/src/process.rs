//! The programs that xtask runs.

use std::{
    env,
    ffi::OsStr,
    iter,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};

use crate::root;

/// `program` of PATH, to be run at the repository's top.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    // Cargo describes the package xtask in these variables. Build scripts that read it (ring's does) would see a change between
    // `cargo build` and `cargo xtask run`.
    for (name, _) in env::vars_os() {
        let bytes = name.as_encoded_bytes();
        if bytes.starts_with(b"CARGO_PKG_") || bytes.starts_with(b"CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs `command` with its output on the terminal.
///
/// # Errors
/// If it cannot start or does not succeed.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let shown = shown(command);
    let status = command
        .status()
        .with_context(|| format!("cannot start {shown}"))?;
    ensure!(status.success(), "{shown} failed: {status}");
    Ok(())
}

/// The command line and its folder, for people.
pub(crate) fn shown(command: &Command) -> String {
    let words = iter::once(command.get_program()).chain(command.get_args());
    let line: Vec<_> = words.map(OsStr::to_string_lossy).collect();
    let folder = command.get_current_dir().unwrap_or(Path::new("."));
    format!("`{}` in {}", line.join(" "), folder.display())
}

/// The folder of PATH that has `program`.
pub(crate) fn folder_of(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).find(|folder| folder.join(program).is_file())
}

/// Whether `program` is on PATH.
pub(crate) fn exists(program: &str) -> bool {
    folder_of(program).is_some()
}

/// Whether `program --version` mentions `version` as a word of its own.
pub(crate) fn has_version(program: impl AsRef<OsStr>, version: &str) -> bool {
    let output = command(program).arg("--version").output();
    output.is_ok_and(|output| {
        let text = String::from_utf8_lossy(&output.stdout);
        text.split_whitespace().any(|word| word == version)
    })
}
