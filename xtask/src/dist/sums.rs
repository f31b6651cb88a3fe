//! `SHA256SUMS`, for `sha256sum --check`.

use std::{fs, path::Path};

use sha2::{Digest, Sha256};

use super::folder;
use crate::steps::Step;

pub(super) const FILE: &str = "SHA256SUMS";

/// Writes the digests of all packages, and shows their sizes.
pub(super) fn write(step: Step<'_>) -> anyhow::Result<()> {
    write_into(&folder())?;
    show(step)
}

/// Shows the size of each package.
pub(super) fn show(step: Step<'_>) -> anyhow::Result<()> {
    for file in packages(&folder())? {
        let bytes = fs::metadata(folder().join(&file))?.len();
        step.say(&format!("{bytes:>11} bytes  {file}"));
    }
    Ok(())
}

fn write_into(folder: &Path) -> anyhow::Result<()> {
    let mut sums = String::new();
    for file in packages(folder)? {
        let digest = Sha256::digest(fs::read(folder.join(&file))?);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        sums.push_str(&format!("{digest}  {file}\n"));
    }
    fs::write(folder.join(FILE), sums)?;
    Ok(())
}

fn packages(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_file() && name != FILE {
            files.push(name);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn sha256sum_accepts_the_list_until_a_package_changes() {
        let folder = std::env::temp_dir().join(format!("xtask-sums-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for (file, text) in [("b.whl", "two"), ("a.deb", "one"), (FILE, "stale")] {
            fs::write(folder.join(file), text).unwrap();
        }
        write_into(&folder).unwrap();
        assert_eq!(packages(&folder).unwrap(), ["a.deb", "b.whl"]);
        let check = || {
            let mut sums = Command::new("sha256sum");
            sums.args(["--check", "--status", "--strict", FILE])
                .current_dir(&folder);
            sums.status().unwrap().success()
        };
        assert!(check());
        fs::write(folder.join("a.deb"), "other").unwrap();
        assert!(!check());
        fs::remove_dir_all(folder).unwrap();
    }
}
