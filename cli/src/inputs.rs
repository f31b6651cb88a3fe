use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt};
use walkdir::{DirEntry, WalkDir};

use crate::{file_error::FileError, storage::Object};

/// The argument that names standard input.
const STDIN: &str = "-";
/// File extensions of images in folders, in either case.
const IMAGE_EXTENSIONS: [&str; 18] = [
    "jpg", "jpeg", "png", "webp", "gif", "bmp", "dib", "tif", "tiff", "ico", "cur", "qoi", "pnm",
    "pbm", "pgm", "ppm", "pam", "tga",
];

/// An image to classify: its name, and where its bytes are.
#[derive(Debug)]
pub(crate) struct Input {
    name: String,
    source: Source,
}

#[derive(Debug)]
enum Source {
    File(PathBuf),
    /// In object storage, or on a web server.
    Object(Object),
    Stdin,
    /// An argument without images, and why.
    Missing(String),
}

impl Input {
    /// The images that the arguments name, in their order; those of a folder in the order of names. Reads folders, but no
    /// files.
    pub(crate) fn from_arguments(arguments: &[PathBuf]) -> Vec<Self> {
        arguments.iter().flat_map(|path| expand(path)).collect()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The file.
    ///
    /// # Errors
    /// If the input is standard input, or an argument without images.
    pub(crate) fn path(&self) -> Result<&Path, String> {
        match &self.source {
            Source::File(path) => Ok(path),
            Source::Object(_) => Err("URLs are not supported here: give a file".to_owned()),
            Source::Stdin => Err("standard input is not supported here: give a file".to_owned()),
            Source::Missing(why) => Err(why.clone()),
        }
    }

    /// The name without its folder and its extension.
    pub(crate) fn stem(&self) -> String {
        let path = match &self.source {
            Source::File(path) => path.as_path(),
            Source::Object(object) => Path::new(object.key()),
            Source::Stdin | Source::Missing(_) => return "stdin".to_owned(),
        };
        path.file_stem()
            .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
    }

    /// Reads the image, at most `bytes_max` bytes.
    pub(crate) async fn read(&self, bytes_max: u64) -> Result<Bytes, FileError> {
        let unreadable =
            |error: io::Error| FileError::Unreadable(format!("cannot read the file: {error}"));
        match &self.source {
            Source::File(path) => {
                let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
                let length = file.metadata().await.map_err(unreadable)?.len();
                if length > bytes_max {
                    return Err(FileError::too_large(bytes_max));
                }
                read(file, bytes_max, length).await
            }
            Source::Object(object) => object.read(bytes_max).await,
            Source::Stdin => read(tokio::io::stdin(), bytes_max, 0).await,
            Source::Missing(why) => Err(FileError::Unreadable(why.clone())),
        }
    }

    pub(crate) fn object(object: Object) -> Self {
        Self {
            name: object.name().to_owned(),
            source: Source::Object(object),
        }
    }

    pub(crate) fn file(path: PathBuf) -> Self {
        Self {
            name: path.display().to_string(),
            source: Source::File(path),
        }
    }

    /// A file whose path is text, so that no two have the same name.
    ///
    /// # Errors
    /// If the path is not UTF-8.
    pub(crate) fn named_file(path: PathBuf) -> Result<Self, String> {
        if path.to_str().is_none() {
            return Err(format!(
                "the name of {} is not UTF-8: rename it",
                path.display()
            ));
        }
        Ok(Self::file(path))
    }

    pub(crate) fn missing(path: &Path, why: impl fmt::Display) -> Self {
        Self {
            name: path.display().to_string(),
            source: Source::Missing(why.to_string()),
        }
    }
}

async fn read(
    source: impl AsyncRead + Unpin,
    bytes_max: u64,
    length: u64,
) -> Result<Bytes, FileError> {
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    // One byte more shows that the file is too long, whatever its metadata says.
    let mut source = source.take(bytes_max.saturating_add(1));
    source
        .read_to_end(&mut bytes)
        .await
        .map_err(|error| FileError::Unreadable(format!("cannot read the file: {error}")))?;
    if bytes.len() as u64 > bytes_max {
        return Err(FileError::too_large(bytes_max));
    }
    Ok(bytes.into())
}

fn expand(path: &Path) -> Vec<Input> {
    if path.as_os_str() == STDIN {
        return vec![Input {
            name: STDIN.to_owned(),
            source: Source::Stdin,
        }];
    }
    if path.is_dir() {
        return inputs_below(path);
    }
    // A file may be called "photo[1].jpg".
    match path.to_str() {
        Some(pattern) if pattern.contains(['*', '?', '[']) && !path.exists() => matches(pattern),
        _ => vec![Input::file(path.to_owned())],
    }
}

/// Reads the file at `path`, at most `bytes_max` bytes.
///
/// # Errors
/// If it cannot be read, or is longer.
pub(crate) fn read_file(path: &Path, bytes_max: u64) -> Result<Bytes, String> {
    let cannot = |error: io::Error| format!("cannot read the file: {error}");
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(cannot)?;
    // One byte more shows that the file is too long, whatever its metadata says.
    let mut file = file.take(bytes_max.saturating_add(1));
    file.read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > bytes_max {
        return Err(FileError::too_large(bytes_max).to_string());
    }
    Ok(bytes.into())
}

/// The images in and below `folder`, in the order of their names.
///
/// # Errors
/// If it or a folder below it cannot be read.
pub(crate) fn images_below(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let path = |input: Input| match input.path() {
        Ok(path) => Ok(path.to_owned()),
        Err(why) => Err(format!("{}: {why}", input.name())),
    };
    inputs_below(folder).into_iter().map(path).collect()
}

/// Hidden files and folders are left out, and links to folders not followed.
fn inputs_below(folder: &Path) -> Vec<Input> {
    let is_hidden =
        |entry: &DirEntry| entry.depth() > 0 && entry.file_name().as_encoded_bytes()[0] == b'.';
    let entries = WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| !is_hidden(entry));
    let mut inputs = Vec::new();
    for entry in entries {
        match entry {
            Ok(entry) if is_image(entry.path()) && !entry.file_type().is_dir() => {
                inputs.push(Input::file(entry.into_path()));
            }
            Ok(_) => {}
            Err(error) => {
                let path = error.path().unwrap_or(folder).to_owned();
                inputs.push(Input::missing(
                    &path,
                    format!("cannot read the folder: {error}"),
                ));
            }
        }
    }
    if inputs.is_empty() {
        inputs.push(Input::missing(folder, "this folder contains no images"));
    }
    inputs
}

pub(crate) fn is_image(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| {
        let is = |known: &&str| known.eq_ignore_ascii_case(extension);
        IMAGE_EXTENSIONS.iter().any(is)
    })
}

/// The files that match a pattern which no shell has expanded. Folders that match are left out.
fn matches(pattern: &str) -> Vec<Input> {
    let path = Path::new(pattern);
    let found = match glob::glob(pattern) {
        Ok(found) => found,
        Err(error) => return vec![Input::missing(path, format!("invalid pattern: {error}"))],
    };
    let mut inputs: Vec<_> = found
        .filter_map(|entry| match entry {
            Ok(path) if path.is_dir() => None,
            Ok(path) => Some(Input::file(path)),
            Err(error) => Some(Input::missing(
                error.path(),
                format!("cannot read the folder: {}", error.error()),
            )),
        })
        .collect();
    if inputs.is_empty() {
        inputs.push(Input::missing(path, "no file matches this pattern"));
    }
    inputs
}
