use bytes::Bytes;
use imageclassifier_proto::{
    ClassifyImageRequest, GetModelRequest, image_classifier_client::ImageClassifierClient,
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
    rpc: ImageClassifierClient<Channel>,
}

/// What a caller may choose about one classification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassifyOptions {
    /// How many predictions to return, 1 to the number of classes; 0 leaves it to the server (5).
    pub top_k: u32,
    /// Name of the model to ask; empty means the server's default.
    pub model: String,
}

impl Classifier {
    /// A client of the server at `server_url`, for example `http://localhost:50051`. Connects on the first call.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind) if it is no URL. In a browser the first call finds that out.
    pub fn new(server_url: &str) -> Result<Self, CallError> {
        let rpc = ImageClassifierClient::new(channel(server_url)?)
            .max_decoding_message_size(ANSWER_BYTES_MAX);
        Ok(Self { rpc })
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
        let request = ClassifyImageRequest {
            image_data,
            top_k: options.top_k,
            model: options.model,
            explain: false,
        };
        // The generated client takes `&mut self` only to poll readiness; clones share the connection.
        let answer = self.rpc.clone().classify(request).await?;
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
        let model = self.rpc.clone().get_model(request).await?;
        Ok(model.into_inner())
    }
}
