use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use bytes::Bytes;
use imageclassifier_model::Embedding;
use imageclassifier_train::{Examples, ExamplesError, Task};
use sha2::{Digest, Sha256};

use crate::{
    inputs::read_file,
    local::network::IMAGE_BYTES_MAX,
    progress::Progress,
    train::{
        base::Base,
        dataset::{Dataset, LabelledImage},
    },
};

/// The features of a data set's images, in order of their digests.
pub(crate) struct Features {
    pub(crate) images: Vec<Featured>,
    /// Files that could not be used.
    pub(crate) unreadable: usize,
}

/// An image and its features.
#[derive(Clone, Debug)]
pub(crate) struct Featured {
    pub(crate) image: LabelledImage,
    /// SHA-256 of the file.
    pub(crate) digest: [u8; 32],
    pub(crate) embedding: Embedding,
}

impl Features {
    /// Reads and embeds every image, on as many threads as there are cores. Names the files that cannot be used on standard error.
    pub(crate) fn of(dataset: &Dataset, base: &Base, cache: &Cache) -> Self {
        let progress = Progress::new(dataset.images.len());
        let next = AtomicUsize::new(0);
        let found = Mutex::new(Vec::with_capacity(dataset.images.len()));
        thread::scope(|scope| {
            for _ in 0..base.network().threads() {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(image) = dataset.images.get(index) else {
                            return;
                        };
                        match embed(&image.path, base, cache) {
                            Ok((digest, embedding)) => {
                                let image = image.clone();
                                let featured = Featured {
                                    image,
                                    digest,
                                    embedding,
                                };
                                found.lock().expect("pushing does not panic").push(featured);
                            }
                            Err(why) => {
                                progress.print_error(&format!("{}: {why}", image.path.display()))
                            }
                        }
                        progress.advance();
                    }
                });
            }
        });
        progress.finish();
        let mut images = found.into_inner().expect("the threads have ended");
        images.sort_by(|a, b| (a.digest, &a.image.path).cmp(&(b.digest, &b.image.path)));
        Self {
            unreadable: dataset.images.len() - images.len(),
            images,
        }
    }

    /// Without the second copy of an image, which would be both learned from and held out.
    ///
    /// # Errors
    /// If copies of one image have different classes.
    pub(crate) fn distinct(&self) -> Result<Self, String> {
        let mut kept: Vec<Featured> = Vec::new();
        let mut contradictions = Vec::new();
        for featured in &self.images {
            match kept.last() {
                Some(last) if last.digest != featured.digest => kept.push(featured.clone()),
                None => kept.push(featured.clone()),
                Some(last) if last.image.classes == featured.image.classes => {}
                Some(last) => contradictions.push(format!(
                    "{} and {}",
                    last.image.path.display(),
                    featured.image.path.display()
                )),
            }
        }
        if contradictions.is_empty() {
            return Ok(Self {
                images: kept,
                unreadable: self.unreadable,
            });
        }
        let shown: Vec<_> = contradictions.iter().take(5).map(String::as_str).collect();
        Err(format!(
            "{} images are in several classes; the files have the same content: {}. Remove each from all classes but one",
            contradictions.len(),
            shown.join("; ")
        ))
    }

    /// What a head is trained on.
    ///
    /// # Errors
    /// If a class has too few images.
    pub(crate) fn examples(&self, dataset: &Dataset) -> Result<Examples, String> {
        let task = if dataset.multi_label {
            Task::MultiLabel
        } else {
            Task::SingleLabel
        };
        let examples = self.images.iter().map(|it| {
            let features = it.embedding.values().to_vec();
            (features, it.image.classes.clone())
        });
        Examples::new(task, dataset.labels.len(), examples).map_err(|error| match error {
            ExamplesError::TooFew { class, examples } => format!(
                "class {:?} has {examples} usable images: at least 2 are needed, and 10 or more are better",
                dataset.labels[class]
            ),
            ExamplesError::Features(example) => format!(
                "{} gives no features: remove it",
                self.images[example].image.path.display()
            ),
            other => other.to_string(),
        })
    }
}

/// The digest of a file, and its features.
pub(crate) fn embed(
    path: &Path,
    base: &Base,
    cache: &Cache,
) -> Result<([u8; 32], Embedding), String> {
    let image: Bytes = read_file(path, IMAGE_BYTES_MAX)?;
    let digest: [u8; 32] = Sha256::digest(&image).into();
    if let Some(embedding) = cache.get(&digest) {
        return Ok((digest, embedding));
    }
    let inferred = base
        .network()
        .infer(&image, false)
        .map_err(|error| error.to_string())?;
    let embedding = inferred.inference.embedding;
    cache.put(&digest, &embedding);
    Ok((digest, embedding))
}

/// Features of images by the digests of their files, so that each image is embedded only once.
pub(crate) struct Cache {
    /// `None` if nothing is kept.
    folder: Option<PathBuf>,
    channels: usize,
}

impl Cache {
    /// A cache in `folder`, or in the user's cache folder, for the features of `base`. An empty path keeps nothing.
    ///
    /// # Errors
    /// If the folder cannot be created.
    pub(crate) fn open(folder: Option<&Path>, base: &Base) -> Result<Self, String> {
        let channels = base.channels();
        let root = match folder {
            Some(folder) if folder.as_os_str().is_empty() => None,
            Some(folder) => Some(folder.to_owned()),
            None => dirs::cache_dir().map(|folder| folder.join("imageclassifier/features")),
        };
        let Some(root) = root else {
            return Ok(Self {
                folder: None,
                channels,
            });
        };
        // Another network, or other preprocessing, gives other features.
        let folder = root.join(base.features_revision());
        fs::create_dir_all(&folder).map_err(|error| {
            format!(
                "cannot create the cache {}: {error}. Give another folder with --cache, or --cache '' for none",
                folder.display()
            )
        })?;
        Ok(Self {
            folder: Some(folder),
            channels,
        })
    }

    fn path(&self, digest: &[u8; 32]) -> Option<PathBuf> {
        let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        self.folder.as_ref().map(|folder| folder.join(name))
    }

    /// A file of another length, or with a value that is no feature, counts as missing.
    fn get(&self, digest: &[u8; 32]) -> Option<Embedding> {
        let bytes = fs::read(self.path(digest)?).ok()?;
        let (values, rest) = bytes.as_chunks();
        let values: Vec<_> = values
            .iter()
            .map(|&value| f32::from_le_bytes(value))
            .collect();
        let sound = rest.is_empty()
            && values.len() == self.channels
            && values.iter().all(|value| value.is_finite());
        sound.then(|| Embedding::new(values))
    }

    /// A cache that cannot be written only costs time.
    fn put(&self, digest: &[u8; 32], embedding: &Embedding) {
        let Some(path) = self.path(digest) else {
            return;
        };
        let bytes: Vec<u8> = embedding
            .values()
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        // Never half a file under its name, even if two processes write it.
        let temporary = path.with_extension(std::process::id().to_string());
        if fs::write(&temporary, bytes).is_ok() {
            let _ = fs::rename(temporary, path);
        }
    }
}
