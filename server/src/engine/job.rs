use std::time::{Duration, Instant};

use bytes::Bytes;
use imageclassifier_model::{
    Classifier, Crop, Embedding, EncodedImage, Heatmap, Known, Logits, Ranking,
};
use tokio::sync::oneshot;
use tracing::Span;

use crate::{
    engine::prepared::PreparedTensor,
    request::{error::RequestError, head::RequestHead},
};

/// An image in the queue.
pub(crate) struct Job {
    pub(crate) payload: Payload,
    pub(crate) context: JobContext,
}

/// What to do with the image, and where the result goes.
pub(crate) struct JobContext {
    pub(crate) options: ClassifyOptions,
    pub(crate) queued_at: Instant,
    /// The request's span, and that of its time in the queue.
    pub(crate) spans: [Span; 2],
    pub(crate) deadline: Instant,
    /// Closed once the client has disconnected.
    pub(crate) reply: oneshot::Sender<Result<Classification, RequestError>>,
}

/// The image as the caller sent it.
pub(crate) enum Payload {
    Encoded(EncodedImage<Bytes>),
    /// Decoded, cropped, resized and normalised by the caller.
    Prepared(PreparedTensor),
}

/// Options of one classification.
#[derive(Clone, Debug)]
pub(crate) struct ClassifyOptions {
    /// The model.
    pub(crate) classifier: Classifier,
    /// Number of classes to return, 1 to all.
    pub(crate) top_k: usize,
    /// Whether to compute heatmaps.
    pub(crate) explain: bool,
}

/// The result for one image, and where the time went.
#[derive(Debug)]
pub(crate) struct Classification {
    /// The model that classified the image.
    pub(crate) classifier: Classifier,
    pub(crate) logits: Logits,
    pub(crate) ranking: Ranking,
    /// `None` if the model cannot tell.
    pub(crate) known: Option<Known>,
    pub(crate) embedding: Embedding,
    /// One for each class of the ranking, if the options set `explain`.
    pub(crate) heatmaps: Option<Vec<Heatmap>>,
    /// `None` for a tensor that the client has prepared.
    pub(crate) crop: Option<Crop>,
    pub(crate) queue: Duration,
    pub(crate) decode: Duration,
    pub(crate) inference: Duration,
}

impl Classification {
    /// Writes the log line of an answered request.
    pub(crate) fn log(&self, head: &RequestHead) {
        tracing::info!(
            request_id = head.id.as_str(),
            client = head.client.map(tracing::field::display),
            decode_ms = milliseconds(self.decode),
            queue_ms = milliseconds(self.queue),
            inference_ms = milliseconds(self.inference),
            "classified"
        );
    }
}

fn milliseconds(duration: Duration) -> f32 {
    duration.as_secs_f32() * 1000.0
}
