use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use http::Extensions;

/// Whether the connection or the stream of a request ended in the middle of its body, as an extension of the request: nobody waits
/// for an answer. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct ClientLeft(Arc<AtomicBool>);

impl ClientLeft {
    pub(crate) fn from_extensions(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or_default()
    }

    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
