//! Files that came in, out of a list or out of whole folders.

use js_sys::{Array, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DataTransfer, DataTransferItem, File, FileList, FileSystemDirectoryEntry,
    FileSystemDirectoryReader, FileSystemEntry, FileSystemFileEntry,
};

use crate::failure::Failure;

/// More than anyone looks through, and some 40 MB of answers; a folder may hold a whole disk.
const FILES_MAX: usize = 5_000;

/// A file, or why it cannot be had; and its path from the folder that was given, or just its name where it came alone.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) file: Result<File, Failure>,
    pub(crate) path: String,
}

/// What was dropped, taken from the event before it is over. Folders are yet to be read.
pub(crate) struct Dropped(Vec<Item>);

enum Item {
    File(File),
    Folder(FileSystemDirectoryEntry),
}

impl From<File> for Found {
    fn from(file: File) -> Self {
        let path = relative_path(&file).unwrap_or_else(|| file.name());
        Self {
            file: Ok(file),
            path,
        }
    }
}

/// The files of a picker or of the clipboard.
pub(crate) fn listed(files: Option<FileList>) -> Vec<Found> {
    let files = files.into_iter().flat_map(|files| {
        let count = files.length();
        (0..count).filter_map(move |index| files.get(index))
    });
    files
        .take(FILES_MAX)
        .map(Found::from)
        .filter(|found| !is_bookkeeping(&found.path))
        .collect()
}

impl Dropped {
    /// None where it holds no file.
    pub(crate) fn of(transfer: &DataTransfer) -> Option<Self> {
        let items = transfer.items();
        let items: Vec<_> = (0..items.length())
            .filter_map(|index| Item::of(&items.get(index)?))
            .collect();
        (!items.is_empty()).then_some(Self(items))
    }

    /// All files, those of a folder in the order of their names. Folders that cannot be read are left out.
    pub(crate) async fn files(self) -> Vec<Found> {
        let mut found = Vec::new();
        for item in self.0 {
            match item {
                Item::File(file) => found.push(file.into()),
                Item::Folder(folder) => read_folder(folder, &mut found).await,
            }
        }
        found
    }
}

impl Item {
    fn of(item: &DataTransferItem) -> Option<Self> {
        if item.kind() != "file" {
            return None;
        }
        let entry = item.webkit_get_as_entry().ok().flatten();
        match entry.filter(FileSystemEntry::is_directory) {
            Some(folder) => Some(Self::Folder(folder.unchecked_into())),
            None => Some(Self::File(item.get_as_file().ok()??)),
        }
    }
}

async fn read_folder(folder: FileSystemDirectoryEntry, found: &mut Vec<Found>) {
    let mut ahead: Vec<FileSystemEntry> = vec![folder.unchecked_into()];
    while let Some(entry) = ahead.pop() {
        if found.len() >= FILES_MAX {
            return;
        }
        let path = entry.full_path().trim_start_matches('/').to_owned();
        if is_bookkeeping(&path) {
            continue;
        }
        if entry.is_directory() {
            let mut inside = entries(entry.unchecked_ref()).await.unwrap_or_default();
            inside.sort_by_key(FileSystemEntry::name);
            ahead.extend(inside.into_iter().rev());
        } else {
            let file = file(entry.unchecked_ref()).await;
            let name = entry.name();
            let file = file.map_err(|_| Failure::Unreadable { name });
            found.push(Found { file, path });
        }
    }
}

/// The reader gives a hundred at a time, and none when there are no more.
async fn entries(folder: &FileSystemDirectoryEntry) -> Result<Vec<FileSystemEntry>, JsValue> {
    let reader = folder.create_reader();
    let mut entries = Vec::new();
    loop {
        let some: Array = some_entries(&reader).await?.unchecked_into();
        if some.length() == 0 || entries.len() >= FILES_MAX {
            return Ok(entries);
        }
        entries.extend(some.iter().map(JsCast::unchecked_into));
    }
}

async fn some_entries(reader: &FileSystemDirectoryReader) -> Result<JsValue, JsValue> {
    let reading = Promise::new(&mut |resolve, reject| {
        if let Err(error) = reader.read_entries_with_callback_and_callback(&resolve, &reject) {
            let _ = reject.call1(&JsValue::NULL, &error);
        }
    });
    JsFuture::from(reading).await
}

async fn file(entry: &FileSystemFileEntry) -> Result<File, JsValue> {
    let opening = Promise::new(&mut |resolve, reject| {
        entry.file_with_callback_and_callback(&resolve, &reject);
    });
    Ok(JsFuture::from(opening).await?.unchecked_into())
}

/// Set where the file came with its folder out of a picker.
fn relative_path(file: &File) -> Option<String> {
    let path = js_sys::Reflect::get(file, &"webkitRelativePath".into()).ok()?;
    path.as_string().filter(|path| !path.is_empty())
}

/// What file managers leave in folders. Nobody means these.
fn is_bookkeeping(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with('.') || matches!(name, "Thumbs.db" | "desktop.ini" | "__MACOSX")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_file_managers_leave_in_folders_is_no_picture() {
        for (path, expected) in [
            ("holiday/.DS_Store", true),
            ("Thumbs.db", true),
            (".hidden/photo.jpg", false), // its folder was refused already
            ("holiday/photo.jpg", false),
            ("photo.jpg", false),
        ] {
            assert_eq!(is_bookkeeping(path), expected, "{path}");
        }
    }
}
