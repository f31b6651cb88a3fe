//! Connections from their first byte to their last: how many there are, how long they may be idle, and how they end.

use std::{
    convert::Infallible,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use http::{HeaderValue, Request, Response, Version, header};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use prometheus_client::metrics::gauge::Gauge;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::Semaphore,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{Service, ServiceExt};

use crate::{
    body_guard::hold_until_end,
    edge::{
        accept::{Accepted, accept},
        activity::Activity,
        age::Age,
        limits::{ConnectionCounts, ConnectionLimits},
        proxy_protocol, syn_gate,
        tls::Tls,
        write_timeout::{StreamExecutor, timed},
    },
    readiness::{Phase, Readiness},
    request::{peer::Peer, trusted_proxies::TrustedProxies},
};

/// Even while the server closes, a new connection may send one request within this time: its client could not know that.
const FIRST_REQUEST_GRACE: Duration = Duration::from_secs(1);
/// How long an idle peer may take to answer the announcement that its connection ends.
const GOODBYE: Duration = Duration::from_millis(500);
/// Limit on the head of an HTTP/1 request: with hyper's default, a thousand connections could hold 400 MiB. It also limits
/// how much of a body is read or written at once.
const HTTP1_BUFFER_BYTES_MAX: usize = 64 << 10;
/// Limit on the head of an HTTP/2 request; a connection may have many requests at once. It is larger than the limit of
/// `guard::metadata_size`, so that its rejection has a message.
const HTTP2_HEAD_BYTES_MAX: u32 = 32 << 10;
/// How much a stream, and all streams of a connection together, may send before we read it: enough for a photograph.
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 1 << 20;
/// How much a connection may make us hold before we see it; a photograph takes a few frames.
const FRAME_BYTES_MAX: u32 = 64 << 10;
/// Streams that were opened and reset before we looked at them: more are an attack (CVE-2023-44487).
const PENDING_RESETS_MAX: usize = 20;
/// How often to ping an HTTP/2 peer, to find out whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Serves `app` on `listener` until the server closes. Returns when every request has been answered; peers that keep their
/// connection open are then disconnected.
pub(crate) async fn serve<S>(
    listener: TcpListener,
    tls: Option<Tls>,
    app: S,
    limits: ConnectionLimits,
    trusted: &TrustedProxies,
    readiness: &Readiness,
    counts: &ConnectionCounts,
) where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let connections = TaskTracker::new();
    let tracker = connections.clone();
    // Cuts off the remaining connections when this future is dropped or done.
    let cut_off = CancellationToken::new();
    let _cut_off_at_end = cut_off.clone().drop_guard();
    let requests = Arc::default();
    let all_requests = Arc::clone(&requests);
    // Owns the app, which is not `Sync`.
    let welcome = move |(mut stream, peer, place): Accepted| {
        let mut connection = Connection {
            app: app.clone(),
            peer: Peer(peer.ip()),
            limits,
            readiness: readiness.clone(),
            activity: Arc::new(Activity::new(Arc::clone(&requests))),
            counts: counts.clone(),
        };
        let counted = Open::begin(counts.open.clone());
        let acceptor = tls.as_ref().map(Tls::acceptor);
        let trusted = trusted.clone();
        tracker.spawn(cut_off.clone().run_until_cancelled_owned(async move {
            let client = proxy_protocol::client(&mut stream, peer, &trusted);
            match timeout(limits.first_request_timeout, client).await {
                Ok(Ok(client)) => connection.peer = Peer(client),
                Ok(Err(error)) => {
                    return tracing::debug!(%peer, "a proxy is misunderstood: {error}");
                }
                Err(_) => return,
            }
            match acceptor {
                None => connection.serve(stream).await,
                Some(acceptor) => {
                    let handshake = timeout(limits.first_request_timeout, acceptor.accept(stream));
                    // If the handshake fails, TLS itself has sent the client the reason.
                    if let Ok(Ok(stream)) = handshake.await {
                        connection.serve(stream).await;
                    }
                }
            }
            drop((counted, place));
        }));
    };
    let mut closing = pin!(readiness.closing());
    loop {
        tokio::select! {
            accepted = accept(&listener, &places) => welcome(accepted),
            () = &mut closing => break,
        }
    }
    // Clients that are connected but not yet accepted, or in the middle of the handshake.
    let mut last = pin!(sleep(syn_gate::keep_out(&listener)));
    loop {
        tokio::select! {
            biased;
            accepted = accept(&listener, &places) => {
                let _ = syn_gate::let_in(&accepted.0);
                welcome(accepted);
            }
            () = &mut last => break,
        }
    }
    drop(listener);
    connections.close();
    tokio::select! {
        () = connections.wait() => {}
        () = all_answered(&all_requests) => {}
    }
}

