//! The write timeout of HTTP/2 responses. Each response has its own clock, which runs only while data is ready that the
//! client does not take. So a response that waits for the server is not cut off, and one that moves keeps no other alive.
//! (Over HTTP/1.1 a connection has one response, and the timeout of its socket is enough.)

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::rt::Executor;
use tokio::time::{Instant, sleep_until};

tokio::task_local! {
    /// The clock of the response on the stream that this task serves.
    static CLOCK: Arc<Clock>;
}

/// How much a response hands over at once. A client that takes less within the timeout is cut off; HTTP/2 would split
/// larger frames into pieces of this length anyway.
const CHUNK_BYTES: usize = 16 << 10;

/// Runs the streams of HTTP/2 connections. Resets a stream if its client leaves a part of the response untaken for
/// `timeout`.
#[derive(Clone)]
pub(crate) struct StreamExecutor {
    timeout: Duration,
}

impl StreamExecutor {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { timeout }
    }
}

impl<F> Executor<F> for StreamExecutor
where
    F: Future + Send + 'static,
{
    fn execute(&self, stream: F) {
        let timeout = self.timeout;
        let clock = Arc::<Clock>::default();
        let watched = Arc::clone(&clock);
        tokio::spawn(CLOCK.scope(clock, async move {
            tokio::select! {
                biased;
                _ = stream => {}
                // Dropping the stream resets it, and discards what it had yet to send.
                () = watched.overdue(timeout) => {}
            }
        }));
    }
}

/// Puts `body` under the clock of its stream. A body that is not on an HTTP/2 stream has no clock and is returned as it is.
pub(crate) fn timed(body: Body) -> Body {
    match CLOCK.try_with(Arc::clone) {
        Ok(clock) => {
            clock.start();
            Body::new(Timed {
                body,
                rest: Bytes::new(),
                clock,
            })
        }
        Err(_) => body,
    }
}

/// Runs while a response is ready to be taken. It is also the waker of the response's body: a body that wakes is ready.
#[derive(Default)]
struct Clock {
    since: Mutex<Option<Instant>>,
    connection: AtomicWaker,
}

impl Clock {
    fn start(&self) {
        self.since().get_or_insert_with(Instant::now);
    }

    fn stop(&self) {
        *self.since() = None;
    }

    /// Waits until the clock has run for `timeout` without a stop.
    async fn overdue(&self, timeout: Duration) {
        loop {
            // If it starts while this sleeps, it is not overdue when this wakes.
            let since = *self.since();
            let until = since.unwrap_or_else(Instant::now) + timeout;
            if since.is_some() && until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }

    fn since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Clock {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.start();
        self.connection.wake();
    }
}

/// How much of `rest_bytes` is handed over next. The connection takes a chunk as soon as the client takes one byte of it, but the
/// next chunk only once the client has taken all of the one before. So the last byte goes alone: it is handed over when the client has
/// taken everything else.
fn chunk_bytes(rest_bytes: usize) -> usize {
    let but_one = rest_bytes.saturating_sub(1).max(1);
    CHUNK_BYTES.min(but_one).min(rest_bytes)
}

struct Timed {
    body: Body,
    /// The rest of a frame that is longer than a chunk.
    rest: Bytes,
    clock: Arc<Clock>,
}

impl Timed {
    fn poll_body(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.clock.connection.register(context.waker());
        let waker = Waker::from(Arc::clone(&self.clock));
        Pin::new(&mut self.body).poll_frame(&mut Context::from_waker(&waker))
    }
}

impl HttpBody for Timed {
    type Data = Bytes;
    type Error = axum::Error;

    /// The connection polls for a frame once it could send the earlier ones.
    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        this.clock.stop();
        if this.rest.is_empty() {
            let frame = std::task::ready!(this.poll_body(context));
            match frame.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => this.rest = data,
                Some(Ok(Err(trailers))) => {
                    this.clock.start();
                    return Poll::Ready(Some(Ok(trailers)));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        this.clock.start();
        let chunk = this.rest.split_to(chunk_bytes(this.rest.len()));
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let body = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower().saturating_add(rest));
        if let Some(upper) = body.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, future::poll_fn};

    use futures_util::StreamExt;
    use http_body_util::BodyExt;
    use tokio::{sync::mpsc, time::timeout};
    use tokio_stream::wrappers::UnboundedReceiverStream;

    use super::*;

    #[tokio::test]
    async fn the_clock_runs_only_while_something_is_ready() {
        let clock = Arc::<Clock>::default();
        let runs = || clock.since().is_some();
        let (sender, receiver) = mpsc::unbounded_channel::<Bytes>();
        let frames = UnboundedReceiverStream::new(receiver).map(Ok::<_, Infallible>);
        let body = Body::from_stream(frames);
        let mut body = CLOCK.sync_scope(Arc::clone(&clock), || timed(body));
        assert!(runs(), "the connection has not asked yet");

        let polled = poll_fn(|context| Poll::Ready(Pin::new(&mut body).poll_frame(context)));
        assert!(polled.await.is_pending() && !runs());
        sender.send(vec![0; 40 << 10].into()).unwrap();
        assert!(runs(), "the connection has not asked again");
        for bytes in [16 << 10, 16 << 10, (8 << 10) - 1, 1] {
            assert!(!body.is_end_stream());
            let frame = body.frame().await.unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap().len(), bytes);
            assert!(runs(), "{bytes} bytes have not been taken");
        }
        drop(sender);
        assert!(body.frame().await.is_none() && !runs());
    }

    #[test]
    fn the_last_byte_goes_alone() {
        const FULL: usize = 16 << 10;
        for (rest, expected) in [(0, 0), (1, 1), (2, 1), (FULL, FULL - 1), (FULL + 1, FULL)] {
            assert_eq!(chunk_bytes(rest), expected, "{rest}");
        }
    }

    #[tokio::test]
    async fn a_clock_that_runs_is_overdue_after_its_timeout() {
        const TIMEOUT: Duration = Duration::from_millis(50);
        let clock = Clock::default();
        let stopped = timeout(4 * TIMEOUT, clock.overdue(TIMEOUT)).await;
        assert!(stopped.is_err(), "it does not run");
        clock.start();
        let started_at = Instant::now();
        clock.overdue(TIMEOUT).await;
        assert!(started_at.elapsed() >= TIMEOUT);
    }

    #[test]
    fn a_body_keeps_its_length_and_is_left_alone_without_a_stream() {
        let full = || Body::from(vec![0; 40 << 10]);
        let clock = Arc::<Clock>::default();
        let body = CLOCK.sync_scope(Arc::clone(&clock), || timed(full()));
        assert_eq!(body.size_hint().exact(), Some(40 << 10));
        assert_eq!(timed(full()).size_hint().exact(), Some(40 << 10));
        assert_eq!(Arc::strong_count(&clock), 2, "only the first has a clock");
    }
}
