use std::{collections::HashMap, pin::Pin, sync::Arc};

use bytes::Bytes;
use futures_util::{
    Stream, StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use imageclassifier_proto::{
    ClassifyImageRequest, ClassifyStreamResponse, classify_stream_response::Outcome,
};
use tokio::{
    sync::{
        Mutex,
        mpsc::{self, error::TrySendError},
    },
    time::{Duration, Instant, sleep_until, timeout},
};
use tonic::Status;

use super::retry;
use crate::{
    Answer, CallError, Classifier, ClassifyOptions, retry::UNPROCESSED_MAX,
    transport::is_unprocessed,
};

/// How long the client waits for the server to end the stream after its last response, so that it does not see the stream
/// break off.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Options of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamOptions {
    /// How many images may be in flight at once, at least 1. It bounds the memory of the stream.
    pub in_flight_max: usize,
    /// How many more times an image is sent that was rejected temporarily, or lost with the connection.
    pub retries: u32,
}

impl Default for StreamOptions {
    /// Enough images to keep a server of several cores busy over a slow network, and retries for half a minute.
    fn default() -> Self {
        Self {
            in_flight_max: 16,
            retries: 8,
        }
    }
}

impl Classifier {
    /// Classifies `images`, each with a key of the caller's, over one bidirectional stream for each address of the servers. Results
    /// come as they are ready, in any order, each with its image's key; an error concerns its image alone. The next image is
    /// polled when fewer than `in_flight_max` are in flight.
    ///
    /// Images that the server rejects temporarily are sent again after its hint. A stream that breaks is reopened, at another
    /// server if there is one, and the images in flight are sent again.
    pub fn classify_stream<K, P>(
        &self,
        images: P,
        options: ClassifyOptions,
        stream_options: StreamOptions,
    ) -> impl Stream<Item = (K, Result<Answer, CallError>)> + use<K, P>
    where
        P: Stream<Item = (K, Bytes)>,
    {
        let classifier = self.clone();
        let in_flight_max = stream_options.in_flight_max.max(1);
        let images: Images<P> = Arc::new(Mutex::new(Some(Box::pin(images))));
        let sessions = async move {
            let count = classifier.channel.resolved_addresses().await;
            let count = count.min(in_flight_max);
            let session = |number| Session {
                classifier: classifier.clone(),
                options: options.clone(),
                in_flight_max: in_flight_max / count + usize::from(number < in_flight_max % count),
                retries: stream_options.retries,
                images: Some(Arc::clone(&images)),
                connection: None,
                in_flight: HashMap::new(),
                delayed: Vec::new(),
                failed: Vec::new(),
                unprocessed: 0,
            };
            stream::select_all(
                (0..count)
                    .map(session)
                    .map(|session| Box::pin(results(session))),
            )
        };
        stream::once(sessions).flatten()
    }
}

fn results<K, P: Stream<Item = (K, Bytes)>>(
    session: Session<K, P>,
) -> impl Stream<Item = (K, Result<Answer, CallError>)> {
    stream::unfold(session, |mut session| async {
        let outcome = session.next().await?;
        Some((outcome, session))
    })
}

/// The caller's images, which all sessions take from; `None` after the last one.
type Images<P> = Arc<Mutex<Option<Pin<Box<P>>>>>;

/// The images of one stream to a server, and the state of each.
struct Session<K, P> {
    classifier: Classifier,
    options: ClassifyOptions,
    in_flight_max: usize,
    retries: u32,
    /// `None` after the last one.
    images: Option<Images<P>>,
    connection: Option<Connection>,
    /// In flight on `connection`, by index there.
    in_flight: HashMap<u64, Pending<K>>,
    /// To be sent again, each at its time.
    delayed: Vec<(Instant, Pending<K>)>,
    /// To be returned to the caller.
    failed: Vec<(K, CallError)>,
    /// How many connections have ended since the last response before the server had begun to process the stream.
    unprocessed: u32,
}

/// An image without a result. Its bytes are kept in case they have to be sent again.
struct Pending<K> {
    key: K,
    image: Bytes,
    expires_at: Option<Instant>,
    retries: u32,
}

/// An open stream.
struct Connection {
    requests: mpsc::Sender<ClassifyImageRequest>,
    responses: BoxStream<'static, Result<ClassifyStreamResponse, Status>>,
    sent: u64,
}

impl<K, P: Stream<Item = (K, Bytes)>> Session<K, P> {
    async fn next(&mut self) -> Option<(K, Result<Answer, CallError>)> {
        loop {
            if let Some((key, error)) = self.failed.pop() {
                return Some((key, Err(error)));
            }
            let pending = self.in_flight.len() + self.delayed.len();
            let has_room = self.images.is_some() && pending < self.in_flight_max;
            if pending == 0 && !has_room {
                self.close().await;
                return None;
            }
            let wake_at = self.next_wake();
            tokio::select! {
                // Responses first: one that arrived in time must not time out before it is read.
                biased;
                response = next_response(&mut self.connection), if !self.in_flight.is_empty() => {
                    if let Some(outcome) = self.take(response) {
                        return Some(outcome);
                    }
                }
                image = next_image(self.images.as_ref()), if has_room => match image {
                    Some((key, image)) => self.start(key, image),
                    None => self.images = None,
                },
                () = until(wake_at), if wake_at.is_some() => self.wake(),
            }
        }
    }

