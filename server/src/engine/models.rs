//! The models that clients can name.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use imageclassifier_model::Classifier;

use crate::request::error::RequestError;

/// Every model that is served, by name. Those that were trained on the built-in network share its forward pass; imported ones have
/// networks of their own. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Models(Arc<RwLock<Arc<Table>>>);

/// The models at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// The versions of each model, highest first.
    by_name: BTreeMap<String, Vec<Version>>,
    /// Name of the model for requests that name none.
    default: String,
}

/// One version of a model.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    /// 0 for the network's own classes, and for a model folder without version folders.
    pub(crate) number: u64,
    pub(crate) state: State,
}

/// Whether a version can be used.
#[derive(Clone, Debug)]
pub(crate) enum State {
    Serving {
        classifier: Classifier,
        /// How it was trained, a JSON object; empty for the network's own classes.
        training: String,
        /// Why the folder's present contents cannot be used, if these are earlier ones.
        problem: Option<String>,
    },
    /// The folder cannot be used.
    Broken(String),
    Unloaded,
}

/// What the Open Inference Protocol calls the model behind the same name without it. No trained model's name ends so.
pub(crate) const PREPARED_SUFFIX: &str = "-preprocessed";
/// Separates the name of a model from a version. Names do not contain it.
const VERSION_SEPARATOR: char = '@';

impl Models {
    /// Serves `built_in` alone. Requests that name no model get the model called `default`.
    pub(crate) fn new(built_in: Classifier, default: &str) -> Self {
        let table = Table::new(built_in, default.to_owned(), BTreeMap::new());
        Self(Arc::new(RwLock::new(Arc::new(table))))
    }

    /// The models of this moment.
    pub(crate) fn table(&self) -> Arc<Table> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Serves other models than before, all at once. Requests that have begun keep the model that they found.
    pub(super) fn replace(&self, table: Table) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
    }

    /// The model called `name`, or the default if it is empty.
    ///
    /// # Errors
    /// [`RequestError::UnknownModel`].
    pub(crate) fn find(&self, name: &str) -> Result<Classifier, RequestError> {
        self.table().find(name)
    }
}

impl Table {
    /// `built_in` and the `trained` models, none of which is served under its name.
    pub(super) fn new(
        built_in: Classifier,
        default: String,
        trained: BTreeMap<String, Vec<Version>>,
    ) -> Self {
        let mut by_name = trained;
        let name = built_in.name().to_owned();
        let state = State::Serving {
            classifier: built_in,
            training: String::new(),
            problem: None,
        };
        // A folder of that name is never served, and listed behind it.
        let versions = by_name.entry(name).or_default();
        versions.insert(0, Version { number: 0, state });
        Self { by_name, default }
    }

    /// As [`Models::find`].
    ///
    /// # Errors
    /// [`RequestError::UnknownModel`].
    pub(crate) fn find(&self, name: &str) -> Result<Classifier, RequestError> {
        let name = if name.is_empty() { &self.default } else { name };
        let found = self.get(name).cloned();
        found.ok_or_else(|| RequestError::UnknownModel {
            model: name.to_owned(),
            available: self.names().collect::<Vec<_>>().join(" "),
        })
    }

    /// The model called `name`, or its version for NAME@VERSION.
    pub(crate) fn get(&self, name: &str) -> Option<&Classifier> {
        self.resolve(name)?.classifier()
    }

    /// As [`get`](Self::get), with its version.
    pub(crate) fn resolve(&self, name: &str) -> Option<&Version> {
        match name.split_once(VERSION_SEPARATOR) {
            None => self.current(name),
            Some((name, version)) => self.version(name, version.parse().ok()?),
        }
    }

    /// The highest version of the model that works.
    pub(crate) fn current(&self, name: &str) -> Option<&Version> {
        let mut versions = self.by_name.get(name)?.iter();
        versions.find(|version| version.classifier().is_some())
    }

    pub(crate) fn version(&self, name: &str, number: u64) -> Option<&Version> {
        let mut versions = self.by_name.get(name)?.iter();
        versions.find(|version| version.number == number)
    }

    /// The names of the models that can be used.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.by_name.keys().map(String::as_str);
        names.filter(|name| self.current(name).is_some())
    }

    /// Name of the model for requests that name none.
    pub(crate) fn default(&self) -> &str {
        &self.default
    }

    /// Every version of every model, by name, highest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Version)> {
        let models = self.by_name.iter();
        models.flat_map(|(name, versions)| {
            let versions = versions.iter();
            versions.map(move |version| (name.as_str(), version))
        })
    }
}

impl Version {
    /// The model, if it can be used.
    pub(crate) fn classifier(&self) -> Option<&Classifier> {
        match &self.state {
            State::Serving { classifier, .. } => Some(classifier),
            State::Broken(_) | State::Unloaded => None,
        }
    }

    /// Why the folder's present contents cannot be used.
    pub(crate) fn problem(&self) -> Option<&str> {
        match &self.state {
            State::Serving { problem, .. } => problem.as_deref(),
            State::Broken(problem) => Some(problem),
            State::Unloaded => None,
        }
    }
}
