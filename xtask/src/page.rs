use std::{fs, io::Write, path::Path};

use crate::{
    root,
    tools::{command, page_tools, run},
};

/// Builds the page into `dist/`, each file that shrinks with its compressed form beside it.
pub(crate) fn build() -> anyhow::Result<()> {
    let path = page_tools()?;
    // Trunk runs cargo offline, so that it takes its tools from PATH.
    run(command("cargo").args(["fetch", "--quiet", "--locked"]))?;
    let fresh = root().join("target/dist");
    run(command("trunk")
        .args(["build", "--release", "--dist"])
        .arg(&fresh)
        .env("PATH", path)
        .env("NO_COLOR", "true"))?;
    for entry in fs::read_dir(&fresh)? {
        let file = entry?.path();
        let extension = file.extension().and_then(|extension| extension.to_str());
        if matches!(extension, Some("wasm" | "js" | "css" | "html" | "svg")) {
            compress(&file)?;
        }
    }
    update(&root().join("dist"), &fresh)
}

/// Makes `old` equal to `new`, touching only what differs: the server is built anew whenever a file of the page is newer.
fn update(old: &Path, new: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(old)?;
    for entry in fs::read_dir(old)? {
        let entry = entry?;
        if new.join(entry.file_name()).exists() {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    for entry in fs::read_dir(new)? {
        let entry = entry?;
        let (from, to) = (entry.path(), old.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            update(&to, &from)?;
        } else if fs::read(&to).ok() != Some(fs::read(&from)?) {
            fs::copy(from, to)?;
        }
    }
    Ok(())
}

fn compress(file: &Path) -> anyhow::Result<()> {
    const BUFFER_BYTES: usize = 4096;
    const QUALITY_BEST: u32 = 11;
    const WINDOW_BITS: u32 = 22;
    let bytes = fs::read(file)?;
    let mut compressed = Vec::new();
    brotli::CompressorWriter::new(&mut compressed, BUFFER_BYTES, QUALITY_BEST, WINDOW_BITS)
        .write_all(&bytes)?;
    let name = file
        .file_name()
        .expect("a file has a name")
        .to_string_lossy();
    println!(
        "{name}: {} bytes, {} with brotli",
        bytes.len(),
        compressed.len()
    );
    fs::write(file.with_file_name(format!("{name}.br")), compressed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_touches_only_what_differs() {
        let folder = std::env::temp_dir().join(format!("xtask-page-{}", std::process::id()));
        let (old, new) = (folder.join("old"), folder.join("new"));
        for (file, text) in [
            ("old/same", "1"),
            ("old/stale", "1"),
            ("old/sub/changed", "1"),
        ]
        .into_iter()
        .chain([
            ("new/same", "1"),
            ("new/sub/changed", "2"),
            ("new/sub/added", "3"),
        ]) {
            let file = folder.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let written = |file: &str| fs::metadata(old.join(file)).unwrap().modified().unwrap();
        let before = written("same");
        update(&old, &new).unwrap();
        assert_eq!(written("same"), before);
        assert!(!old.join("stale").exists());
        assert_eq!(fs::read(old.join("sub/changed")).unwrap(), b"2");
        assert_eq!(fs::read(old.join("sub/added")).unwrap(), b"3");
        fs::remove_dir_all(folder).unwrap();
    }
}
