use std::{io, sync::Arc, thread};

use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::request::error::{InternalError, RequestError};

/// One thread per core for work that would block the runtime but is not a classification. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Offload(Arc<Semaphore>);

impl Offload {
    pub(crate) fn new() -> io::Result<Self> {
        let threads = thread::available_parallelism()?.get();
        Ok(Self(Arc::new(Semaphore::new(threads))))
    }

    /// Runs `work` and returns its result. Work that has begun is finished, even if its request has ended.
    ///
    /// # Errors
    /// [`RequestError::Internal`] if it panics.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, RequestError> {
        let permit = Arc::clone(&self.0).acquire_owned().await;
        let permit = permit.expect("the semaphore is never closed");
        let worked = spawn_blocking(move || {
            let outcome = work();
            drop(permit);
            outcome
        });
        let panicked = |_| RequestError::Internal(InternalError::HandlerPanicked);
        worked.await.map_err(panicked)
    }
}
