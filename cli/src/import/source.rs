//! The files of a classifier.

mod find;

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Component, Path, PathBuf},
};

use bytes::Bytes;
use imageclassifier_model::NetworkFile;
use imageclassifier_onnx::{Model, inline_external_data};
use serde_json::Value;

use crate::args;

/// What an import reads beside the network.
pub(super) struct Source {
    /// The file with the network.
    pub(super) file: PathBuf,
    /// `config.json` of Hugging Face or timm.
    pub(super) config: Option<Value>,
    /// `preprocessor_config.json` of Hugging Face.
    pub(super) preprocessor: Option<Value>,
    /// `labels.txt`.
    pub(super) labels: Option<String>,
}

/// What is in the file with the network.
pub(super) enum Contents {
    /// With all weights inside.
    Onnx(Bytes),
    /// Weights alone.
    Checkpoint(Bytes),
}

const NETWORK_BYTES_MAX: u64 = NetworkFile::BYTES_MAX;
const TEXT_BYTES_MAX: u64 = 16 << 20;

impl Source {
    /// Reads the file or folder that was named.
    ///
    /// # Errors
    /// If there is no network, several, or a file cannot be read.
    pub(super) fn read(args: &args::Import) -> Result<(Self, Contents), String> {
        let path = args.source.as_path();
        let file = if path.is_dir() {
            find::network(path, args.architecture.is_some())?
        } else {
            path.to_owned()
        };
        let folder = if path.is_dir() {
            path
        } else {
            path.parent().unwrap_or(Path::new(""))
        };
        let bytes = read_bounded(&file, NETWORK_BYTES_MAX)?;
        let contents = if find::is_checkpoint(&file) {
            Contents::Checkpoint(bytes.into())
        } else {
            Contents::Onnx(with_external_data(&file, bytes)?.into())
        };
        let text = |name: &str| -> Result<Option<String>, String> {
            let path = folder.join(name);
            // Beside a single file may lie anything.
            if !path.is_file() {
                return Ok(None);
            }
            let bytes = read_bounded(&path, TEXT_BYTES_MAX)?;
            String::from_utf8(bytes)
                .map(Some)
                .map_err(|_| format!("{} is not UTF-8", path.display()))
        };
        let json = |name: &str| -> Result<Option<Value>, String> {
            text(name)?
                .map(|text| {
                    serde_json::from_str(&text)
                        .map_err(|error| format!("{name} is malformed: {error}"))
                })
                .transpose()
        };
        let source = Self {
            config: json("config.json")?,
            preprocessor: json("preprocessor_config.json")?,
            labels: text("labels.txt")?,
            file,
        };
        Ok((source, contents))
    }

    /// What the files say about the side of the input.
    pub(super) fn input_size(&self) -> Option<u32> {
        let of = |value: &Value| u32::try_from(value.as_u64()?).ok();
        let timm = || {
            of(self
                .config
                .as_ref()?
                .get("pretrained_cfg")?
                .get("input_size")?
                .get(1)?)
        };
        let sizes = || {
            let preprocessor = self.preprocessor.as_ref()?;
            let size = preprocessor
                .get("crop_size")
                .or_else(|| preprocessor.get("size"))?;
            of(size).or_else(|| of(size.get("height").or_else(|| size.get("shortest_edge"))?))
        };
        timm().or_else(sizes)
    }
}

/// The ONNX file with what lies in others.
fn with_external_data(file: &Path, onnx: Vec<u8>) -> Result<Vec<u8>, String> {
    let has_external = Model::parse(&onnx).is_ok_and(|model| model.has_external_data());
    if !has_external {
        return Ok(onnx);
    }
    let beside = file.parent().unwrap_or(Path::new(""));
    let whole = inline_external_data(&onnx, |name, offset, length| {
        read_part(beside, name, offset, length)
    });
    whole.map_err(|error| format!("{}: {error}", file.display()))
}

fn read_bounded(path: &Path, bytes_max: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes));
    read.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    if bytes.len() as u64 > bytes_max {
        return Err(format!(
            "{} is larger than {bytes_max} bytes",
            path.display()
        ));
    }
    Ok(bytes)
}

/// A part of a file that a model names. Only files in the model's folder are read.
fn read_part(
    folder: &Path,
    name: &str,
    offset: u64,
    length: Option<u64>,
) -> Result<Vec<u8>, String> {
    let path = Path::new(name);
    let inside = path
        .components()
        .all(|it| matches!(it, Component::Normal(_) | Component::CurDir));
    if !inside {
        return Err(format!(
            "its data is in {name:?}, outside the model's folder"
        ));
    }
    let path = folder.join(path);
    let error = |error| format!("cannot read {}: {error}", path.display());
    let inside = path
        .canonicalize()
        .and_then(|path| Ok(path.starts_with(folder_of(folder).canonicalize()?)));
    if !inside.map_err(error)? {
        return Err(format!(
            "its data is in {name:?}, outside the model's folder"
        ));
    }
    let mut file = File::open(&path).map_err(error)?;
    file.seek(SeekFrom::Start(offset)).map_err(error)?;
    let mut bytes = Vec::new();
    let wanted = length.unwrap_or(NETWORK_BYTES_MAX).min(NETWORK_BYTES_MAX);
    file.take(wanted).read_to_end(&mut bytes).map_err(error)?;
    if length.is_some_and(|length| length != bytes.len() as u64) {
        return Err(format!("{} is shorter than the model says", path.display()));
    }
    Ok(bytes)
}

fn folder_of(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    }
}
