//! The model folders in `--models`: NAME, or NAME/VERSION as in Triton's layout. Every version that works is served; without a
//! version, a model's name means the highest.

mod load;
mod load_unload;
pub(crate) mod publish;
mod scan;

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    io,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use imageclassifier_model::{Classifier, Embedding};
use tokio::{task::spawn_blocking, time::sleep};

use crate::{
    engine::models::{Models, State, Table, Version},
    observe::metrics::Metrics,
};
pub(super) use load::Loader;
use scan::{Found, Key, Stamp};

/// Versions of all models together. The weights of a usual head take 1 MB, those of an imported network 10 to 100 MB.
const VERSIONS_MAX: usize = 256;

/// Serves the model folders of a directory.
pub(crate) struct Repository {
    dir: PathBuf,
    /// How often the folders are looked at.
    poll_interval: Duration,
    built_in: Classifier,
    loader: Loader,
    models: Models,
    metrics: Metrics,
    known: Mutex<Known>,
    /// Held while a model is published: two must not get the same number.
    publishing: Mutex<()>,
}

/// What is known of the directory.
#[derive(Default)]
struct Known {
    folders: BTreeMap<Key, Folder>,
    /// Names of models that are not served until they are loaded again.
    unloaded: BTreeSet<String>,
    /// Why the directory could not be read.
    problem: Option<String>,
}

/// A version's folder.
struct Folder {
    /// As the files were when they were last looked at.
    seen: Stamp,
    /// As the files were when they were last read.
    read: Option<Stamp>,
    /// Not read, because there were too many others.
    is_surplus: bool,
    state: State,
}

impl Folder {
    /// Whether a look at unchanged files may have another result than the last.
    fn is_worth_another_try(&self, room: bool, is_requested: bool) -> bool {
        match &self.state {
            _ if self.is_surplus => room,
            // A load by name may follow a repair that the files do not show, such as of their permissions.
            State::Broken(_)
            | State::Serving {
                problem: Some(_), ..
            } => is_requested,
            State::Serving { .. } | State::Unloaded => false,
        }
    }
}

/// When a changed folder is read.
#[derive(Clone, Copy)]
enum When<'a> {
    /// At once: the server starts.
    Now,
    /// Those of one model at once, the others once they have settled.
    NowNamed(&'a str),
    /// Once its files are the same at two looks: somebody may be writing them.
    Settled,
}

impl When<'_> {
    fn is_now_for(self, name: &str) -> bool {
        match self {
            Self::Now => true,
            Self::NowNamed(named) => named == name,
            Self::Settled => false,
        }
    }
}

