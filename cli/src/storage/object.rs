use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, path::Path};

use crate::file_error::FileError;

/// Attempts to write an object. A lost response is not tried again by `object_store`, because writing is not idempotent.
const WRITES_MAX: u32 = 3;

/// An object: its URL, and how it is reached.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    name: String,
    store: Arc<dyn ObjectStore>,
    key: Path,
}

/// Objects whose keys begin alike. The name of a folder ends with `/`.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    name: String,
    store: Arc<dyn ObjectStore>,
    key: Path,
}

impl Object {
    pub(super) fn new(name: String, store: Arc<dyn ObjectStore>, key: Path) -> Self {
        Self { name, store, key }
    }

    /// The URL.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The URL without the bucket.
    pub(crate) fn key(&self) -> &str {
        self.key.as_ref()
    }

    /// Reads the object, at most `bytes_max` bytes.
    pub(crate) async fn read(&self, bytes_max: u64) -> Result<Bytes, FileError> {
        let unreadable = |error| self.unreadable(error);
        let found = self.store.get(&self.key).await.map_err(unreadable)?;
        if found.meta.size > bytes_max {
            return Err(FileError::too_large(bytes_max));
        }
        found.bytes().await.map_err(unreadable)
    }

    fn unreadable(&self, error: Error) -> FileError {
        match error {
            Error::NotFound { .. } if self.name.starts_with("http") => {
                FileError::Unreadable("there is no file at this URL".to_owned())
            }
            Error::NotFound { .. } => FileError::Unreadable(
                "the object does not exist. The URL of a folder ends with /".to_owned(),
            ),
            Error::InvalidPath { .. }
            | Error::NotSupported { .. }
            | Error::NotImplemented { .. } => {
                FileError::Unreadable(format!("cannot read the object: {error}"))
            }
            error => FileError::Unavailable(failed("read the object", &error)),
        }
    }
}

/// What was attempted, what went wrong, and what to do about it.
fn failed(attempted: &str, error: &Error) -> String {
    let hint = match error {
        // The error has the key.
        Error::InvalidPath { .. } => {
            ". Keys with an empty part, `.` or `..` between slashes are not supported: rename this object, or name the folders beside it"
        }
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            ". Check the credentials in the environment, and what they permit"
        }
        _ => "",
    };
    format!("cannot {attempted}: {error}{hint}")
}

impl Folder {
    pub(super) fn new(name: String, store: Arc<dyn ObjectStore>, key: Path) -> Self {
        Self { name, store, key }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// All objects in and below the folder, in the order of the storage, which is the order of the keys' bytes for most. They are
    /// listed while they are taken.
    pub(crate) fn objects(&self) -> impl Stream<Item = Result<Object, String>> + use<> {
        let Self { name, store, key } = self.clone();
        let root = name.strip_suffix('/').unwrap_or(&name);
        let root = root.strip_suffix(key.as_ref()).unwrap_or(root);
        let root = root.trim_end_matches('/').to_owned();
        let listed = store.list(Some(&key));
        listed.map(move |listed| match listed {
            Ok(found) => {
                let name = format!("{root}/{}", found.location);
                Ok(Object::new(name, Arc::clone(&store), found.location))
            }
            Err(error) => Err(failed(&format!("list {name}"), &error)),
        })
    }

    /// The names of the objects in the folder, not below it, without the folder's name.
    pub(crate) async fn names(&self) -> Result<Vec<String>, String> {
        let listed = self.store.list_with_delimiter(Some(&self.key)).await;
        let listed = listed.map_err(|error| failed(&format!("list {}", self.name), &error))?;
        let names = listed.objects.iter().filter_map(|object| {
            let name = object.location.filename()?;
            Some(name.to_owned())
        });
        Ok(names.collect())
    }

    pub(crate) async fn read(&self, name: &str) -> Result<Bytes, String> {
        let read = async { self.store.get(&self.path(name)).await?.bytes().await };
        read.await
            .map_err(|error| failed(&format!("read {}{name}", self.name), &error))
    }

    /// Writes an object atomically. An existing object with the same bytes counts as success.
    ///
    /// # Errors
    /// If it cannot be written, or there is another one of this name with other bytes.
    pub(crate) async fn create(&self, name: &str, bytes: Bytes) -> Result<(), String> {
        let path = self.path(name);
        let mut attempts = 0;
        loop {
            attempts += 1;
            let payload = bytes.clone().into();
            let put = self
                .store
                .put_opts(&path, payload, PutMode::Create.into())
                .await;
            match put {
                Ok(_) => return Ok(()),
                // The response to an attempt may have been lost.
                Err(Error::AlreadyExists { .. }) if self.read(name).await? == bytes => {
                    return Ok(());
                }
                Err(Error::AlreadyExists { .. }) => {
                    return Err(format!(
                        "{}{name} exists already: another process is working on this shard. Run one at a time",
                        self.name
                    ));
                }
                Err(error) if attempts < WRITES_MAX && is_temporary(&error) => {}
                Err(error) => return Err(failed(&format!("write {}{name}", self.name), &error)),
            }
        }
    }

    fn path(&self, name: &str) -> Path {
        self.key.clone().join(name)
    }
}

fn is_temporary(error: &Error) -> bool {
    matches!(error, Error::Generic { .. })
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    fn folder(key: &str) -> Folder {
        let name = format!("s3://album/{key}/");
        Folder::new(name, Arc::new(InMemory::new()), Path::from(key))
    }

    #[tokio::test]
    async fn objects_have_urls_and_bytes() {
        let folder = folder("2024");
        folder.create("b.jpg", "photo".into()).await.unwrap();
        folder.create("a.jpg", "other".into()).await.unwrap();
        let objects: Vec<_> = folder.objects().map(Result::unwrap).collect().await;
        let names: Vec<_> = objects.iter().map(Object::name).collect();
        assert_eq!(names, ["s3://album/2024/a.jpg", "s3://album/2024/b.jpg"]);
        assert_eq!(objects[1].key(), "2024/b.jpg");
        assert_eq!(objects[1].read(5).await.unwrap(), "photo");
        assert_eq!(folder.names().await.unwrap(), ["a.jpg", "b.jpg"]);

        let error = objects[1].read(4).await.unwrap_err();
        assert_eq!(error.reason(), Some("IMAGE_TOO_LARGE"));
        let missing = Object::new(String::new(), Arc::clone(&folder.store), Path::from("2024"));
        let error = missing.read(4).await.unwrap_err();
        assert!(error.is_permanent());
        assert!(error.to_string().contains("ends with /"), "{error}");
    }

    #[tokio::test]
    async fn a_bucket_is_a_folder() {
        let store = Arc::new(InMemory::new());
        let folder = Folder::new("s3://album/".to_owned(), store, Path::ROOT);
        folder.create("a.jpg", "photo".into()).await.unwrap();
        let objects: Vec<_> = folder.objects().map(Result::unwrap).collect().await;
        assert_eq!(objects[0].name(), "s3://album/a.jpg");
        assert_eq!(folder.names().await.unwrap(), ["a.jpg"]);
    }

    #[tokio::test]
    async fn never_overwrites_an_object() {
        let folder = folder("results");
        folder.create("part", "rows".into()).await.unwrap();
        folder.create("part", "rows".into()).await.unwrap();
        let error = folder.create("part", "others".into()).await.unwrap_err();
        assert!(error.contains("another process"), "{error}");
        assert_eq!(folder.read("part").await.unwrap(), "rows");
    }
}
