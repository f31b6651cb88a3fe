//! Local paths that must not appear in built programs.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::PathBuf,
};

use anyhow::Context;

use crate::root;

/// Folders whose names the compiler would write into the programs, for messages of panics, each with its name there.
pub(crate) fn folders() -> anyhow::Result<[(PathBuf, &'static str); 2]> {
    Ok([(registry()?, "/crates"), (root(), "/imageclassifier")])
}

/// Where cargo keeps the sources of crates, in a folder for each registry.
pub(crate) fn registry() -> anyhow::Result<PathBuf> {
    let cargo = match env::var_os("CARGO_HOME") {
        Some(cargo) => PathBuf::from(cargo),
        None => PathBuf::from(env::var_os("HOME").context("HOME is not set")?).join(".cargo"),
    };
    Ok(cargo.join("registry/src"))
}

/// Options of rustc, as `CARGO_ENCODED_RUSTFLAGS` has them. Hides local build paths.
pub(crate) fn without_folders() -> anyhow::Result<OsString> {
    let mut options = Vec::new();
    for (folder, name) in folders()? {
        let mut option = OsString::from("--remap-path-prefix=");
        option.push(folder);
        option.push("=");
        option.push(name);
        options.push(option);
    }
    Ok(options.join(OsStr::new("\u{1f}")))
}
