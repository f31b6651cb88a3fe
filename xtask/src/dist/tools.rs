//! What packaging needs beside what the page needs. zig, from PyPI, is the C compiler and the linker for every target.

use std::{env, ffi::OsString, fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

use super::target::Target;
use crate::{
    folders::without_folders,
    process::command,
    root,
    steps::Step,
    tools::{cache, compile, packages::python},
};

const AUDITABLE: (&str, &str) = ("cargo-auditable", "0.7.7");
/// Of crates.io.
const COMPILED: [(&str, &str); 3] = [
    AUDITABLE,
    ("cargo-cyclonedx", "0.5.9"),
    ("cargo-deb", "3.8.0"),
];

/// The installed tools.
#[derive(Debug)]
pub(super) struct Tools {
    /// Of the virtual environment with zig, maturin and hatchling.
    programs: PathBuf,
    /// The tools first, then what PATH was.
    path: OsString,
}

impl Tools {
    pub(super) fn install(step: Step<'_>) -> anyhow::Result<Self> {
        let requirements = root().join("xtask/dist-requirements.txt");
        let python = python(&cache()?.join("dist"), &requirements, step)?;
        let programs = python.with_file_name("");
        let mut folders = vec![programs.clone()];
        for (package, version) in COMPILED {
            folders.push(compile::program((package, version), package, step)?);
        }
        compile::tidy_up();
        let path = env::var_os("PATH").unwrap_or_default();
        folders.extend(env::split_paths(&path));
        Ok(Self {
            programs,
            path: env::join_paths(folders)?,
        })
    }

    /// `program`, with the tools on its PATH.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = command(program);
        command.env("PATH", &self.path);
        command
    }

    /// `program`, which compiles for `target` with zig.
    pub(super) fn compiler(&self, program: &str, target: &Target) -> anyhow::Result<Command> {
        let cc = self.script(
            target,
            "cc",
            &format!("cc -- -fno-sanitize=all -target {}", target.zig),
        )?;
        let ar = self.script(target, "ar", "ar --")?;
        let mut command = self.command(program);
        command
            .env("CARGO_ENCODED_RUSTFLAGS", without_folders()?)
            .env(target.linker_variable(), &cc)
            .env(target.variable("CC"), &cc)
            .env(target.variable("AR"), &ar);
        Ok(command)
    }

    /// Has `command` compile as `cargo auditable` does, where that cannot be called.
    pub(super) fn audit(&self, command: &mut Command) -> anyhow::Result<()> {
        let (package, version) = AUDITABLE;
        let program = cache()?.join(format!("{package}-{version}/bin/{package}"));
        command.env("RUSTC_WORKSPACE_WRAPPER", program).env(
            "CARGO_AUDITABLE_ORIG_ARGS",
            r#"{"offline":false,"locked":true,"frozen":false,"config":[]}"#,
        );
        Ok(())
    }

    /// A program without arguments of its own, as cargo and build scripts want it. cargo-zigbuild translates what zig does not
    /// know. Its own `cargo zigbuild` would do the same, but for cargo alone, and maturin has to compile alike.
    fn script(&self, target: &Target, name: &str, call: &str) -> anyhow::Result<PathBuf> {
        let folder = root().join("target/cross").join(target.triple);
        fs::create_dir_all(&folder)?;
        let path = folder.join(name);
        let programs = self.programs.display().to_string();
        let programs = programs.trim_end_matches('/');
        let script =
            format!("#!/bin/sh\nPATH={programs}:$PATH exec cargo-zigbuild zig {call} \"$@\"\n");
        if fs::read_to_string(&path).ok().as_ref() != Some(&script) {
            fs::write(&path, script)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
        Ok(path)
    }
}
