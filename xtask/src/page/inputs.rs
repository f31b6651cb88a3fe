//! What the page is made of. Its program is compiled by cargo, which knows best what has changed there; of the rest the
//! content counts.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use sha2::{Digest, Sha256};

use crate::{
    root,
    tools::{BINARYEN, TARGET, TRUNK, WASM_BINDGEN},
};

/// A program that Trunk has cargo compile.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Program {
    /// From the repository's top.
    pub(super) manifest: String,
    pub(super) profile: String,
}

/// The programs that `index.html` names.
pub(super) fn programs() -> anyhow::Result<Vec<Program>> {
    let programs = programs_of(&fs::read_to_string(root().join("index.html"))?);
    ensure!(
        !programs.is_empty(),
        "index.html names no program with a profile"
    );
    Ok(programs)
}

fn programs_of(html: &str) -> Vec<Program> {
    let links = tags(html).filter(|tag| attribute(tag, "rel") == Some("rust"));
    let program = |tag: &str| {
        Some(Program {
            manifest: attribute(tag, "href")?.to_owned(),
            profile: attribute(tag, "data-cargo-profile-release")
                .or_else(|| attribute(tag, "data-cargo-profile"))?
                .to_owned(),
        })
    };
    links.filter_map(program).collect()
}

/// A digest of all that the page is made of, and made with.
pub(super) fn digest() -> anyhow::Result<String> {
    let html = fs::read_to_string(root().join("index.html"))?;
    let mut digest = Sha256::new();
    for version in [TRUNK.version, WASM_BINDGEN.version, BINARYEN.1] {
        digest.update(version);
    }
    let mut files: Vec<_> = ["index.html", "Trunk.toml", "xtask/src/page.rs"]
        .map(PathBuf::from)
        .into();
    files.extend(assets(&html));
    for program in programs_of(&html) {
        files.push(compiled(&program)?);
    }
    for file in files {
        add(&mut digest, &file).with_context(|| format!("cannot read {}", file.display()))?;
    }
    Ok(digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// Files and folders that Trunk copies.
fn assets(html: &str) -> impl Iterator<Item = PathBuf> {
    tags(html)
        .filter(|tag| attribute(tag, "rel") != Some("rust"))
        .filter_map(|tag| attribute(tag, "href").or_else(|| attribute(tag, "src")))
        .map(PathBuf::from)
}

/// The WebAssembly that cargo made of `program`, from the repository's top.
fn compiled(program: &Program) -> anyhow::Result<PathBuf> {
    let folder = Path::new("target").join(TARGET).join(&program.profile);
    let manifest = fs::read_to_string(root().join(&program.manifest))?;
    let name = manifest
        .lines()
        .find_map(|line| line.strip_prefix("name = \""));
    let name = name.and_then(|name| name.strip_suffix('"'));
    let name = name.with_context(|| format!("{} names no package", program.manifest))?;
    Ok(folder.join(format!("{name}.wasm")))
}

/// Adds the name and content of a file, or of all files in a folder.
fn add(digest: &mut Sha256, path: &Path) -> io::Result<()> {
    let absolute = root().join(path);
    digest.update(path.as_os_str().as_encoded_bytes());
    if absolute.is_dir() {
        let entries = fs::read_dir(absolute)?.map(|entry| Ok(path.join(entry?.file_name())));
        let mut entries = entries.collect::<io::Result<Vec<_>>>()?;
        entries.sort();
        return entries.iter().try_for_each(|entry| add(digest, entry));
    }
    let bytes = fs::read(absolute)?;
    digest.update(bytes.len().to_le_bytes());
    digest.update(bytes);
    Ok(())
}

/// The tags that Trunk looks at, without their brackets.
fn tags(html: &str) -> impl Iterator<Item = &str> {
    let tags = html
        .split('<')
        .filter_map(|text| Some(text.split_once('>')?.0));
    tags.filter(|tag| tag.split_whitespace().any(|word| word == "data-trunk"))
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = tag.split_once(&format!(" {name}=\""))?;
    Some(value.split_once('"')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_programs_and_the_files_that_the_page_is_made_of() {
        let html = r#"<link rel="icon" href="not-copied.svg">
            <link data-trunk rel="css" href="web/a.css">
            <link
              data-trunk rel="rust" href="web/Cargo.toml" data-cargo-profile-release="page"
            >
            <script data-trunk type="module" src="web/start.js"></script>"#;
        let assets: Vec<_> = assets(html).collect();
        assert_eq!(assets, ["web/a.css", "web/start.js"].map(PathBuf::from));
        let page = Program {
            manifest: "web/Cargo.toml".to_owned(),
            profile: "page".to_owned(),
        };
        assert_eq!(programs_of(html), [page]);
    }

    #[test]
    fn everything_that_the_page_names_is_there() {
        let html = fs::read_to_string(root().join("index.html")).unwrap();
        for asset in assets(&html) {
            assert!(root().join(&asset).exists(), "{}", asset.display());
        }
        for program in programs().unwrap() {
            let wasm = compiled(&program).unwrap();
            assert!(wasm.ends_with(format!("{}/imageclassifier-web.wasm", program.profile)));
        }
    }

    #[test]
    fn a_folders_digest_changes_with_names_and_content() {
        let folder = std::env::temp_dir().join(format!("xtask-inputs-{}", std::process::id()));
        let digest_with = |name: &str, text: &str| {
            fs::create_dir_all(folder.join("sub")).unwrap();
            fs::write(folder.join("sub").join(name), text).unwrap();
            let mut digest = Sha256::new();
            add(&mut digest, &folder).unwrap();
            fs::remove_dir_all(&folder).unwrap();
            digest.finalize()
        };
        let before = digest_with("a", "1");
        assert_eq!(digest_with("a", "1"), before);
        assert_ne!(digest_with("a", "2"), before);
        assert_ne!(digest_with("b", "1"), before);
    }
}
