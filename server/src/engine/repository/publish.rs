//! Models that clients upload: tried, written to a hidden folder, then renamed to the next version.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use uuid::Uuid;

use super::{Repository, VERSIONS_MAX, When, scan};

/// The files of a model, as they were uploaded.
#[derive(Debug, Default)]
pub(crate) struct Upload {
    pub(crate) name: String,
    /// 0 for the next one.
    pub(crate) version: u64,
    pub(crate) files: BTreeMap<&'static str, UploadedFile>,
}

/// A file in parts.
#[derive(Debug, Default)]
pub(crate) struct UploadedFile {
    pub(crate) parts: Vec<Bytes>,
    pub(crate) bytes: usize,
}

/// Why an upload is not served.
#[derive(Debug)]
pub(crate) enum PublishError {
    /// What is wrong with the upload.
    Unusable(String),
    /// What is wrong with the server's disk.
    Storage(io::Error),
}

/// The files of a model folder, and how long they may be. The first two are required.
pub(crate) const FILES: [(&str, usize); 5] = [
    ("config.json", 4 << 20),
    ("model.safetensors", 64 << 20),
    ("report.json", 16 << 20),
    ("report.html", 16 << 20),
    ("LICENSE", 1 << 20),
];

impl From<io::Error> for PublishError {
    fn from(error: io::Error) -> Self {
        Self::Storage(error)
    }
}

impl Repository {
    /// Writes and serves a new version of a model, and returns its number. An upload that does not work changes nothing.
    pub(crate) fn publish(&self, upload: &Upload) -> Result<u64, PublishError> {
        let file = |name: &str| match upload.files.get(name) {
            Some(file) => Ok(file.parts.concat()),
            None => Err(PublishError::Unusable(format!(
                "{name} is missing: upload it"
            ))),
        };
        let (config, tensors) = (file(FILES[0].0)?, file(FILES[1].0)?);
        let tried = self.loader.parse(&upload.name, &config, &tensors);
        tried.map_err(PublishError::Unusable)?;
        // The name has been checked: it cannot lead out of the directory.
        let model = self.dir.join(&upload.name);
        let _one_at_a_time = self.publishing();
        let version = self.next_version(&model, upload.version)?;
        let temporary = Temporary::create(&self.dir)?;
        for (name, file) in &upload.files {
            temporary.write(name, &file.parts)?;
        }
        fs::create_dir_all(&model)?;
        fs::rename(&temporary.0, model.join(version.to_string()))?;
        self.known().unloaded.remove(&upload.name);
        self.update(When::NowNamed(&upload.name))?;
        Ok(version)
    }

    fn next_version(&self, model: &Path, wanted: u64) -> Result<u64, PublishError> {
        if self.known().folders.len() >= VERSIONS_MAX {
            let problem = format!(
                "the server already has {VERSIONS_MAX} versions of models: remove some on the server"
            );
            return Err(PublishError::Unusable(problem));
        }
        let highest = highest_version(model)?;
        match wanted {
            0 => Ok(highest.saturating_add(1)),
            wanted if wanted > highest => Ok(wanted),
            wanted => Err(PublishError::Unusable(format!(
                "version {wanted} is not above the highest so far, {highest}: choose a higher one, or 0 for the next"
            ))),
        }
    }
}

/// The highest version so far; those that were rolled back count, so that no number is used twice.
fn highest_version(model: &Path) -> io::Result<u64> {
    let entries = match fs::read_dir(model) {
        Ok(entries) => entries.collect::<io::Result<Vec<_>>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let versions = entries.iter().filter_map(|entry| {
        let name = entry.file_name();
        let name = name.to_str()?;
        let name = name.strip_prefix(".rolled-back-").unwrap_or(name);
        scan::parse_version(name.split('-').next()?)
    });
    Ok(versions.max().unwrap_or_default())
}

/// What the names of unfinished uploads begin with.
const TEMPORARY: &str = ".publishing-";
/// An upload that is older was cut off with its server. Servers may share the folder, so a younger one may be another's.
const ABANDONED_AFTER: Duration = Duration::from_secs(3600);

/// Removes what uploads left in `dir` that a crash cut off. What cannot be removed stays: it is hidden.
pub(super) fn remove_abandoned(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let is_temporary = entry.file_name().to_string_lossy().starts_with(TEMPORARY);
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let age = modified.map(|modified| modified.elapsed().unwrap_or_default());
        if is_temporary && age.is_ok_and(|age| age >= ABANDONED_AFTER) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A hidden folder next to the models. It is removed unless it has been renamed.
struct Temporary(PathBuf);

impl Temporary {
    fn create(dir: &Path) -> io::Result<Self> {
        let path = dir.join(format!("{TEMPORARY}{}", Uuid::new_v4()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }

    /// Written to the disk before the folder is renamed: a crash must not leave a version without contents.
    fn write(&self, name: &str, parts: &[Bytes]) -> io::Result<()> {
        let mut file = File::create_new(self.0.join(name))?;
        for part in parts {
            file.write_all(part)?;
        }
        file.sync_all()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Renamed, or useless.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn removes_what_a_crash_left_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let hours = |count: u64| Duration::from_secs(count * 3600);
        for (name, age, stays) in [
            (".publishing-old", hours(2), false),
            (".publishing-new", Duration::ZERO, true),
            (".rolled-back-1", hours(2), true),
            ("pets", hours(2), true),
        ] {
            let folder = dir.path().join(name);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("config.json"), "{}").unwrap();
            let modified = SystemTime::now() - age;
            File::open(&folder).unwrap().set_modified(modified).unwrap();
            remove_abandoned(dir.path());
            assert_eq!(folder.exists(), stays, "{name}");
        }
    }
}
