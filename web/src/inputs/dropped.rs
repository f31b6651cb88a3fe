//! Files and folders that were dropped.

use js_sys::{Array, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DataTransfer, DataTransferItem, File, FileSystemDirectoryEntry, FileSystemDirectoryReader,
    FileSystemEntry, FileSystemFileEntry,
};

use crate::{
    failure::Failure,
    inputs::input_file::{FILES_MAX, InputFile, is_bookkeeping},
};

/// Dropped files and folders, taken from the event while it lasts. Folders are not read yet.
pub(crate) struct Dropped(Vec<Item>);

enum Item {
    File(File),
    Folder(FileSystemDirectoryEntry),
}

impl Dropped {
    /// `None` if nothing of it is a file or folder.
    pub(crate) fn of(transfer: &DataTransfer) -> Option<Self> {
        let items = transfer.items();
        let items: Vec<_> = (0..items.length())
            .filter_map(|index| Item::of(&items.get(index)?))
            .collect();
        (!items.is_empty()).then_some(Self(items))
    }

    /// All files, those of a folder in the order of their names. Folders that cannot be read are left out.
    pub(crate) async fn files(self) -> Vec<InputFile> {
        let mut files = Vec::new();
        for item in self.0 {
            match item {
                Item::File(file) => files.push(file.into()),
                Item::Folder(folder) => read_folder(folder, &mut files).await,
            }
        }
        files
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

async fn read_folder(folder: FileSystemDirectoryEntry, files: &mut Vec<InputFile>) {
    let mut unread: Vec<FileSystemEntry> = vec![folder.unchecked_into()];
    while let Some(entry) = unread.pop() {
        if files.len() >= FILES_MAX {
            return;
        }
        let path = entry.full_path().trim_start_matches('/').to_owned();
        if is_bookkeeping(&path) {
            continue;
        }
        if entry.is_directory() {
            let mut inside = entries(entry.unchecked_ref()).await.unwrap_or_default();
            inside.sort_by_key(FileSystemEntry::name);
            unread.extend(inside.into_iter().rev());
        } else {
            let file = file(entry.unchecked_ref()).await;
            let name = entry.name();
            let file = file.map_err(|_| Failure::Unreadable { name });
            files.push(InputFile { file, path });
        }
    }
}

/// The reader returns at most a hundred entries at a time, and none at the end.
async fn entries(folder: &FileSystemDirectoryEntry) -> Result<Vec<FileSystemEntry>, JsValue> {
    let reader = folder.create_reader();
    let mut entries = Vec::new();
    loop {
        let next: Array = next_entries(&reader).await?.unchecked_into();
        if next.length() == 0 || entries.len() >= FILES_MAX {
            return Ok(entries);
        }
        entries.extend(next.iter().map(JsCast::unchecked_into));
    }
}

async fn next_entries(reader: &FileSystemDirectoryReader) -> Result<JsValue, JsValue> {
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