    fn start(&mut self, key: K, image: Bytes) {
        let timeout = self.classifier.timeout;
        self.send(Pending {
            key,
            image,
            expires_at: timeout.and_then(|timeout| Instant::now().checked_add(timeout)),
            retries: 0,
        });
    }

    fn send(&mut self, pending: Pending<K>) {
        let mut request = self.options.clone().request(pending.image.clone());
        loop {
            let connection = self
                .connection
                .get_or_insert_with(|| Connection::open(&self.classifier, self.in_flight_max));
            match connection.requests.try_send(request) {
                Ok(()) => {
                    self.in_flight.insert(connection.sent, pending);
                    connection.sent += 1;
                    return;
                }
                // Full only of images that timed out: the server reads none.
                Err(TrySendError::Full(back) | TrySendError::Closed(back)) => {
                    request = back;
                    self.disconnect(Status::unavailable("the stream has ended"));
                }
            }
        }
    }

    fn take(
        &mut self,
        response: Option<Result<ClassifyStreamResponse, Status>>,
    ) -> Option<(K, Result<Answer, CallError>)> {
        let response = match response {
            Some(Ok(response)) => response,
            Some(Err(status)) => {
                self.disconnect(status);
                return None;
            }
            None => {
                let ended =
                    Status::unavailable("the server ended the stream before its last response");
                self.disconnect(ended);
                return None;
            }
        };
        self.unprocessed = 0;
        // `None` if it timed out.
        let pending = self.in_flight.remove(&response.index)?;
        match response.outcome {
            Some(Outcome::Response(answer)) => {
                self.classifier.retries.succeeded();
                return Some((pending.key, Ok(answer)));
            }
            Some(Outcome::Error(status)) => self.fail(pending, status.into()),
            None => self.fail(
                pending,
                Status::internal("a response has no outcome").into(),
            ),
        }
        None
    }

    /// Drops the connection, and with it everything in flight.
    fn disconnect(&mut self, status: Status) {
        self.connection = None;
        let lost = std::mem::take(&mut self.in_flight).into_values();
        if is_unprocessed(&status) && self.unprocessed < UNPROCESSED_MAX {
            self.unprocessed += 1;
            let now = Instant::now();
            self.delayed.extend(lost.map(|pending| (now, pending)));
            return; // costs nothing
        }
        let error = CallError::from(status);
        if error.kind().is_retryable() {
            self.classifier.retries.failed();
        }
        for pending in lost {
            self.fail(pending, error.clone());
        }
    }

    /// Schedules a retry if one can help in time, or returns the error to the caller.
    fn fail(&mut self, mut pending: Pending<K>, error: CallError) {
        let again_at = retry::wait(pending.retries, &error)
            .filter(|_| pending.retries < self.retries && self.classifier.retries.are_allowed())
            .map(|wait| Instant::now() + wait)
            .filter(|&at| pending.expires_at.is_none_or(|expires_at| at < expires_at));
        match again_at {
            Some(at) => {
                pending.retries += 1;
                self.delayed.push((at, pending));
            }
            None => self.failed.push((pending.key, error)),
        }
    }

    /// When the next image times out or is to be sent again.
    fn next_wake(&self) -> Option<Instant> {
        let expiries = self
            .in_flight
            .values()
            .filter_map(|pending| pending.expires_at);
        expiries.chain(self.delayed.iter().map(|(at, _)| *at)).min()
    }

    fn wake(&mut self) {
        let now = Instant::now();
        let is_late = |pending: &Pending<K>| pending.expires_at.is_some_and(|at| at <= now);
        for (_, pending) in self.in_flight.extract_if(|_, pending| is_late(pending)) {
            self.failed.push((pending.key, CallError::out_of_time()));
        }
        let due: Vec<_> = self.delayed.extract_if(.., |(at, _)| *at <= now).collect();
        for (_, pending) in due {
            self.send(pending);
        }
    }

    async fn close(&mut self) {
        if let Some(Connection {
            requests,
            responses,
            ..
        }) = self.connection.take()
        {
            drop(requests);
            // No more responses are expected, so that a timeout is no error.
            let _ = timeout(CLOSE_TIMEOUT, responses.map(drop).collect::<()>()).await;
        }
    }
}

impl Connection {
    fn open(classifier: &Classifier, in_flight_max: usize) -> Self {
        let (requests, mut to_send) = mpsc::channel(in_flight_max);
        let to_send = stream::poll_fn(move |context| to_send.poll_recv(context));
        let request = classifier.request(to_send);
        let mut rpc = classifier.rpc.clone();
        // The server may send its headers only after the first image.
        let opening = async move {
            rpc.classify_stream(request)
                .await
                .map(tonic::Response::into_inner)
        };
        Self {
            requests,
            responses: stream::once(opening).try_flatten().boxed(),
            sent: 0,
        }
    }
}

async fn next_response(
    connection: &mut Option<Connection>,
) -> Option<Result<ClassifyStreamResponse, Status>> {
    connection.as_mut()?.responses.next().await
}

async fn next_image<P: Stream>(images: Option<&Images<P>>) -> Option<P::Item> {
    let mut images = images?.lock().await;
    let image = images.as_mut()?.next().await;
    if image.is_none() {
        *images = None;
    }
    image
}

async fn until(at: Option<Instant>) {
    if let Some(at) = at {
        sleep_until(at).await;
    }
}
