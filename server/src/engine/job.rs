use std::time::{Duration, Instant};

use bytes::Bytes;
use imageclassifier_model::{Crop, EncodedImage, Heatmap, Logits, Ranking};
use tokio::sync::oneshot;
use tracing::Span;

use crate::{engine::prepared::Planes, request::error::RequestError};

/// A picture on its way to the network.
pub(crate) struct Job {
    pub(crate) picture: Source,
    pub(crate) order: Order,
}

/// What is to be done with a picture, and for whom.
pub(crate) struct Order {
    pub(crate) question: Question,
    pub(crate) queued_at: Instant,
    /// The call's span, and that of its waiting.
    pub(crate) spans: [Span; 2],
    pub(crate) deadline: Instant,
    /// Closed once the caller has left.
    pub(crate) reply: oneshot::Sender<Result<Classified, RequestError>>,
}

/// What a caller has sent.
pub(crate) enum Source {
    Encoded(EncodedImage<Bytes>),
    /// Decoded, cropped, resized and normalised by the caller.
    Prepared(Planes),
}

/// What a caller wants to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    /// How many classes, 1 to all.
    pub(crate) top_k: usize,
    /// Whether also why.
    pub(crate) explain: bool,
}

/// A classified picture and where the time went.
#[derive(Debug)]
pub(crate) struct Classified {
    pub(crate) logits: Logits,
    pub(crate) ranking: Ranking,
    /// One for each class of the ranking, if the question was why.
    pub(crate) heatmaps: Option<Vec<Heatmap>>,
    /// Not of a picture that the caller has prepared.
    pub(crate) crop: Option<Crop>,
    pub(crate) queue: Duration,
    pub(crate) decode: Duration,
    pub(crate) inference: Duration,
}

impl Classified {
    /// Writes the one line for a call that was answered.
    pub(crate) fn log(&self, request_id: &str) {
        tracing::info!(
            request_id,
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
