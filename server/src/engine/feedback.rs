//! Images that users say were misclassified, in one folder per class, as `imageclassifier train` reads them.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use imageclassifier_model::EncodedImage;
use sha2::{Digest, Sha256};

use crate::request::error::{InternalError, RequestError};

/// A folder with a bounded number of images.
pub(crate) struct Feedback {
    dir: PathBuf,
    kept: Mutex<Kept>,
}

/// What the folder holds.
#[derive(Clone, Copy, Default)]
struct Kept {
    images: u64,
    bytes: u64,
}

/// Far more than a model of one's own needs; anybody who may classify can add them.
const IMAGES_MAX: u64 = 10_000;
const BYTES_MAX: u64 = 1 << 30;
/// With the longest file name, still a path that every file system accepts.
const LABEL_BYTES_MAX: usize = 200;

/// A class's name that is also a safe name of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Label(String);

impl Label {
    /// Replaces what would lead to another folder, or hide it, by underscores.
    ///
    /// # Errors
    /// [`RequestError::LabelMalformed`].
    pub(crate) fn new(text: &str) -> Result<Self, RequestError> {
        let text = text.trim();
        if !(1..=LABEL_BYTES_MAX).contains(&text.len()) {
            return Err(RequestError::LabelMalformed {
                bytes: text.len(),
                bytes_max: LABEL_BYTES_MAX,
            });
        }
        let harmless = |symbol: char| {
            let harmful = symbol.is_control() || "/\\:*?\"<>|".contains(symbol);
            if harmful { '_' } else { symbol }
        };
        let name: String = text.chars().map(harmless).collect();
        let visible = match name.strip_prefix('.') {
            Some(rest) => format!("_{rest}"),
            None => name,
        };
        Ok(Self(visible))
    }
}

impl Feedback {
    /// Keeps images in `dir`, which is created if it does not exist. Images that it holds already count.
    ///
    /// # Errors
    /// If the folder cannot be created or read.
    pub(super) fn open(dir: &Path) -> io::Result<Self> {
        let kept = fs::create_dir_all(dir).and_then(|()| count(dir));
        let kept = kept.map_err(|error| {
            let dir = dir.display();
            io::Error::new(
                error.kind(),
                format!("cannot use --feedback-dir {dir}: {error}"),
            )
        })?;
        Ok(Self {
            dir: dir.to_owned(),
            kept: Mutex::new(kept),
        })
    }

    /// Writes an image whose `label` is known. The same image twice is kept once per label.
    ///
    /// # Errors
    /// [`RequestError::FeedbackFull`], [`RequestError::Internal`].
    pub(crate) fn keep(
        &self,
        image: &EncodedImage<Bytes>,
        label: &Label,
    ) -> Result<(), RequestError> {
        let bytes = image.bytes();
        let digest = hex::encode(Sha256::digest(bytes));
        let folder = self.dir.join(&label.0);
        let path = folder.join(format!("{digest}.{}", image.extension()));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if path.exists() {
            return Ok(());
        }
        let with_it = Kept {
            images: kept.images + 1,
            bytes: kept.bytes + bytes.len() as u64,
        };
        if with_it.images > IMAGES_MAX || with_it.bytes > BYTES_MAX {
            return Err(RequestError::FeedbackFull);
        }
        // Never half an image under its name.
        let temporary = folder.join(format!(".{digest}"));
        let written = fs::create_dir_all(&folder)
            .and_then(|()| fs::write(&temporary, bytes))
            .and_then(|()| fs::rename(&temporary, &path));
        written.map_err(|error| RequestError::Internal(InternalError::Storage(Arc::new(error))))?;
        *kept = with_it;
        Ok(())
    }
}

/// Number and bytes of the files in the folders of `dir`.
fn count(dir: &Path) -> io::Result<Kept> {
    let mut kept = Kept::default();
    for class in fs::read_dir(dir)? {
        let class = class?.path();
        if !class.is_dir() {
            continue;
        }
        for image in fs::read_dir(class)? {
            kept.images += 1;
            kept.bytes += image?.metadata()?.len();
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> EncodedImage<Bytes> {
        EncodedImage::new(Bytes::from_static(b"\xFF\xD8\xFFx"), 100).unwrap()
    }

    #[test]
    fn labels_never_leave_the_folder() {
        let name = |text: &str| Label::new(text).map(|label| label.0).ok();
        for (text, expected) in [
            (" Granny Smith ", Some("Granny Smith")),
            ("Süßkartoffel", Some("Süßkartoffel")),
            ("../../etc", Some("_._.._etc")),
            ("..", Some("_.")),
            (".hidden", Some("_hidden")),
            ("a/b\\c\0d\n", Some("a_b_c_d")),
            ("", None),
            (" \n", None),
            (&"x".repeat(201), None),
        ] {
            assert_eq!(name(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn the_folder_is_bounded_also_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let label = Label::new("cat").unwrap();
        let feedback = Feedback::open(dir.path()).unwrap();
        feedback.keep(&image(), &label).unwrap();
        feedback.keep(&image(), &label).unwrap();
        assert_eq!(feedback.kept.lock().unwrap().images, 1);
        let again = Feedback::open(dir.path()).unwrap();
        assert_eq!(again.kept.lock().unwrap().bytes, 4);
        *again.kept.lock().unwrap() = Kept {
            images: IMAGES_MAX,
            bytes: 0,
        };
        let other = Label::new("dog").unwrap();
        let full = again.keep(&image(), &other);
        assert!(matches!(full, Err(RequestError::FeedbackFull)));
        *again.kept.lock().unwrap() = Kept {
            images: 0,
            bytes: BYTES_MAX - 3,
        };
        assert!(again.keep(&image(), &other).is_err());
        assert!(!dir.path().join("dog").exists());
    }
}
