use std::{fs, io, path::Path};

use crate::{args, outcome::Outcome};

/// Renames the highest version's folder, so that the next lower one serves.
pub(crate) fn run(args: &args::Rollback) -> Outcome {
    let folder = args.models.join(&args.name);
    let versions = match versions(&folder) {
        Ok(versions) => versions,
        Err(error) => {
            return Outcome::failure(format!("cannot read {}: {error}", folder.display()));
        }
    };
    let [.., previous, highest] = versions[..] else {
        return Outcome::failure(format!(
            "{} has no previous version to serve: see `ls {}`",
            args.name,
            folder.display()
        ));
    };
    let hidden = hidden_name(&folder, highest);
    match fs::rename(folder.join(highest.to_string()), folder.join(&hidden)) {
        Ok(()) => {
            println!(
                "{}: version {previous} instead of {highest}, which is now {}",
                args.name,
                folder.join(hidden).display()
            );
            Outcome::Success
        }
        Err(error) => Outcome::failure(format!(
            "cannot rename {}: {error}",
            folder.join(highest.to_string()).display()
        )),
    }
}

/// The versions in ascending order. The folder itself, if it holds a model, is version 0.
fn versions(folder: &Path) -> io::Result<Vec<u64>> {
    let mut versions = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.parse::<u64>().ok());
        let number = number.filter(|number| *number > 0 && *number.to_string() == *name);
        versions.extend(number.filter(|_| entry.path().is_dir()));
    }
    if folder.join("config.json").exists() {
        versions.push(0);
    }
    versions.sort_unstable();
    Ok(versions)
}

/// A name that is free, also after the same version was rolled back before.
fn hidden_name(folder: &Path, version: u64) -> String {
    let plain = format!(".rolled-back-{version}");
    let numbered = (2..).map(|time| format!("{plain}-{time}"));
    let mut names = std::iter::once(plain.clone()).chain(numbered);
    let free = names.find(|name| !folder.join(name).exists());
    free.expect("there are infinitely many names")
}
