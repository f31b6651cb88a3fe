#[cfg(not(target_arch = "wasm32"))]
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use imageclassifier_proto::{
    ClassifyImageRequest, EmbedRequest, FeedbackRequest, GetModelRequest, ListModelsRequest,
    image_classifier_client::ImageClassifierClient,
};
use tonic::{
    Request, Response, Status,
    metadata::{Ascii, MetadataValue},
};

#[cfg(not(target_arch = "wasm32"))]
use crate::retry::Retries;
use crate::{
    Answer, CallError, EmbeddedImage, ModelDescription, ModelList, ModelSummary,
    transport::{Channel, channel},
};

/// Many times the longest response: the description of a model with its labels.
const ANSWER_BYTES_MAX: usize = 4 << 20;

type Rpc = ImageClassifierClient<Channel>;

/// A client of one server, or in native programs of several that are alike. Cheap to clone; requests may run at the same time.
#[derive(Clone)]
pub struct Classifier {
    pub(crate) rpc: Rpc,
    /// For the server's other services.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) channel: Channel,
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) retries: Arc<Retries>,
    /// Marked as sensitive, so that a printed request does not show it.
    authorization: Option<MetadataValue<Ascii>>,
    pub(crate) timeout: Option<Duration>,
}

/// Options of one classification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassifyOptions {
    /// How many predictions to return, 1 to the number of classes; 0 means the server's default (5).
    pub top_k: u32,
    /// Name of the model; empty means the server's default.
    pub model: String,
    /// Whether to return a heatmap with each prediction.
    pub explain: bool,
}

impl ClassifyOptions {
    pub(crate) fn request(self, image_data: Bytes) -> ClassifyImageRequest {
        ClassifyImageRequest {
            image_data,
            top_k: self.top_k,
            model: self.model,
            explain: self.explain,
            ..ClassifyImageRequest::default()
        }
    }
}

impl Classifier {
    /// A client of the server at `server_url`, for example `http://localhost:50051`. Connects on the first request.
    ///
    /// Native programs may give several URLs, separated by commas. Requests take turns over all servers, and over all addresses of
    /// a server's name.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind) if it is not a URL. In a browser the first request checks that.
    pub fn new(server_url: &str) -> Result<Self, CallError> {
        let channel = channel(server_url).map_err(|error| CallError::channel(server_url, error))?;
        Ok(Self::over(channel))
    }

    /// A client that sends its requests over `channel`.
    pub(crate) fn over(channel: Channel) -> Self {
        let rpc = ImageClassifierClient::new(channel.clone());
        Self {
            rpc: rpc.max_decoding_message_size(ANSWER_BYTES_MAX),
            #[cfg(not(target_arch = "wasm32"))]
            channel,
            #[cfg(not(target_arch = "wasm32"))]
            retries: Arc::default(),
            authorization: None,
            timeout: None,
        }
    }