struct Connection<S> {
    app: S,
    peer: Peer,
    limits: ConnectionLimits,
    readiness: Readiness,
    activity: Arc<Activity>,
    counts: ConnectionCounts,
}

impl<S> Connection<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    async fn serve<I: AsyncRead + AsyncWrite + Send + 'static>(self, stream: I) {
        let Self {
            app,
            peer,
            limits,
            readiness,
            activity,
            counts,
        } = self;
        let age = Arc::new(Age::new(limits.age));
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits.write_timeout));
        let service = {
            let (activity, age) = (Arc::clone(&activity), Arc::clone(&age));
            let readiness = readiness.clone();
            tower::service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(peer);
                let busy = Activity::begin(&activity);
                let version = request.version();
                age.carries(version);
                let (age, readiness) = (Arc::clone(&age), readiness.clone());
                let answering = app.clone().oneshot(request.map(Body::new));
                async move {
                    let mut response = answering.await?;
                    let last = age.is_old() || readiness.phase() > Phase::Serving;
                    if last && version < Version::HTTP_2 {
                        let close = HeaderValue::from_static("close");
                        response.headers_mut().insert(header::CONNECTION, close);
                    }
                    Ok::<_, Infallible>(hold_until_end(response, busy).map(timed))
                }
            })
        };
        let builder = builder(limits);
        let connection = builder.serve_connection(
            TokioIo::new(Box::pin(stream)),
            TowerToHyperService::new(service),
        );
        let mut connection = pin!(connection);
        let mut idle = pin!(activity.idle_too_long(limits));
        let young_until = Instant::now() + FIRST_REQUEST_GRACE;
        let closing = async {
            readiness.closing().await;
            sleep_until(young_until).await;
        };
        // Over HTTP/1.1 only a response can announce the end: a client may send a request while an idle connection closes.
        let aged = async {
            age.old().await;
            counts.aged.inc();
            age.http2().await;
        };
        let mut last_requests = pin!(async {
            tokio::select! {
                () = closing => {}
                () = aged => {}
            }
        });
        let mut over = pin!(age.over());
        let mut shutdown_started = false;
        loop {
            tokio::select! {
                // How a connection ends is up to the peer; our own errors have been logged by then.
                _ = connection.as_mut() => return,
                () = &mut idle => {
                    // Tells an HTTP/2 peer which of its requests have not been seen.
                    connection.as_mut().graceful_shutdown();
                    let ended = timeout(GOODBYE, connection.as_mut()).await.is_ok();
                    if ended || !activity.is_busy() {
                        return;
                    }
                    shutdown_started = true;
                    idle.set(activity.idle_too_long(limits));
                }
                () = &mut over => {
                    if activity.is_busy() {
                        counts.cut_off.inc();
                    }
                    return;
                }
                () = &mut last_requests, if !shutdown_started => {
                    shutdown_started = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

fn builder(limits: ConnectionLimits) -> auto::Builder<StreamExecutor> {
    let mut builder = auto::Builder::new(StreamExecutor::new(limits.write_timeout));
    builder
        .http1()
        .timer(TokioTimer::new())
        .max_buf_size(HTTP1_BUFFER_BYTES_MAX)
        .header_read_timeout(limits.idle_timeout);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .max_concurrent_streams(limits.streams_max)
        .max_header_list_size(HTTP2_HEAD_BYTES_MAX)
        .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_frame_size(FRAME_BYTES_MAX);
    builder
}

/// Waits until no request has been in progress for a while: by then the last response is on its way.
async fn all_answered(requests: &AtomicUsize) {
    const LOOK: Duration = Duration::from_millis(50);
    const QUIET_LOOKS: usize = 10;
    let mut quiet = 0;
    while quiet < QUIET_LOOKS {
        sleep(LOOK).await;
        quiet = if requests.load(Ordering::Relaxed) == 0 {
            quiet + 1
        } else {
            0
        };
    }
}

/// Counts a connection for as long as it lives, however it ends.
struct Open(Gauge);

impl Open {
    fn begin(open: Gauge) -> Self {
        open.inc();
        Self(open)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}