impl Repository {
    /// Serves the folders in `dir` next to `built_in`. [`watch`](Self::watch) looks at them every `poll_interval`.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub(super) fn open(
        dir: PathBuf,
        poll_interval: Duration,
        loader: Loader,
        built_in: Classifier,
        models: Models,
        metrics: Metrics,
    ) -> io::Result<Self> {
        let repository = Self {
            loader,
            dir,
            poll_interval,
            built_in,
            models,
            metrics,
            known: Mutex::default(),
            publishing: Mutex::default(),
        };
        publish::remove_abandoned(&repository.dir);
        repository.update(When::Now).map_err(|error| {
            let dir = repository.dir.display();
            io::Error::new(error.kind(), format!("cannot read --models {dir}: {error}"))
        })?;
        Ok(repository)
    }

    /// Sets the features that a new model has to classify before it is served.
    pub(super) fn warm_up_with(&self, embedding: Embedding) {
        self.loader.warm_up_with(embedding);
    }

    /// Looks at the folders again and again, until the repository is dropped.
    pub(super) async fn watch(repository: Weak<Self>) {
        while let Some(interval) = repository.upgrade().map(|it| it.poll_interval) {
            sleep(interval).await;
            let Some(repository) = repository.upgrade() else {
                return;
            };
            if let Err(error) = spawn_blocking(move || repository.poll()).await {
                if !error.is_panic() {
                    // The runtime is going away.
                    return;
                }
                tracing::error!("looking for models: {error}");
            }
        }
    }

    fn poll(&self) {
        let problem = self.update(When::Settled).err();
        let problem = problem.map(|error| error.to_string());
        let mut known = self.known();
        if known.problem != problem {
            match &problem {
                Some(problem) => tracing::warn!(
                    "cannot read {}: {problem}. Its models stay in use",
                    self.dir.display()
                ),
                None => tracing::info!("{} can be read again", self.dir.display()),
            }
            known.problem = problem;
        }
    }

    /// Reads the folders that have changed, and serves what works.
    fn update(&self, when: When<'_>) -> io::Result<()> {
        let found = scan::scan(&self.dir)?;
        let mut known = self.known();
        let mut changed = self.forget_removed(&mut known.folders, &found);
        for (key, found) in found {
            changed |= self.update_folder(&mut known.folders, key, found, when);
        }
        if changed {
            self.serve(&known);
        }
        Ok(())
    }

    /// Whether a folder that was known is gone.
    fn forget_removed(
        &self,
        folders: &mut BTreeMap<Key, Folder>,
        found: &BTreeMap<Key, Found>,
    ) -> bool {
        let before = folders.len();
        folders.retain(|key, _| {
            let stays = found.contains_key(key);
            if !stays {
                tracing::info!(model = key.name, version = key.version, "model removed");
            }
            stays
        });
        folders.len() != before
    }

    /// Whether the folder has been read.
    fn update_folder(
        &self,
        folders: &mut BTreeMap<Key, Folder>,
        key: Key,
        found: Found,
        when: When<'_>,
    ) -> bool {
        let is_served = |it: &&Folder| it.read.is_some() && !it.is_surplus;
        let room = folders.values().filter(is_served).count() < VERSIONS_MAX;
        let folder = folders.entry(key.clone());
        let is_new = matches!(folder, Entry::Vacant(_));
        let folder = folder.or_insert_with(|| Folder {
            seen: found.stamp.clone(),
            read: None,
            is_surplus: false,
            state: State::Broken("it has not been read yet".to_owned()),
        });
        let is_unchanged = folder.read.as_ref() == Some(&found.stamp);
        if is_unchanged && !folder.is_worth_another_try(room, when.is_now_for(&key.name)) {
            return false;
        }
        let settled = !is_new && folder.seen == found.stamp;
        if !settled && !when.is_now_for(&key.name) {
            folder.seen = found.stamp;
            return false;
        }
        folder.is_surplus = (folder.read.is_none() || folder.is_surplus) && !room;
        if folder.is_surplus {
            let problem =
                format!("the server serves {VERSIONS_MAX} versions of models: remove some");
            folder.state = State::Broken(problem);
        } else {
            self.read(&key, &found, &mut folder.state);
        }
        folder.seen = found.stamp.clone();
        folder.read = Some(found.stamp);
        true
    }

    /// Reads a folder. A model that works stays in use until there is another one that works.
    fn read(&self, key: &Key, found: &Found, state: &mut State) {
        let loaded = self.loader.read(&found.path, &key.name);
        self.metrics.model_loaded(loaded.is_ok());
        match loaded {
            Ok(loaded) => {
                tracing::info!(
                    model = key.name,
                    version = key.version,
                    revision = loaded.classifier.revision(),
                    classes = loaded.classifier.labels().len(),
                    "model loaded"
                );
                *state = loaded.into_state();
            }
            Err(why) => {
                let path = found.path.display();
                match state {
                    State::Serving { problem, .. } => {
                        tracing::warn!(
                            "cannot use the model folder {path}: {why}. Its earlier contents stay in use"
                        );
                        *problem = Some(why);
                    }
                    State::Broken(_) | State::Unloaded => {
                        tracing::warn!("cannot use the model folder {path}: {why}");
                        *state = State::Broken(why);
                    }
                }
            }
        }
    }

    /// Serves what is known, all at once.
    fn serve(&self, known: &Known) {
        let mut models: BTreeMap<String, Vec<Version>> = BTreeMap::new();
        for (key, folder) in known.folders.iter().rev() {
            // A new folder that somebody may still be writing is not listed.
            if folder.read.is_none() {
                continue;
            }
            models.entry(key.name.clone()).or_default().push(Version {
                number: key.version,
                state: if known.unloaded.contains(&key.name) {
                    State::Unloaded
                } else {
                    folder.state.clone()
                },
            });
        }
        let default = self.models.table().default().to_owned();
        let table = Table::new(self.built_in.clone(), default, models);
        let serving = table.all().filter(|(_, it)| it.classifier().is_some());
        let broken = table.all().filter(|(_, it)| it.problem().is_some());
        self.metrics.set_models(serving.count(), broken.count());
        self.models.replace(table);
    }

    fn publishing(&self) -> MutexGuard<'_, ()> {
        self.publishing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
