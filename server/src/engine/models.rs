//! The models that clients can name.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use imageclassifier_model::Classifier;

use crate::request::error::RequestError;

/// Every model that is served, by name. All run on the same network, so that they share its forward pass. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Models(Arc<RwLock<Arc<Table>>>);

/// The models at one moment.
#[derive(Debug)]
pub(crate) struct Table {
    by_name: BTreeMap<String, Classifier>,
    /// Name of the model for requests that name none.
    default: String,
}

impl Models {
    /// Serves `classifier` alone.
    pub(crate) fn new(classifier: Classifier) -> Self {
        let table = Table {
            default: classifier.name().to_owned(),
            by_name: BTreeMap::from([(classifier.name().to_owned(), classifier)]),
        };
        Self(Arc::new(RwLock::new(Arc::new(table))))
    }

    /// The models of this moment.
    pub(crate) fn table(&self) -> Arc<Table> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
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

    pub(crate) fn get(&self, name: &str) -> Option<&Classifier> {
        self.by_name.get(name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }
}
