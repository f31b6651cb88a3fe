//! The page in `dist/`.

mod inputs;

use std::{
    ffi::OsStr,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    path::Path,
};

use anyhow::ensure;

use crate::{
    folders::without_folders,
    process::command,
    root,
    steps::Step,
    tools::{TARGET, add_target},
};

/// Compiles the page's program. This does not need Trunk.
pub(crate) fn compile(step: Step<'_>) -> anyhow::Result<()> {
    add_target(TARGET, step)?;
    // Trunk runs cargo offline, so that it takes its tools from PATH.
    step.run(command("cargo").args(["fetch", "--locked"]))?;
    for program in inputs::programs()? {
        step.run(
            command("cargo")
                .args(["build", "--locked", "--target", TARGET, "--manifest-path"])
                .arg(root().join(&program.manifest))
                .args(["--profile", &program.profile])
                .env("CARGO_ENCODED_RUSTFLAGS", without_folders()?),
        )?;
    }
    Ok(())
}

/// Assembles the page in `dist/` with the tools of `path`, each file that shrinks with its compressed form beside it. Does
/// nothing if `dist/` is up to date.
pub(crate) fn assemble(path: &OsStr, step: Step<'_>) -> anyhow::Result<()> {
    let made_of = inputs::digest()?;
    let note = root().join("target/dist.made-of");
    let dist = root().join("dist");
    if dist.join("index.html").exists() && fs::read_to_string(&note).ok() == Some(made_of.clone()) {
        step.say("dist/ is up to date");
        return Ok(());
    }
    step.doing("trunk");
    let fresh = root().join("target/trunk");
    step.run(
        command("trunk")
            .args(["build", "--release", "--dist"])
            .arg(&fresh)
            .env("PATH", path)
            .env("NO_COLOR", "true")
            // As the program was compiled.
            .env("CARGO_ENCODED_RUSTFLAGS", without_folders()?),
    )?;
    keep_offline(&fresh)?;
    for entry in fs::read_dir(&fresh)? {
        let file = entry?.path();
        let extension = file.extension().and_then(|extension| extension.to_str());
        if matches!(
            extension,
            Some("wasm" | "js" | "css" | "html" | "svg" | "txt" | "webmanifest")
        ) {
            compress(&file, step)?;
        }
    }
    update(&dist, &fresh)?;
    fs::write(note, made_of)?;
    Ok(())
}

/// Tells the page's service worker which files to keep, and their version: it changes whenever one of them does.
fn keep_offline(page: &Path) -> anyhow::Result<()> {
    let worker = page.join("worker.js");
    let mut files = Vec::new();
    list(page, "", &mut files)?;
    files.retain(|file| file != "worker.js" && !file.ends_with(".md"));
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in &files {
        file.hash(&mut hasher);
        fs::read(page.join(file))?.hash(&mut hasher);
    }
    let names = files.iter().map(|file| match file.as_str() {
        "index.html" => "\"./\"".to_owned(),
        file => format!("\"{file}\""),
    });
    let names = names.collect::<Vec<_>>().join(", ");
    let text = fs::read_to_string(&worker)?;
    let filled = filled(&text, &format!("{:016x}", hasher.finish()), &names)?;
    fs::write(worker, filled)?;
    Ok(())
}

/// The paths of all files, as addresses relative to the page's.
fn list(folder: &Path, prefix: &str, files: &mut Vec<String>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push(name);
        }
    }
    Ok(())
}

fn filled(worker: &str, version: &str, names: &str) -> anyhow::Result<String> {
    const VERSION: &str = r#"const VERSION = "unversioned";"#;
    const FILES: &str = "const FILES = [];";
    ensure!(
        worker.contains(VERSION) && worker.contains(FILES),
        "web/worker.js has no constants VERSION and FILES to fill"
    );
    Ok(worker
        .replace(VERSION, &format!("const VERSION = \"{version}\";"))
        .replace(FILES, &format!("const FILES = [{names}];")))
}

/// Makes `old` equal to `new`, writing only what differs: the server is built again whenever a file of the page is newer.
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

fn compress(file: &Path, step: Step<'_>) -> anyhow::Result<()> {
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
    let (plain, small) = (bytes.len(), compressed.len());
    step.say(&format!("{name}: {plain} bytes, {small} with brotli"));
    fs::write(file.with_file_name(format!("{name}.br")), compressed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worker_keeps_every_file_of_the_page_under_a_version_of_its_content() {
        let folder = std::env::temp_dir().join(format!("xtask-worker-{}", std::process::id()));
        let template = fs::read_to_string(root().join("web/worker.js")).unwrap();
        let built = |start: &str| {
            fs::create_dir_all(folder.join("samples")).unwrap();
            for (file, text) in [
                ("index.html", ""),
                ("start-1.js", start),
                ("samples/cat.jpg", ""),
                ("samples/NOTICE.md", ""),
                ("worker.js", &template),
            ] {
                fs::write(folder.join(file), text).unwrap();
            }
            keep_offline(&folder).unwrap();
            fs::read_to_string(folder.join("worker.js")).unwrap()
        };
        let (one, same, other) = (built("1"), built("1"), built("2"));
        assert!(one.contains(r#"const FILES = ["./", "samples/cat.jpg", "start-1.js"];"#));
        assert_eq!(one, same);
        assert_ne!(one, other);
        fs::remove_dir_all(folder).unwrap();
    }

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
