//! What builds and tests need beside Rust, in fixed versions: installed once per user, from package registries, into a
//! folder named after tool and version, so that every clone uses the same.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs, iter,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail, ensure};

use crate::root;

const TRUNK: (&str, &str) = ("trunk", "0.21.14");
/// Must equal the version of the crate `wasm-bindgen` in Cargo.lock.
const WASM_BINDGEN: (&str, &str) = ("wasm-bindgen-cli", "0.2.126");
const BINARYEN: (&str, &str) = ("binaryen", "132.0.0");

/// Installs what is missing; gives the PATH with the tools first.
pub(crate) fn page_tools() -> anyhow::Result<OsString> {
    wasm_target()?;
    let folders = [
        cargo_tool(TRUNK, "trunk")?,
        cargo_tool(WASM_BINDGEN, "wasm-bindgen")?,
        npm_tool(BINARYEN, "wasm-opt")?,
    ];
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

/// Runs `command` in the repository; its failure is ours.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let shown = shown(command);
    let status = command
        .status()
        .with_context(|| format!("cannot start {shown}"))?;
    ensure!(status.success(), "{shown} failed: {status}");
    Ok(())
}

/// For people: what is run, and where.
pub(crate) fn shown(command: &Command) -> String {
    let words = iter::once(command.get_program()).chain(command.get_args());
    let line: Vec<_> = words.map(OsStr::to_string_lossy).collect();
    let folder = command.get_current_dir().unwrap_or(Path::new("."));
    format!("`{}` in {}", line.join(" "), folder.display())
}

/// `program` of PATH, to be run at the repository's top.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    // Cargo says here what package xtask is. Build scripts that look at it (ring's do) would find everything changed
    // between `cargo build` and `cargo xtask run`.
    for (name, _) in env::vars_os() {
        let bytes = name.as_encoded_bytes();
        if bytes.starts_with(b"CARGO_PKG_") || bytes.starts_with(b"CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Whether `program` is on PATH.
pub(crate) fn exists(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Installs Debian packages unless `program` is there already.
pub(crate) fn debian(program: &str, packages: &[&str]) -> anyhow::Result<()> {
    if exists(program) {
        return Ok(());
    }
    if !exists("apt-get") {
        bail!(
            "{program} is missing: install it (Debian calls it {}) and try again",
            packages.join(" ")
        );
    }
    eprintln!("installing {} ...", packages.join(" "));
    // Root in a container has no sudo, and needs none.
    let apt = |arguments: &[&str]| {
        let mut apt = if exists("sudo") {
            command("sudo")
        } else {
            command("env")
        };
        apt.arg("apt-get").args(arguments);
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        run(&mut apt)
    };
    let install = || {
        apt(&["update", "-qq"])?;
        apt(&[
            &["install", "-y", "-qq", "--no-install-recommends"],
            packages,
        ]
        .concat())
    };
    install().with_context(|| {
        let packages = packages.join(" ");
        format!("{program} is missing: have it installed as root, `apt-get install {packages}`, and try again")
    })
}

/// Python with the packages that `requirements` lists, in a virtual environment at `folder`; installed anew where the list
/// has changed.
pub(crate) fn python(folder: &Path, requirements: &Path) -> anyhow::Result<PathBuf> {
    let python = folder.join("bin/python");
    let installed = folder.join("requirements.txt");
    if fs::read(&installed).ok() != Some(fs::read(requirements)?) {
        debian("python3", &["python3", "python3-venv"])?;
        eprintln!("installing Python packages ...");
        run(command("python3").args(["-m", "venv"]).arg(folder))
            .context("Debian's package python3-venv may be missing")?;
        let options = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
        ];
        run(command(&python).args(options).arg(requirements))?;
        fs::copy(requirements, &installed)?;
    }
    Ok(python)
}

fn wasm_target() -> anyhow::Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let sysroot = command("rustc").args(["--print", "sysroot"]).output()?;
    let sysroot = String::from_utf8(sysroot.stdout)?;
    let installed = Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET);
    if installed.exists() {
        return Ok(());
    }
    run(command("rustup").args(["target", "add", TARGET]))
}

/// The folder of a program that crates.io has.
pub(crate) fn cargo_tool((name, version): (&str, &str), program: &str) -> anyhow::Result<PathBuf> {
    let folder = cache()?.join(format!("{name}-{version}"));
    let programs = folder.join("bin");
    if !programs.join(program).exists() {
        eprintln!("installing {name} {version} (a few minutes, once) ...");
        // A debug build: as a release these take tens of minutes, and they are only build tools.
        run(command("cargo")
            .args([
                "install",
                "--quiet",
                "--locked",
                "--debug",
                name,
                "--version",
                version,
                "--root",
            ])
            .arg(&folder))?;
    }
    Ok(programs)
}

/// The folder of a program that the npm registry has.
fn npm_tool((name, version): (&str, &str), program: &str) -> anyhow::Result<PathBuf> {
    let folder = cache()?.join(format!("{name}-{version}"));
    let programs = folder.join("node_modules/.bin");
    if !programs.join(program).exists() {
        debian("npm", &["nodejs", "npm"])?;
        eprintln!("installing {name} {version} ...");
        fs::create_dir_all(&folder)?;
        run(command("npm")
            .args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"])
            .arg(&folder)
            .arg(format!("{name}@{version}")))?;
    }
    Ok(programs)
}
