//! No file or folder of a crate imports one that imports it back, directly or through others. An import is a `use` or a path that
//! begins with `crate`, `self` or `super`. A parent may name its own children, and a test any file.

mod graph;
mod paths;
#[cfg(test)]
mod tests;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use graph::{Cycle, Files, Module, cycles};

/// Every crate's `src`.
pub(crate) fn check() -> anyhow::Result<()> {
    let root = crate::root();
    let mut found = Vec::new();
    for src in sources(&root)? {
        let name = src.strip_prefix(&root)?.display().to_string();
        let files = read(&src).with_context(|| format!("cannot read {name}"))?;
        found.extend(cycles(&name, &files));
    }
    report(&found)
}

/// # Errors
/// Each cycle with its imports, if there is one.
fn report(found: &[Cycle]) -> anyhow::Result<()> {
    let mut problems = Vec::new();
    for cycle in found {
        problems.push(format!("a cycle of imports in {}", cycle.name));
        problems.extend(cycle.imports.iter().map(|arrow| format!("  {arrow}")));
    }
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    Ok(())
}

/// The `src` folders one and two levels below `root`.
fn sources(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    const NO_CRATES: [&str; 3] = ["target", "node_modules", "dist"];
    let mut found = Vec::new();
    for folder in folders(root)? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        if NO_CRATES.contains(&&*name) || name.starts_with('.') {
            continue;
        }
        for crate_folder in [vec![folder.clone()], folders(&folder)?].concat() {
            let src = crate_folder.join("src");
            if crate_folder.join("Cargo.toml").is_file() && src.is_dir() {
                found.push(src);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn folders(parent: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(parent)? {
        let path = entry?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    Ok(found)
}

fn read(src: &Path) -> anyhow::Result<Files> {
    let mut files = Files::new();
    let mut unread = vec![src.to_owned()];
    while let Some(folder) = unread.pop() {
        unread.extend(folders(&folder)?);
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "rs")
                && let Some(module) = module(path.strip_prefix(src)?)
            {
                let text = fs::read_to_string(&path)?;
                files.insert(module, paths::parse(&text));
            }
        }
    }
    Ok(files)
}

/// The module that a file is; `None` for tests and for the roots of programs.
fn module(file: &Path) -> Option<Module> {
    let file = file.with_extension("");
    let mut names: Module = file
        .iter()
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    if names.iter().any(|name| name == "tests") || names[0] == "bin" || names == ["main"] {
        return None;
    }
    names.pop_if(|last| *last == "lib" || *last == "mod");
    Some(names)
}
