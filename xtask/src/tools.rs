//! What builds and tests need beside Rust, in fixed versions. Each is looked for on PATH, then in a folder of the user's that
//! every clone shares, then downloaded, and compiled only where all of that fails.

pub(crate) mod archive;
pub(crate) mod compile;
pub(crate) mod packages;

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::{
    process::{command, folder_of, has_version},
    steps::Step,
};
use archive::{Archive, Origin};

/// A program that is not Rust's own.
#[derive(Debug)]
pub(crate) struct Tool {
    /// Its package on crates.io.
    pub(crate) package: &'static str,
    pub(crate) program: &'static str,
    pub(crate) version: &'static str,
    /// Upstream's own builds of it.
    pub(crate) archives: &'static [Archive],
    /// Processor minutes that compiling it takes.
    pub(crate) compile_minutes: u32,
}

pub(crate) const TRUNK: Tool = Tool {
    package: "trunk",
    program: "trunk",
    version: "0.21.14",
    archives: &archive::TRUNK,
    compile_minutes: 8,
};

/// Must have the version of the crate `wasm-bindgen` in Cargo.lock.
pub(crate) const WASM_BINDGEN: Tool = Tool {
    package: "wasm-bindgen-cli",
    program: "wasm-bindgen",
    version: "0.2.126",
    archives: &archive::WASM_BINDGEN,
    compile_minutes: 3,
};

/// Has `wasm-opt`, from the npm registry: WebAssembly itself, so that one package serves every platform.
pub(crate) const BINARYEN: (&str, &str) = ("binaryen", "132.0.0");
const WASM_OPT_VERSION: &str = "132";

/// Where a tool is, or how it will come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    OnPath(PathBuf),
    Installed(PathBuf),
    Missing,
}

impl Tool {
    pub(crate) fn find(&self) -> anyhow::Result<Found> {
        if let Some(folder) = folder_of(self.program)
            && has_version(folder.join(self.program), self.version)
        {
            return Ok(Found::OnPath(folder));
        }
        let programs = self.folder()?.join("bin");
        Ok(if programs.join(self.program).exists() {
            Found::Installed(programs)
        } else {
            Found::Missing
        })
    }

    /// The folder of the program, which is installed if it is missing.
    fn install(&self, origin: &Origin, step: Step<'_>) -> anyhow::Result<PathBuf> {
        match self.find()? {
            Found::OnPath(folder) | Found::Installed(folder) => return Ok(folder),
            Found::Missing => {}
        }
        let Self {
            program, version, ..
        } = self;
        let folder = self.folder()?;
        step.doing(&format!("{program} {version}: download"));
        match archive::install(self, origin, &folder) {
            Ok(()) => step.say(&format!("{program} {version} downloaded")),
            Err(error) => {
                let minutes = self.compile_minutes;
                step.say(&format!(
                    "{program} {version} is compiled, some {minutes} processor minutes, once: {error:#}"
                ));
                let options = ["--no-default-features"];
                compile::install((self.package, version), program, &options, &folder, step)?;
            }
        }
        Ok(folder.join("bin"))
    }

    pub(crate) fn folder(&self) -> anyhow::Result<PathBuf> {
        Ok(cache()?.join(format!("{}-{}", self.package, self.version)))
    }
}

/// Installs what the page needs and lacks; gives the PATH with the tools first.
pub(crate) fn page_tools(step: Step<'_>) -> anyhow::Result<OsString> {
    let origin = Origin::of_environment();
    let folders = [
        wasm_opt(step)?,
        WASM_BINDGEN.install(&origin, step)?,
        TRUNK.install(&origin, step)?,
    ];
    compile::tidy_up();
    let path = env::var_os("PATH").unwrap_or_default();
    let all = folders.into_iter().chain(env::split_paths(&path));
    Ok(env::join_paths(all)?)
}

/// Where installed tools and their like stay between runs and clones.
pub(crate) fn cache() -> anyhow::Result<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let cache = cache
        .or_else(home)
        .context("neither XDG_CACHE_HOME nor HOME is set")?;
    Ok(cache.join("imageclassifier/tools"))
}

/// What the page is compiled for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Whether the compiler has the standard library of `target`.
pub(crate) fn has_target(target: &str) -> anyhow::Result<bool> {
    let sysroot = command("rustc").args(["--print", "sysroot"]).output()?;
    let sysroot = String::from_utf8(sysroot.stdout)?;
    let libraries = Path::new(sysroot.trim()).join("lib/rustlib");
    Ok(libraries.join(target).join("lib").exists())
}

/// Installs the standard library of `target` unless it is there.
pub(crate) fn add_target(target: &str, step: Step<'_>) -> anyhow::Result<()> {
    if has_target(target)? {
        return Ok(());
    }
    step.run(command("rustup").args(["target", "add", target]))
}

/// Where `wasm-opt` is, if anywhere.
pub(crate) fn find_wasm_opt() -> anyhow::Result<Found> {
    if let Some(folder) = folder_of("wasm-opt")
        && has_version(folder.join("wasm-opt"), WASM_OPT_VERSION)
    {
        return Ok(Found::OnPath(folder));
    }
    let programs = binaryen_folder()?.join("node_modules/.bin");
    Ok(if programs.join("wasm-opt").exists() {
        Found::Installed(programs)
    } else {
        Found::Missing
    })
}

fn binaryen_folder() -> anyhow::Result<PathBuf> {
    let (name, version) = BINARYEN;
    Ok(cache()?.join(format!("{name}-{version}")))
}

fn wasm_opt(step: Step<'_>) -> anyhow::Result<PathBuf> {
    match find_wasm_opt()? {
        Found::OnPath(folder) | Found::Installed(folder) => return Ok(folder),
        Found::Missing => {}
    }
    let (name, version) = BINARYEN;
    packages::debian("npm", &["nodejs", "npm"], step)?;
    step.doing(&format!("{name} {version}: npm"));
    let folder = binaryen_folder()?;
    fs::create_dir_all(&folder)?;
    step.run(
        command("npm")
            .args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"])
            .arg(&folder)
            .arg(format!("{name}@{version}")),
    )?;
    Ok(folder.join("node_modules/.bin"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root;

    #[test]
    fn trunk_and_cargo_ask_for_the_versions_that_are_installed() {
        let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
        let version = WASM_BINDGEN.version;
        assert!(lock.contains(&format!("name = \"wasm-bindgen\"\nversion = \"{version}\"")));
        let trunk = fs::read_to_string(root().join("Trunk.toml")).unwrap();
        assert!(trunk.contains(&format!("wasm_bindgen = \"{version}\"")));
        assert!(trunk.contains(&format!("wasm_opt = \"version_{WASM_OPT_VERSION}\"")));
        assert!(BINARYEN.1.starts_with(WASM_OPT_VERSION));
    }
}
