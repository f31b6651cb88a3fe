use std::time::Duration;

use bytes::Bytes;
use imageclassifier_proto::{
    ClassifyImageRequest, GetModelRequest, image_classifier_client::ImageClassifierClient,
};
use tonic::{
    Request,
    metadata::{Ascii, MetadataValue},
};

use crate::{
    Answer, CallError, ModelDescription,
    transport::{Channel, channel},
};

/// Room for the longest answer, the description of a model with its labels, many times over.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// A handle on one server. Cheap to clone; calls may run at the same time.
#[derive(Clone)]
pub struct Classifier {
    pub(crate) rpc: ImageClassifierClient<Channel>,
    /// For the server's other services.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) channel: Channel,
    /// Marked as sensitive, so that it is not shown where a request is.
    authorization: Option<MetadataValue<Ascii>>,
    pub(crate) timeout: Option<Duration>,
}

/// What a caller may choose about one classification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassifyOptions {
    /// How many predictions to return, 1 to the number of classes; 0 leaves it to the server (5).
    pub top_k: u32,
    /// Name of the model to ask; empty means the server's default.
    pub model: String,
    /// Whether to get a heatmap beside each prediction.
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
    /// A client of the server at `server_url`, for example `http://localhost:50051`. Connects on the first call.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind) if it is no URL. In a browser the first call finds that out.
    pub fn new(server_url: &str) -> Result<Self, CallError> {
        Ok(Self::over(channel(server_url)?))
    }

    /// As [`new`](Self::new), trusting the certificate authorities in `authorities`, PEM, in the place of the system's.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if there is no certificate in `authorities`.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn trusting(server_url: &str, authorities: &[u8]) -> Result<Self, CallError> {
        Ok(Self::over(crate::transport::channel_trusting(
            server_url,
            authorities,
        )?))
    }

    fn over(channel: Channel) -> Self {
        #[cfg(not(target_arch = "wasm32"))]
        let rpc = ImageClassifierClient::new(channel.clone());
        #[cfg(target_arch = "wasm32")]
        let rpc = ImageClassifierClient::new(channel);
        Self {
            rpc: rpc.max_decoding_message_size(ANSWER_BYTES_MAX),
            #[cfg(not(target_arch = "wasm32"))]
            channel,
            authorization: None,
            timeout: None,
        }
    }

    /// The same client, presenting an access token with every call: `authorization: Bearer TOKEN`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind) if it cannot be a token: empty, or with characters other than visible
    /// ASCII.
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

    /// The same client, giving each call up after `timeout`; in a stream, each picture.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Whether calls present an access token.
    #[must_use]
    pub fn has_token(&self) -> bool {
        self.authorization.is_some()
    }

    /// Classifies one encoded picture (JPEG, PNG, WebP, GIF or BMP).
    ///
    /// # Errors
    /// [`CallError`]; its kind says whether trying again can help.
    pub async fn classify(
        &self,
        image_data: Bytes,
        options: ClassifyOptions,
    ) -> Result<Answer, CallError> {
        let call = self.timed(options.request(image_data));
        // The generated client takes `&mut self` only to poll readiness; clones share the connection.
        let answer = self.rpc.clone().classify(call).await?;
        Ok(answer.into_inner())
    }

    /// Describes a model of the server; an empty name means its default model.
    ///
    /// # Errors
    /// [`CallError`]; [`ErrorKind::InvalidInput`](crate::ErrorKind) if there is no model of that name.
    pub async fn model(&self, name: &str) -> Result<ModelDescription, CallError> {
        let request = GetModelRequest {
            name: name.to_owned(),
        };
        let model = self.rpc.clone().get_model(self.timed(request)).await?;
        Ok(model.into_inner())
    }

    /// What [`call`](Self::call) makes, with the time that the call may take.
    pub(crate) fn timed<T>(&self, message: T) -> Request<T> {
        let mut request = self.call(message);
        if let Some(timeout) = self.timeout {
            request.set_timeout(timeout);
        }
        request
    }

    /// A message with what goes with every call.
    pub(crate) fn call<T>(&self, message: T) -> Request<T> {
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

    /// The native channel is made inside a runtime, even if nothing is called.
    #[tokio::test]
    async fn a_token_goes_with_each_call_and_is_not_shown() {
        let classifier = Classifier::new("http://localhost:1").unwrap();
        assert!(!classifier.has_token());
        assert!(classifier.call(()).metadata().is_empty());

        let classifier = classifier.with_token("secret-1~+/=").unwrap();
        assert!(classifier.has_token());
        let request = classifier.call(());
        let sent = request.metadata().get("authorization").unwrap();
        assert_eq!(sent, "Bearer secret-1~+/=");
        assert!(!format!("{request:?}").contains("secret"));
    }

    #[tokio::test]
    async fn what_cannot_be_a_token_is_refused() {
        for token in ["", " ", "two words", "line\nbreak", "Schlüssel"] {
            let classifier = Classifier::new("http://localhost:1").unwrap();
            let refusal = classifier.with_token(token).map(drop).unwrap_err();
            assert_eq!(refusal.kind(), ErrorKind::InvalidInput, "{token:?}");
            assert!(token.len() < 2 || !refusal.to_string().contains(token));
        }
    }
}