    /// The same client, sending an access token with every request: `authorization: Bearer TOKEN`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind) if the token is empty or has characters other than visible ASCII.
    pub fn with_token(mut self, token: &str) -> Result<Self, CallError> {
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(CallError::bad_token());
        }
        let mut authorization =
            MetadataValue::try_from(format!("Bearer {token}")).expect("ASCII is metadata");
        authorization.set_sensitive(true);
        self.authorization = Some(authorization);
        Ok(self)
    }

    /// The same client, cancelling each request after `timeout`; in a stream, each image.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Whether requests carry an access token.
    #[must_use]
    pub fn has_token(&self) -> bool {
        self.authorization.is_some()
    }

    /// Classifies one encoded image, in any format that the server reads.
    ///
    /// # Errors
    /// [`CallError`]; its kind says whether a retry can help.
    pub async fn classify(
        &self,
        image_data: Bytes,
        options: ClassifyOptions,
    ) -> Result<Answer, CallError> {
        let message = options.request(image_data);
        self.send(message, |mut rpc, request| async move {
            rpc.classify(request).await
        })
        .await
    }

    /// Describes a model of the server; an empty name means its default model.
    ///
    /// # Errors
    /// [`CallError`]; [`ErrorKind::InvalidInput`](crate::ErrorKind) if the server has no model of that name.
    pub async fn model(&self, name: &str) -> Result<ModelDescription, CallError> {
        let message = GetModelRequest {
            name: name.to_owned(),
        };
        self.send(message, |mut rpc, request| async move {
            rpc.get_model(request).await
        })
        .await
    }

    /// Lists every version of every model of the server, by name, highest version first.
    ///
    /// # Errors
    /// [`CallError`]; [`ErrorKind::Unsupported`](crate::ErrorKind) if the server is too old to list models.
    pub async fn list_models(&self) -> Result<Vec<ModelSummary>, CallError> {
        Ok(self.model_list().await?.models)
    }

    /// As [`list_models`](Self::list_models), with what the server allows: whether it accepts feedback.
    ///
    /// # Errors
    /// [`CallError`]; [`ErrorKind::Unsupported`](crate::ErrorKind) if the server is too old to list models.
    pub async fn model_list(&self) -> Result<ModelList, CallError> {
        let message = ListModelsRequest {};
        self.send(message, |mut rpc, request| async move {
            rpc.list_models(request).await
        })
        .await
    }

    /// Computes the feature vector of one encoded image, as the network of `model` sees it; an empty name means the server's
    /// default model.
    ///
    /// # Errors
    /// [`CallError`]; its kind says whether a retry can help.
    pub async fn embed(&self, image_data: Bytes, model: &str) -> Result<EmbeddedImage, CallError> {
        let message = EmbedRequest {
            image_data,
            model: model.to_owned(),
        };
        self.send(message, |mut rpc, request| async move {
            rpc.embed(request).await
        })
        .await
    }

    /// Sends one encoded image with the name of the class that it shows. The server keeps it for the next training.
    ///
    /// # Errors
    /// [`CallError`]; its reason is `NOT_ENABLED` if the server keeps no images, and `FEEDBACK_FULL` if it has enough.
    pub async fn feedback(&self, image_data: Bytes, label: &str) -> Result<(), CallError> {
        let message = FeedbackRequest {
            image_data,
            label: label.to_owned(),
        };
        self.send(message, |mut rpc, request| async move {
            rpc.feedback(request).await
        })
        .await?;
        Ok(())
    }

    /// Sends `message` with `call`, in native programs again if that may help.
    async fn send<M, T, F>(
        &self,
        message: M,
        call: impl Fn(Rpc, Request<M>) -> F,
    ) -> Result<T, CallError>
    where
        M: Clone,
        F: Future<Output = Result<Response<T>, Status>>,
    {
        // The generated client takes `&mut self` only to poll readiness; clones share the connection.
        let attempt = |timeout| {
            call(
                self.rpc.clone(),
                self.request_within(message.clone(), timeout),
            )
        };
        #[cfg(not(target_arch = "wasm32"))]
        let answer = self.retries.run(&self.channel, self.timeout, attempt).await;
        #[cfg(target_arch = "wasm32")]
        let answer = attempt(self.timeout)
            .await
            .map(Response::into_inner)
            .map_err(CallError::from);
        answer
    }

    /// A request with the access token and the timeout.
    pub(crate) fn request_with_timeout<T>(&self, message: T) -> Request<T> {
        self.request_within(message, self.timeout)
    }

    /// A request with the access token and a timeout.
    fn request_within<T>(&self, message: T, timeout: Option<Duration>) -> Request<T> {
        let mut request = self.request(message);
        if let Some(timeout) = timeout {
            request.set_timeout(timeout);
        }
        request
    }

    /// A request with the access token.
    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(authorization) = &self.authorization {
            let authorization = authorization.clone();
            request
                .metadata_mut()
                .insert("authorization", authorization);
        }
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    /// The native channel needs a runtime even if no request is sent.
    #[tokio::test]
    async fn sends_the_token_with_each_request_and_does_not_print_it() {
        let classifier = Classifier::new("http://localhost:1").unwrap();
        assert!(!classifier.has_token());
        assert!(classifier.request(()).metadata().is_empty());

        let classifier = classifier.with_token("secret-1~+/=").unwrap();
        assert!(classifier.has_token());
        let request = classifier.request(());
        let sent = request.metadata().get("authorization").unwrap();
        assert_eq!(sent, "Bearer secret-1~+/=");
        assert!(!format!("{request:?}").contains("secret"));
    }

    #[tokio::test]
    async fn rejects_invalid_tokens() {
        for token in ["", " ", "two words", "line\nbreak", "Schlüssel"] {
            let classifier = Classifier::new("http://localhost:1").unwrap();
            let error = classifier.with_token(token).map(drop).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{token:?}");
            assert!(token.len() < 2 || !error.to_string().contains(token));
        }
    }
}
