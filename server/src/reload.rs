//! Files that are read again whenever they change: certificates and access tokens.

use std::{
    fmt::Display,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sha2::{Digest, Sha256};
use tokio::{sync::watch, task::spawn_blocking, time::sleep};

/// How often the files are read.
const INTERVAL: Duration = Duration::from_secs(2);

/// What the watched files contain at one moment.
pub(crate) struct Contents(Vec<(PathBuf, io::Result<Vec<u8>>)>);

/// Digests to compare contents by, so that a private key is not in memory a second time.
type Digests = Vec<Result<[u8; 32], io::ErrorKind>>;

/// Parses `files` now, and again whenever their contents change. `what` names them in the log.
///
/// Contents are compared instead of modification times, starting with the first read, so that no change is missed. Files
/// are read and parsed outside the runtime's own threads. If new contents cannot be parsed, the old value stays in use.
///
/// # Errors
/// Those of `parse`, for the current contents.
pub(crate) fn watch<T, E, P>(
    what: &'static str,
    files: Vec<PathBuf>,
    parse: P,
) -> Result<watch::Receiver<T>, E>
where
    T: Send + Sync + 'static,
    E: Display + Send + 'static,
    P: Fn(&Contents) -> Result<T, E> + Send + Sync + 'static,
{
    let contents = Contents::read(&files);
    let mut seen = contents.digests();
    let (current, receiver) = watch::channel(parse(&contents)?);
    let source = Arc::new((files, parse));
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = current.closed() => return,
                () = sleep(INTERVAL) => {}
            }
            let (source, before) = (Arc::clone(&source), seen.clone());
            let changed = spawn_blocking(move || {
                let (files, parse) = &*source;
                let contents = Contents::read(files);
                let found = contents.digests();
                (found != before).then(|| (found, parse(&contents)))
            });
            match changed.await {
                Ok(None) => {}
                Ok(Some((found, parsed))) => {
                    seen = found;
                    match parsed {
                        Ok(value) => {
                            tracing::info!("{what} reloaded");
                            current.send_replace(value);
                        }
                        Err(error) => tracing::warn!("the old {what} stay in use: {error}"),
                    }
                }
                Err(error) if error.is_panic() => tracing::error!("reloading {what}: {error}"),
                // The runtime is going away.
                Err(_) => return,
            }
        }
    });
    Ok(receiver)
}

impl Contents {
    fn read(files: &[PathBuf]) -> Self {
        let read = |file: &PathBuf| (file.clone(), fs::read(file));
        Self(files.iter().map(read).collect())
    }

    /// The contents of `file`, which must be one of the watched files.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn of(&self, file: &Path) -> Result<&[u8], &io::Error> {
        let mut all = self.0.iter();
        let found = all.find_map(|(path, content)| (path == file).then_some(content));
        found.expect("a watched file").as_deref()
    }

    fn digests(&self) -> Digests {
        let digest = |content: &io::Result<Vec<u8>>| match content {
            Ok(bytes) => Ok(Sha256::digest(bytes).into()),
            Err(error) => Err(error.kind()),
        };
        self.0.iter().map(|(_, content)| digest(content)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use tokio::time::timeout;

    use super::*;

    /// Watches `file` as text. An empty file is an error.
    fn texts(file: &Path) -> Result<watch::Receiver<String>, String> {
        let path = file.to_owned();
        watch("texts", vec![file.to_owned()], move |contents| {
            let bytes = contents.of(&path).map_err(ToString::to_string)?;
            let text = str::from_utf8(bytes).map_err(|error| error.to_string())?;
            match text {
                "" => Err("it is empty".to_owned()),
                _ => Ok(text.to_owned()),
            }
        })
    }

    fn write(file: &Path, text: &str) {
        fs::write(file, text).unwrap();
    }

    async fn next(watched: &mut watch::Receiver<String>) -> String {
        let changed = timeout(INTERVAL * 5, watched.changed()).await;
        changed.expect("no change was noticed").unwrap();
        watched.borrow_and_update().clone()
    }

    #[tokio::test]
    async fn a_change_right_after_the_first_load_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        write(&file, "first");
        let mut watched = texts(&file).unwrap();
        write(&file, "second");
        assert_eq!(next(&mut watched).await, "second");
    }

    #[tokio::test]
    async fn a_change_that_keeps_length_and_time_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        write(&file, "one");
        let modified = fs::metadata(&file).unwrap().modified().unwrap();
        let mut watched = texts(&file).unwrap();
        write(&file, "two");
        let opened = File::options().write(true).open(&file).unwrap();
        opened.set_modified(modified).unwrap();
        assert_eq!(next(&mut watched).await, "two");
    }

    #[tokio::test]
    async fn the_value_in_use_stays_until_there_is_a_usable_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        assert!(texts(&file).is_err());
        write(&file, "first");
        let mut watched = texts(&file).unwrap();
        for unusable in [Some(""), None] {
            match unusable {
                Some(content) => write(&file, content),
                None => fs::remove_file(&file).unwrap(),
            }
            assert!(timeout(INTERVAL * 2, watched.changed()).await.is_err());
            assert_eq!(*watched.borrow(), "first");
        }
        write(&file, "second");
        assert_eq!(next(&mut watched).await, "second");
    }
}
