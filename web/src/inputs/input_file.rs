use web_sys::{File, FileList};

use crate::failure::Failure;

/// Their results need about 40 MB. A folder may contain a whole disk.
pub(super) const FILES_MAX: usize = 5_000;

/// A file, or why it cannot be read, and its path: relative to the picked or dropped folder, or else its name.
#[derive(Clone, Debug)]
pub(crate) struct InputFile {
    pub(crate) file: Result<File, Failure>,
    pub(crate) path: String,
}

impl From<File> for InputFile {
    fn from(file: File) -> Self {
        let path = relative_path(&file).unwrap_or_else(|| file.name());
        Self {
            file: Ok(file),
            path,
        }
    }
}

/// The files of a picker or of the clipboard.
pub(crate) fn listed(files: Option<FileList>) -> Vec<InputFile> {
    let files = files.into_iter().flat_map(|files| {
        let count = files.length();
        (0..count).filter_map(move |index| files.get(index))
    });
    files
        .take(FILES_MAX)
        .map(InputFile::from)
        .filter(|file| !is_bookkeeping(&file.path))
        .collect()
}

/// Set for files of a folder that was picked.
fn relative_path(file: &File) -> Option<String> {
    let path = js_sys::Reflect::get(file, &"webkitRelativePath".into()).ok()?;
    path.as_string().filter(|path| !path.is_empty())
}

/// Whether file managers create this file in folders.
pub(super) fn is_bookkeeping(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with('.') || matches!(name, "Thumbs.db" | "desktop.ini" | "__MACOSX")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_file_managers_are_left_out() {
        for (path, expected) in [
            ("holiday/.DS_Store", true),
            ("Thumbs.db", true),
            (".hidden/photo.jpg", false), // its folder is left out already
            ("holiday/photo.jpg", false),
            ("photo.jpg", false),
        ] {
            assert_eq!(is_bookkeeping(path), expected, "{path}");
        }
    }
}
