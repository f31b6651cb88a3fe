//! Takes calls to an answer, away from the async runtime: admission, decoding, the queue to the compute threads.

use std::{
    io,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use crossbeam_channel::Sender;
use imageclassifier_model::{EncodedImage, Input, Network, Picture, Ranking, Weights};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::{
    Config,
    inference::{self, Inferred, Job},
    status::{Failure, Fault},
};

/// Answers calls with one network. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

struct Shared {
    weights: Weights,
    limits: PictureLimits,
    /// One permit for each call that waits or is worked on: what bounds the queue.
    calls: Arc<Semaphore>,
    /// One permit for each picture being decoded: memory is decodes x pixels x 8 B.
    decoders: Arc<Semaphore>,
    jobs: Sender<Job>,
}

/// What is taken as a picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PictureLimits {
    pub(crate) image_bytes_max: u64,
    pub(crate) pixels_max: u64,
}

/// A classified picture and where the time went.
#[derive(Debug)]
pub(crate) struct Classified {
    pub(crate) ranking: Ranking,
    pub(crate) decode: Duration,
    pub(crate) queue: Duration,
    pub(crate) inference: Duration,
}

struct Decoded {
    input: Input,
    queue: Duration,
    decode: Duration,
}

impl Engine {
    /// Takes `network`, made of `weights`, and starts a thread for each core to run it.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn start(network: &Network, weights: Weights, config: &Config) -> io::Result<Self> {
        let calls_max = usize::from(config.calls_max);
        let cores = thread::available_parallelism()?.get();
        // Room for every call that has a permit, and for the warm-up: sending never waits.
        let (jobs, queue) = crossbeam_channel::bounded(calls_max + 1);
        inference::start(network, cores, &queue)?;
        Ok(Self(Arc::new(Shared {
            weights,
            limits: PictureLimits {
                image_bytes_max: config.image_bytes_max.into(),
                pixels_max: config.pixels_max,
            },
            calls: Arc::new(Semaphore::new(calls_max)),
            decoders: Arc::new(Semaphore::new(cores)),
            jobs,
        })))
    }

    pub(crate) fn weights(&self) -> &Weights {
        &self.0.weights
    }

    pub(crate) fn limits(&self) -> PictureLimits {
        self.0.limits
    }

    /// Runs the network once on a blank input, so that the first caller does not pay for what is done only once.
    pub(crate) async fn warm_up(&self) -> Result<(), Failure> {
        let size = self.0.weights.variant().input_size();
        let blank = vec![0.0; (size * size * 3) as usize];
        let input = Input::from_values(size, blank).expect("size x size x 3 values");
        self.infer(input).await.map(drop)
    }

    /// Decodes and classifies `image`. Dropping the future gives the call up: work not begun by then is never begun.
    pub(crate) async fn classify(&self, image: Bytes, top_k: usize) -> Result<Classified, Failure> {
        let encoded = EncodedImage::new(image, self.0.limits.image_bytes_max)?;
        let calls = Arc::clone(&self.0.calls);
        let call = calls.try_acquire_owned().map_err(|_| Failure::Overloaded)?;
        let decoded = self.decode(encoded).await?;
        let inferred = self.infer(decoded.input).await?;
        drop(call);
        Ok(Classified {
            ranking: Ranking::of(&inferred.logits, top_k),
            decode: decoded.decode,
            queue: decoded.queue + inferred.queue,
            inference: inferred.inference,
        })
    }

    async fn decode(&self, encoded: EncodedImage<Bytes>) -> Result<Decoded, Failure> {
        let arrived_at = Instant::now();
        let decoders = Arc::clone(&self.0.decoders);
        let decoder = decoders.acquire_owned().await;
        let decoder = decoder.expect("the semaphore is never closed");
        let pixels_max = self.0.limits.pixels_max;
        let size = self.0.weights.variant().input_size();
        let decoding = tokio::task::spawn_blocking(move || {
            decode(&encoded, pixels_max, size, arrived_at, decoder)
        });
        decoding
            .await
            .map_err(|_| Failure::Internal(Fault::DecodePanicked))?
    }

    async fn infer(&self, input: Input) -> Result<Inferred, Failure> {
        let (reply, answer) = oneshot::channel();
        let job = Job {
            input,
            queued_at: Instant::now(),
            reply,
        };
        let sent = self.0.jobs.try_send(job);
        sent.map_err(|_| Failure::NotReady)?;
        answer.await.map_err(|_| Failure::NotReady)?
    }
}

/// The permit travels with the work: a caller who leaves does not free the memory that a decoder still uses.
fn decode(
    encoded: &EncodedImage<Bytes>,
    pixels_max: u64,
    input_size: u32,
    arrived_at: Instant,
    _decoder: OwnedSemaphorePermit,
) -> Result<Decoded, Failure> {
    let begun_at = Instant::now();
    let picture = Picture::decode(encoded, pixels_max)?;
    let input = Input::prepare(&picture, input_size);
    Ok(Decoded {
        input,
        queue: begun_at - arrived_at,
        decode: begun_at.elapsed(),
    })
}
