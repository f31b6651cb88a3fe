//! Lays out the page to be embedded: what Trunk built into `dist/`, or else a placeholder that says how to build it.

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let out_dir = env::var("OUT_DIR").expect("cargo sets it");
    let dist = Path::new(&root).join("../dist");
    let placeholder = Path::new(&root).join("placeholder");
    let page = Path::new(&out_dir).join("page");

    // While there is no dist/ this runs on every build, so that a page built later is not missed.
    println!("cargo::rerun-if-changed={}", dist.display());
    println!("cargo::rerun-if-changed={}", placeholder.display());
    if page.exists() {
        fs::remove_dir_all(&page)?;
    }
    let built = dist.join("index.html").exists();
    copy(if built { &dist } else { &placeholder }, &page)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
