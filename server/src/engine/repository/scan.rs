//! Which model folders there are, and whether their files have changed.

use std::{
    collections::BTreeMap,
    fs::{self, DirEntry, Metadata},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// A version of a model, in the order in which versions are listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) name: String,
    /// 0 for a model folder without version folders.
    pub(crate) version: u64,
}

/// A folder with one version.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) stamp: Stamp,
}

/// What changes when one of the folder's files is written or replaced. The contents are not read: models may be large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp(Vec<Option<FileStamp>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct FileStamp {
    bytes: u64,
    modified: Option<SystemTime>,
    /// Time of the last change of the contents or the metadata, and the inode: a program can set neither.
    #[cfg(unix)]
    changed: (i64, i64, u64),
}

/// The files that make a model.
const FILES: [&str; 4] = [
    "config.json",
    "model.safetensors",
    "model.onnx",
    "network.safetensors",
];

/// Every version in `dir`, as NAME or NAME/VERSION. Files and hidden folders are ignored.
pub(super) fn scan(dir: &Path) -> io::Result<BTreeMap<Key, Found>> {
    let mut found = BTreeMap::new();
    for (name, path) in folders(dir)? {
        let versions = folders(&path).unwrap_or_default();
        let versions = versions.into_iter().filter_map(|(version, path)| {
            let number = parse_version(&version)?;
            Some((number, path))
        });
        let mut versions: Vec<_> = versions.collect();
        // A folder without versions and files is listed too, so that the server can say what is missing.
        if versions.is_empty() || path.join(FILES[0]).exists() {
            versions.push((0, path));
        }
        for (version, path) in versions {
            let stamp = Stamp::of(&path);
            let key = Key {
                name: name.clone(),
                version,
            };
            found.insert(key, Found { path, stamp });
        }
    }
    Ok(found)
}

/// The number in a version folder's name: 1 or more, without a sign or leading zeros.
pub(super) fn parse_version(name: &str) -> Option<u64> {
    let number: u64 = name.parse().ok()?;
    (number > 0 && number.to_string() == name).then_some(number)
}

/// Names and paths of the folders in `dir`, links included.
fn folders(dir: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let visible = |entry: DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (!name.starts_with('.') && entry.path().is_dir()).then(|| (name, entry.path()))
    };
    let entries = fs::read_dir(dir)?.collect::<io::Result<Vec<_>>>()?;
    Ok(entries.into_iter().filter_map(visible).collect())
}

impl Stamp {
    fn of(folder: &Path) -> Self {
        let stamp = |file| {
            let metadata = fs::metadata(folder.join(file)).ok()?;
            Some(FileStamp::of(&metadata))
        };
        Self(FILES.into_iter().map(stamp).collect())
    }
}

impl FileStamp {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;
        Self {
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            changed: (metadata.ctime(), metadata.ctime_nsec(), metadata.ino()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_whole_numbers_over_0() {
        for (name, expected) in [
            ("1", Some(1)),
            ("20", Some(20)),
            ("0", None),
            ("01", None),
            ("+1", None),
            ("1.0", None),
            ("v1", None),
            ("", None),
        ] {
            assert_eq!(parse_version(name), expected, "{name:?}");
        }
    }

    #[test]
    fn finds_names_and_versions_and_ignores_hidden_folders_and_files() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["flat", "two/1", "two/12", "two/notes", ".new/1", "two/.3"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        fs::write(dir.path().join("flat/config.json"), "").unwrap();
        fs::write(dir.path().join("README"), "").unwrap();
        let found = scan(dir.path()).unwrap();
        let found: Vec<_> = found
            .keys()
            .map(|key| (key.name.as_str(), key.version))
            .collect();
        assert_eq!(found, [("flat", 0), ("two", 1), ("two", 12)]);
    }
}
