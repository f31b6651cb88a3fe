use std::{cmp::Ordering, path::PathBuf};

use futures_util::{StreamExt, future, stream, stream::LocalBoxStream};
use walkdir::{DirEntry, WalkDir};

use super::sources::{Source, Sources};
use crate::{
    inputs::{Input, is_image},
    remote,
};

/// All images of the sources, listed while they are taken.
pub(super) fn listing(sources: Sources) -> LocalBoxStream<'static, Result<Input, String>> {
    let images = stream::iter(sources.into_iter()).flat_map(|source| match source {
        Source::Image(image) => stream::once(future::ready(Ok(image))).boxed_local(),
        Source::LocalFolder(folder) => stream::iter(images_below(folder)).boxed_local(),
        Source::Folder(folder) => remote::images_below(&folder).boxed_local(),
    });
    images.boxed_local()
}

/// As object storage lists them: in the order of the bytes of their paths.
fn images_below(folder: PathBuf) -> impl Iterator<Item = Result<Input, String>> {
    let is_hidden =
        |entry: &DirEntry| entry.depth() > 0 && entry.file_name().as_encoded_bytes()[0] == b'.';
    let entries = WalkDir::new(folder)
        .sort_by(order_of_paths)
        .into_iter()
        .filter_entry(move |entry| !is_hidden(entry));
    entries.filter_map(|entry| match entry {
        Ok(entry) if is_image(entry.path()) && !entry.file_type().is_dir() => {
            Some(Input::named_file(entry.into_path()))
        }
        Ok(_) => None,
        Err(error) => Some(Err(format!("cannot read the folder: {error}"))),
    })
}

/// A folder sorts by the paths in it: `a-b.jpg` comes before `a/b.jpg`, although `a` comes before `a-b.jpg`.
fn order_of_paths(one: &DirEntry, other: &DirEntry) -> Ordering {
    fn bytes(entry: &DirEntry) -> impl Iterator<Item = &u8> {
        let end: &[u8] = if entry.file_type().is_dir() {
            b"/"
        } else {
            b""
        };
        entry.file_name().as_encoded_bytes().iter().chain(end)
    }
    bytes(one).cmp(bytes(other))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_are_in_the_order_of_their_paths_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let expected = [
            "B.png",
            "a-b.jpg",
            "a/b.jpg",
            "a/c/d.png",
            "a0.gif",
            "b.jpg",
        ];
        for name in expected
            .iter()
            .rev()
            .chain(&["a/.x/y.jpg", ".z.jpg", "a/notes.txt"])
        {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let names = images_below(folder.path().to_owned()).map(|image| {
            let name = image.unwrap().name().to_owned();
            let root = format!("{}/", folder.path().display());
            name.strip_prefix(&root).unwrap().to_owned()
        });
        assert_eq!(names.collect::<Vec<_>>(), expected);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_that_is_no_text_is_an_error() {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

        let folder = tempfile::tempdir().unwrap();
        // In Latin-1, "ä.jpg" and "ö.jpg".
        for name in [b"\xe4.jpg", b"\xf6.jpg"] {
            fs::write(folder.path().join(OsStr::from_bytes(name)), "").unwrap();
        }
        for image in images_below(folder.path().to_owned()) {
            let error = image.unwrap_err();
            assert!(error.contains("is not UTF-8: rename it"), "{error}");
        }
    }

    #[test]
    fn an_unreadable_folder_is_an_error() {
        let mut images = images_below("no such folder".into());
        assert!(
            images
                .next()
                .unwrap()
                .unwrap_err()
                .contains("no such folder")
        );
    }
}
