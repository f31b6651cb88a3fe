use std::{borrow::Borrow, collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use imageclassifier_client::{Answer, CallError, ClassifyOptions};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{backend::Backend, file_error::FileError, inputs::Input};

/// Images between reading and output, at most. More than a stream has in flight, so that a slow image does not stall those
/// behind it, whose results wait for it; few enough that waiting results take little memory.
const PENDING_MAX: usize = 64;
/// Images that are read at once: object storage answers each after some ten milliseconds.
const READS_MAX: usize = 16;

/// An image that is being read, or has been read and not yet reported.
pub(crate) struct Pending<I> {
    pub(crate) index: usize,
    pub(crate) input: I,
    /// Kept where a heatmap is drawn over it.
    pub(crate) image: Option<Bytes>,
    _permit: OwnedSemaphorePermit,
}

/// The result of each image, in any order. An image is read when a permit is free, and holds it until it is dropped.
pub(crate) fn outcomes<'a, I: Borrow<Input> + 'a>(
    backend: &Backend,
    inputs: impl Stream<Item = I> + 'a,
    options: ClassifyOptions,
) -> impl Stream<Item = ImageResult<I>> + 'a {
    let bytes_max = backend.image_bytes_max();
    let keeps_image = options.explain;
    // Bounded by the permits.
    let (send, mut unreadable) = mpsc::unbounded_channel();
    let reads = reads(inputs, bytes_max).boxed_local();
    let images = stream::unfold((reads, send), move |(mut reads, send)| async move {
        loop {
            let (mut pending, read) = reads.next().await?;
            match read {
                Ok(image) => {
                    pending.image = keeps_image.then(|| image.clone());
                    return Some(((pending, image), (reads, send)));
                }
                // The receiver lives as long as this stream is polled.
                Err(error) => drop(send.send((pending, Err(error)))),
            }
        }
    });
    let answers = backend.classify(images, options);
    let answers = answers.map(|(pending, answer)| (pending, answer.map_err(FileError::Rejected)));
    let unreadable = stream::poll_fn(move |context| unreadable.poll_recv(context));
    stream::select(answers, unreadable)
}

/// An error that all further images would get, too.
pub(crate) struct Fatal<I> {
    pub(crate) message: String,
    pub(crate) error: CallError,
    /// Results that came before their turn.
    pub(crate) early: Early<I>,
}

/// An image and its result.
pub(crate) type ImageResult<I> = (Pending<I>, Result<Answer, FileError>);

/// Results by the index of their image.
pub(crate) type Early<I> = BTreeMap<usize, ImageResult<I>>;

/// The results of [`outcomes`] in the order of the images, up to a fatal error.
pub(crate) fn in_order<'a, I: Borrow<Input> + 'a>(
    backend: &'a Backend,
    inputs: impl Stream<Item = I> + 'a,
    options: ClassifyOptions,
) -> impl Stream<Item = Result<ImageResult<I>, Fatal<I>>> + 'a {
    let outcomes = outcomes(backend, inputs, options).boxed_local();
    let start = (outcomes, Early::new(), 0);
    stream::try_unfold(start, move |(mut outcomes, mut early, next)| async move {
        loop {
            if let Some(result) = early.remove(&next) {
                return Ok(Some((result, (outcomes, early, next + 1))));
            }
            let Some((pending, outcome)) = outcomes.next().await else {
                return Ok(None);
            };
            if let Err(FileError::Rejected(error)) = &outcome
                && let Some(message) = backend.fatal_message(error)
            {
                return Err(Fatal {
                    message,
                    error: error.clone(),
                    early,
                });
            }
            early.insert(pending.index, (pending, outcome));
        }
    })
}

/// The images in the order in which they have been read.
fn reads<'a, I: Borrow<Input> + 'a>(
    inputs: impl Stream<Item = I> + 'a,
    bytes_max: u64,
) -> impl Stream<Item = (Pending<I>, Result<Bytes, FileError>)> + 'a {
    let permits = Arc::new(Semaphore::new(PENDING_MAX));
    let permitted = inputs.enumerate().then(move |(index, input)| {
        let permit = Arc::clone(&permits).acquire_owned();
        async move {
            Pending {
                index,
                input,
                image: None,
                _permit: permit.await.expect("the semaphore is never closed"),
            }
        }
    });
    let reads = permitted.map(move |pending| async move {
        let read = pending.input.borrow().read(bytes_max).await;
        (pending, read)
    });
    reads.buffer_unordered(READS_MAX)
}
