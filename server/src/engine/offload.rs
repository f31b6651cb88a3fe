use std::{io, sync::Arc, thread};

use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::request::error::{InternalError, RequestError};

/// Threads for work that would hold up the runtime but is not a classification, as many as there are cores. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Offload(Arc<Semaphore>);

impl Offload {
    pub(crate) fn new() -> io::Result<Self> {
        let threads = thread::available_parallelism()?.get();
        Ok(Self(Arc::new(Semaphore::new(threads))))
    }

    /// What `work` returns. Work that has begun is finished, even if nobody waits for it any more.
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
