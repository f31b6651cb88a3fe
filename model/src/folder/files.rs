//! The files of a model folder.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use sha2::{Digest, Sha256};

use super::{
    error::{ModelFolderError, ModelFolderProblem},
    format::Format,
};

pub(crate) const CONFIG: &str = "config.json";
/// A head that `train` wrote.
pub(crate) const HEAD: &str = "model.safetensors";
/// A network of the model's own.
pub(crate) const ONNX: &str = "model.onnx";
/// The weights of a network of the model's own.
pub(crate) const CHECKPOINT: &str = "network.safetensors";

/// Which of these files a folder has depends on the model.
const OPTIONAL: [&str; 3] = [HEAD, ONNX, CHECKPOINT];

pub(crate) const CONFIG_BYTES_MAX: u64 = 4 << 20;
/// 4096 classes take 46 MB on Lite2, and 67 MB on a network with 2048 features. There can be 8192 features.
pub(crate) const HEAD_BYTES_MAX: u64 = 256 << 20;

pub(crate) fn read(
    folder: &Path,
    name: &'static str,
    bytes_max: u64,
) -> Result<Vec<u8>, ModelFolderProblem> {
    let mut bytes = Vec::new();
    File::open(folder.join(name))
        .and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes))
        .map_err(|source| ModelFolderProblem::Unreadable { file: name, source })?;
    if bytes.len() as u64 > bytes_max {
        return Err(ModelFolderProblem::TooLarge {
            file: name,
            bytes_max,
        });
    }
    Ok(bytes)
}

/// Writes the files of a model into `folder`, one after the other, and removes those of an earlier model of another kind. Of
/// `files` the last is [`CONFIG`]. Files that are no model's, such as those of a Hugging Face folder, stay.
pub(crate) fn write(folder: &Path, files: &[(&str, &[u8])]) -> Result<(), ModelFolderError> {
    let replace = |(name, bytes): &(&str, &[u8])| {
        // Never half a file under its name.
        let temporary = folder.join(format!(".{name}.new"));
        fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, folder.join(name)))
    };
    let (config, others) = files.split_last().expect("config.json at least");
    fs::create_dir_all(folder)
        .and_then(|()| others.iter().try_for_each(replace))
        .and_then(|()| remove_others(folder, files))
        .and_then(|()| replace(config))
        .map_err(|error| ModelFolderError {
            path: folder.to_owned(),
            source: ModelFolderProblem::Unwritable(error),
        })
}

/// Removes what an earlier model in `folder` had and `written` has not.
fn remove_others(folder: &Path, written: &[(&str, &[u8])]) -> io::Result<()> {
    let config = read(folder, CONFIG, CONFIG_BYTES_MAX);
    if !config.is_ok_and(|config| Format::of(&config).is_ok()) {
        return Ok(());
    }
    let is_written = |name: &&str| written.iter().any(|(written, _)| written == name);
    for name in OPTIONAL.into_iter().filter(|name| !is_written(name)) {
        match fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
