//! Which file of a folder has the network.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Ways in which programs name files of weights; those that come first are taken first.
const CHECKPOINTS: [&str; 6] = ["safetensors", "pth", "pt", "bin", "ckpt", "tar"];

/// Whether the file's name is that of weights alone.
pub(super) fn is_checkpoint(file: &Path) -> bool {
    rank(file).is_some()
}

fn rank(file: &Path) -> Option<usize> {
    let extension = file.extension()?.to_str()?;
    CHECKPOINTS.iter().position(|it| *it == extension)
}

/// The ONNX file in the folder or in its subfolder `onnx`; else the file of weights. With `weights_only`, the latter.
///
/// # Errors
/// If the folder has no such file, or several of which none is called `model`.
pub(super) fn network(folder: &Path, weights_only: bool) -> Result<PathBuf, String> {
    if !weights_only {
        for folder in [folder.to_owned(), folder.join("onnx")] {
            let found = files(&folder, |path| {
                path.extension().is_some_and(|it| it == "onnx")
            });
            if let Some(found) = only(found, &folder)? {
                return Ok(found);
            }
        }
    }
    for rank_wanted in 0..CHECKPOINTS.len() {
        let found = files(folder, |path| rank(path) == Some(rank_wanted));
        if let Some(found) = only(found, folder)? {
            return Ok(found);
        }
    }
    let onnx = if weights_only {
        ""
    } else {
        "ONNX file and no "
    };
    let extensions = CHECKPOINTS.map(|it| format!(".{it}")).join(", ");
    Err(format!(
        "{} has no {onnx}weights ({extensions})",
        folder.display()
    ))
}

fn files(folder: &Path, is_wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| is_wanted(path)).collect()
}

/// The only file, or the one called `model`.
fn only(found: Vec<PathBuf>, folder: &Path) -> Result<Option<PathBuf>, String> {
    let named = found
        .iter()
        .find(|path| path.file_stem().is_some_and(|it| it == "model"));
    match (named, found.as_slice()) {
        (Some(found), _) | (None, [found]) => Ok(Some(found.clone())),
        (None, []) => Ok(None),
        (None, [first, ..]) => Err(format!(
            "{} has several files like {}: name one of them",
            folder.display(),
            first.file_name().unwrap_or_default().display()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_which_files_are_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::write(path.join("weights.pkl"), "").unwrap();
        for (weights_only, expected) in [
            (
                false,
                "no ONNX file and no weights (.safetensors, .pth, .pt, .bin, .ckpt, .tar)",
            ),
            (
                true,
                "no weights (.safetensors, .pth, .pt, .bin, .ckpt, .tar)",
            ),
        ] {
            let error = network(path, weights_only).unwrap_err();
            assert_eq!(error, format!("{} has {expected}", path.display()));
        }
    }
}
