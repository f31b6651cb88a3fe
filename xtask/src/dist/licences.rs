//! The licences of the crates that the programs contain. They require that their texts are passed on with the programs.
//! cargo-about would list them too, but took over five minutes and asked GitHub for each crate without a text.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};

use super::{programs::PROGRAMS, target};
use crate::{folders::registry, process::command, root, steps::Step, tools::TARGET};

const PREFACE: &str = "\
The programs imageclassifier-server and imageclassifier, and the page in the server, contain code of the crates below, under these
licences. imageclassifier's own licences are in LICENSE-MIT and LICENSE-APACHE, those of its data in NOTICE.
";
const WITHOUT_TEXT: &str = "\
These come without a text of their licence. That of MIT is in LICENSE-MIT, except for the line with the copyright, which is their
authors'; that of Apache-2.0 is in LICENSE-APACHE.
";
/// What the names of files with licences begin with, in lower case.
const NAMES: [&str; 5] = ["licen", "copying", "copyright", "notice", "unlicense"];

/// A crate of the registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Dependency {
    name: String,
    version: String,
    /// An SPDX expression.
    licence: String,
}

/// Where [`write`] writes them.
pub(super) fn path() -> PathBuf {
    root().join("target/dist-files/THIRD-PARTY-LICENSES.txt")
}

pub(super) fn write(step: Step<'_>) -> anyhow::Result<()> {
    step.run(command("cargo").args(["fetch", "--locked"]))?;
    let mut all = BTreeSet::new();
    for target in target::named(&[]) {
        for (package, _) in PROGRAMS {
            all.extend(dependencies(package, target.triple)?);
        }
    }
    all.extend(dependencies("imageclassifier-web", TARGET)?);
    let path = path();
    fs::create_dir_all(path.parent().expect("it lies in a folder"))?;
    fs::write(path, listed(&all, texts)?)?;
    Ok(())
}

fn dependencies(package: &str, target: &str) -> anyhow::Result<Vec<Dependency>> {
    let mut tree = command("cargo");
    tree.args(["tree", "--locked", "--edges", "normal", "--prefix", "none"])
        .args(["--package", package, "--target", target])
        .args(["--format", "{p}|{l}"]);
    let said = tree.output()?;
    ensure!(
        said.status.success(),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    Ok(String::from_utf8(said.stdout)?
        .lines()
        .filter_map(Dependency::parse)
        .collect())
}

impl Dependency {
    /// `None` for a crate of this repository.
    fn parse(line: &str) -> Option<Self> {
        let (package, licence) = line.trim_end_matches(" (*)").split_once('|')?;
        let mut words = package.trim_end_matches(" (proc-macro)").split(' ');
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        words.next().is_none().then(|| Self {
            name: name.to_owned(),
            version: version.to_owned(),
            licence: licence.to_owned(),
        })
    }
}

/// The texts in the crate's source.
fn texts(dependency: &Dependency) -> anyhow::Result<Vec<String>> {
    let folder = format!("{}-{}", dependency.name, dependency.version);
    let registries = fs::read_dir(registry()?)?;
    let sources = registries.filter_map(|registry| Some(registry.ok()?.path().join(&folder)));
    let source = sources.into_iter().find(|source| source.is_dir());
    let source = source.with_context(|| format!("the source of {folder} is not downloaded"))?;
    let mut files = Vec::new();
    for entry in fs::read_dir(source)? {
        let path = entry?.path();
        if !is_licence(&path) {
            continue;
        }
        if path.is_dir() {
            // As REUSE has it: LICENSES/MIT.txt.
            let texts = fs::read_dir(path)?.filter_map(|text| Some(text.ok()?.path()));
            files.extend(texts.filter(|text| text.is_file()));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
        .iter()
        .map(|file| Ok(String::from_utf8_lossy(&fs::read(file)?).into_owned()))
        .collect()
}

fn is_licence(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_lowercase();
    NAMES.iter().any(|start| name.starts_with(start))
}

/// Each text once, after the crates that it is of.
fn listed(
    all: &BTreeSet<Dependency>,
    texts: impl Fn(&Dependency) -> anyhow::Result<Vec<String>>,
) -> anyhow::Result<String> {
    let mut of_text: BTreeMap<String, Vec<&Dependency>> = BTreeMap::new();
    let mut without = Vec::new();
    for dependency in all {
        let texts = texts(dependency)?;
        if texts.is_empty() {
            ensure!(
                ["MIT", "Apache-2.0"]
                    .iter()
                    .any(|ours| dependency.licence.contains(ours)),
                "{} {} comes without the text of its licence, {}: find it, and write it into the list",
                dependency.name,
                dependency.version,
                dependency.licence
            );
            without.push(dependency);
        }
        for text in texts {
            of_text.entry(text).or_default().push(dependency);
        }
    }
    let mut sections: Vec<_> = of_text.into_iter().map(|(text, of)| (of, text)).collect();
    sections.push((without, WITHOUT_TEXT.to_owned()));
    // By the first crate.
    sections.sort();
    let mut list = PREFACE.to_owned();
    for (of, text) in sections {
        writeln!(list, "\n{}\n", "=".repeat(80))?;
        for Dependency {
            name,
            version,
            licence,
        } in of
        {
            writeln!(list, "{name} {version}: {licence}")?;
        }
        writeln!(list, "\n{}", text.trim_end())?;
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIPLE: &str = "x86_64-unknown-linux-gnu";

    #[test]
    fn each_text_is_listed_once_and_crates_without_one_are_named() {
        let lines = [
            "b v1.0.0|MIT (*)",
            "a v2.1.0 (proc-macro)|MIT",
            "c v1.0.0|Apache-2.0",
            "ours v0.1.0 (/somewhere/ours)|MIT",
        ];
        let all: BTreeSet<_> = lines.into_iter().filter_map(Dependency::parse).collect();
        assert_eq!(all.len(), 3);
        let list = listed(&all, |dependency| {
            Ok(match dependency.name.as_str() {
                "c" => Vec::new(),
                _ => vec!["Permission is hereby granted".to_owned()],
            })
        });
        let list = list.unwrap();
        assert_eq!(list.matches("Permission is hereby granted").count(), 1);
        assert!(list.contains("\na 2.1.0: MIT\nb 1.0.0: MIT\n\nPermission"));
        assert!(list.contains("\nc 1.0.0: Apache-2.0\n\nThese come without"));
    }

    #[test]
    fn every_crate_of_the_programs_is_found() {
        let all = dependencies("imageclassifier-cli", TRIPLE).unwrap();
        assert!(all.len() > 100);
        assert!(all.iter().any(|it| it.name == "burn-flex"));
        let text = |name: &str| texts(all.iter().find(|it| it.name == name).unwrap()).unwrap();
        assert!(
            text("clap")
                .concat()
                .contains("Permission is hereby granted")
        );
    }
}
