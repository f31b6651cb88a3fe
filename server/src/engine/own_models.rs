use std::{future::Future, sync::Arc, time::Instant};

use bytes::Bytes;
use imageclassifier_model::EncodedImage;
use tokio::task::spawn_blocking;

use super::{Engine, feedback::Label, job::ClassifyOptions, repository::Repository};
use crate::request::error::{InternalError, RequestError};

/// Models and images of the operator's own.
impl Engine {
    /// Serves models as their folders change, until the engine is dropped.
    pub(crate) fn watch_models(&self) -> impl Future<Output = ()> + use<> {
        let repository = self.0.repository.as_ref().map(Arc::downgrade);
        async move {
            if let Some(repository) = repository {
                Repository::watch(repository).await;
            }
        }
    }

    /// Does `work` on the folder of models, away from the runtime.
    ///
    /// # Errors
    /// [`RequestError::NotEnabled`], [`RequestError::Internal`] if it panics.
    pub(crate) async fn with_repository<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Repository) -> T + Send + 'static,
    ) -> Result<T, RequestError> {
        const HELP: &str = "start it with --models";
        let repository = self.0.repository.clone();
        let repository = repository.ok_or(RequestError::NotEnabled { help: HELP })?;
        let worked = spawn_blocking(move || work(&repository)).await;
        worked.map_err(|_| RequestError::Internal(InternalError::HandlerPanicked))
    }

    /// Whether images of [`keep`](Self::keep) are kept.
    pub(crate) fn accepts_feedback(&self) -> bool {
        self.0.feedback.is_some()
    }

    /// Keeps an image with its correct label, if it can be classified.
    ///
    /// # Errors
    /// [`RequestError::NotEnabled`], [`RequestError::FeedbackFull`], and those of [`classify`](Self::classify).
    pub(crate) async fn keep(
        &self,
        image: Bytes,
        label: Label,
        deadline: Instant,
    ) -> Result<(), RequestError> {
        const HELP: &str = "start it with --feedback-dir";
        let feedback = self.0.feedback.clone();
        let feedback = feedback.ok_or(RequestError::NotEnabled { help: HELP })?;
        let options = ClassifyOptions {
            classifier: self.0.built_in.clone(),
            top_k: 1,
            explain: false,
        };
        self.classify(image.clone(), options, deadline).await?;
        let image = EncodedImage::new(image, self.0.limits.image_bytes_max)?;
        let kept = spawn_blocking(move || feedback.keep(&image, &label)).await;
        kept.map_err(|_| RequestError::Internal(InternalError::HandlerPanicked))?
    }
}
