//! Every layer of the service, in order, each with its reason.

use std::{io, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
    routing::get,
};
use futures_util::FutureExt;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use imageclassifier_proto::{
    FILE_DESCRIPTOR_SET, image_classifier_server::ImageClassifierServer,
    inference::grpc_inference_service_server::GrpcInferenceServiceServer,
};
use prometheus_client::metrics::gauge::Gauge;
use tokio::{net::TcpListener, sync::Semaphore, time::sleep};
use tonic::{Code, service::Routes};
use tonic_web::GrpcWebLayer;
use tower::{ServiceBuilder, steer::Steer};
use tower_http::{
    cors::{AllowOrigin, CorsLayer},
    csrf::CsrfLayer,
};
use tracing::Instrument;

use crate::{
    config::Config,
    edge::connection::{self, ConnectionLimits},
    engine::Engine,
    guard::{
        admission::{self, Admission},
        body_limit::{self, UploadLimits, Uploads},
        deadline,
        host::{self, AllowedHosts},
        rate_limit::{self, RateLimit},
        tokens::{self, Tokens},
    },
    observe::{
        error_reporter::Refusals,
        metrics::{Metrics, Stage},
        trace,
    },
    protocols::{classify::Service, http as plain_http, oip::Inference, page::PageSource},
    readiness::Phase,
    request::{
        error::{self, Failure, Fault},
        head::{self, Call},
    },
};

/// Where the server is called.
#[derive(Debug)]
pub struct Listeners {
    /// By everybody.
    pub calls: TcpListener,
    /// By Prometheus.
    pub metrics: Option<TcpListener>,
}

/// Serves gRPC, gRPC-Web, plain HTTP and the page until `shutdown`. Then it says that it is about to leave, still takes calls for
/// `--drain-grace`, finishes what it has taken, and gives up after `--drain-timeout`.
///
/// # Errors
/// If the reflection service cannot be built from the contract, an origin of `--cors-origin` is none, or the files with
/// certificate or tokens cannot be used.
pub async fn serve(
    listeners: Listeners,
    engine: Engine,
    config: &Config,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let (reporter, health) = tonic_health::server::health_reporter();
    let readiness = engine.readiness().clone();
    let metrics = engine.metrics().clone();
    let app = app(&engine, health, config)?;
    let tls = config.tls.watch()?;
    let limits = connection_limits(config);

    tokio::spawn(readiness.clone().report(reporter));
    tokio::spawn(warm_up(engine));
    let serving = async {
        let metrics_app = metrics_app(metrics.clone());
        let scraped = async {
            if let Some(listener) = listeners.metrics {
                connection::serve(
                    listener,
                    None,
                    metrics_app,
                    limits,
                    &readiness,
                    &Gauge::default(),
                )
                .await;
            }
        };
        tokio::join!(
            connection::serve(
                listeners.calls,
                tls,
                app,
                limits,
                &readiness,
                &metrics.connections
            ),
            scraped
        );
    };
    let stopping = async {
        shutdown.await;
        tracing::info!("stopping: taking calls for a little while longer");
        readiness.enter(Phase::Leaving);
        sleep(config.drain_grace).await;
        tracing::info!("stopping: finishing the calls in progress");
        readiness.enter(Phase::Closing);
        sleep(config.drain_timeout).await;
        tracing::warn!("calls still in progress were cut off");
    };
    tokio::select! {
        () = serving => {}
        () = stopping => {}
    }
    Ok(())
}

/// The calls, the page, and the calls in plain HTTP.
pub(crate) type App = Steer<Router, fn(&Request, &[Router]) -> usize, Request>;

/// Ready only after a picture has been answered.
async fn warm_up(engine: Engine) {
    match engine.warm_up().await {
        Ok(()) => tracing::info!("ready"),
        Err(failure) => crate::observe::logging::log_failure("warm-up", &failure),
    }
}

pub(crate) fn app(
    engine: &Engine,
    health: tonic_health::pb::health_server::HealthServer<
        impl tonic_health::pb::health_server::Health,
    >,
    config: &Config,
) -> io::Result<App> {
    let metrics = engine.metrics().clone();
    let refusals = Refusals::new(metrics.clone());
    if config.limits.upload_bytes_max < config.limits.image_bytes_max {
        let help =
            "--upload-bytes-max is less than --image-bytes-max: no such image could ever be taken";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, help));
    }
    let limits = upload_limits(config);
    let uploads = Uploads {
        limits,
        bytes: Arc::new(Semaphore::new(config.limits.upload_bytes_max as usize)),
        refusals: refusals.clone(),
        metrics: metrics.clone(),
    };
    let admission = Admission {
        engine: engine.clone(),
        refusals: refusals.clone(),
        calls: Arc::new(Semaphore::new(config.limits.calls_max.into())),
        open_streams: Arc::new(Semaphore::new(config.limits.open_streams_max.into())),
        other_calls: Arc::new(Semaphore::new(config.limits.calls_max.into())),
    };
    let tokens = match &config.token_file {
        Some(file) => Some((Tokens::watch(file)?, refusals.clone())),
        None => None,
    };
    let rate_limit = config
        .rate_limit
        .map(|rate| (RateLimit::new(rate), refusals.clone()));
    let service = Service::new(engine.clone(), refusals.clone(), config.limits.deadline);
    let classifier = ImageClassifierServer::new(service.clone())
        .max_decoding_message_size(limits.message_bytes_max);
    let inference = GrpcInferenceServiceServer::new(Inference::new(service.clone()))
        .max_decoding_message_size(limits.message_bytes_max);
    let reflection_v1 = reflection().build_v1().map_err(io::Error::other)?;
    let reflection_v1alpha = reflection().build_v1alpha().map_err(io::Error::other)?;
    let grpc = Routes::new(classifier)
        .add_service(inference)
        .add_service(health.max_decoding_message_size(SMALL_MESSAGE_BYTES_MAX))
        .add_service(reflection_v1.max_decoding_message_size(SMALL_MESSAGE_BYTES_MAX))
        .add_service(reflection_v1alpha.max_decoding_message_size(SMALL_MESSAGE_BYTES_MAX))
        .into_axum_router();
    // In one stack, from the outside inwards: a router boxes what each of its layers surrounds, and copies all of it for every
    // call.
    let guards = ServiceBuilder::new()
        .layer(middleware::from_fn_with_state(
            (refusals.clone(), metrics.clone()),
            watch,
        ))
        // Around everything that refuses calls: over HTTP/1.1 the rest of a refused message is read.
        .layer(middleware::from_fn_with_state(uploads, body_limit::watch))
        .option_layer(tokens.map(|state| middleware::from_fn_with_state(state, tokens::require)))
        .option_layer(
            rate_limit.map(|state| middleware::from_fn_with_state(state, rate_limit::enforce)),
        )
        .layer(middleware::from_fn_with_state(
            (refusals, config.limits.deadline),
            deadline::enforce,
        ))
        // Innermost: a message is read only when its call has a place and time enough.
        .layer(middleware::from_fn_with_state(admission, admission::admit));
    // Outermost, so that every answer, refusals too, can be read by pages that may call.
    let grpc = grpc.layer(guards.clone()).layer(
        ServiceBuilder::new()
            .layer(cors(&config.cors_origins))
            .layer(csrf(&config.cors_origins)?)
            // Outside the translation, which knows content types only to the letter.
            .layer(middleware::from_fn(head::recognise))
            // Around everything that refuses calls, so that refusals are translated too. Only around the RPCs: it answers 400
            // to whatever else speaks HTTP/1.1.
            .layer(GrpcWebLayer::new()),
    );
    let plain = plain_http::calls(service).layer(
        ServiceBuilder::new()
            .layer(cors(&config.cors_origins))
            .layer(csrf(&config.cors_origins)?)
            .layer(middleware::from_fn(head::recognise_plain))
            // In the place of the gRPC-Web layer, for the same reason.
            .layer(middleware::from_fn(plain_http::as_json))
            .layer(guards),
    );
    let page = config
        .web_root
        .clone()
        .map_or(PageSource::Embedded, PageSource::Folder)
        .routes()
        .merge(plain_http::documents());
    let hosts = AllowedHosts::of(config);
    let routers = [grpc, page, plain]
        .map(|routes| routes.layer(middleware::from_fn_with_state(hosts.clone(), host::check)));
    Ok(Steer::new(routers, |request, _| pick(request)))
}

/// Which of the routers, gRPC's, the page's or plain HTTP's, a request is for. Whoever reads wants the page; calls are posted,
/// and a browser asks with OPTIONS whether it may call.
fn pick(request: &Request) -> usize {
    let method = request.method();
    if [Method::GET, Method::HEAD].contains(method) {
        1
    } else if plain_http::is_call(request.uri().path()) {
        2
    } else {
        0
    }
}

/// Requests of the services that others define are short.
const SMALL_MESSAGE_BYTES_MAX: usize = 64 << 10;

fn upload_limits(config: &Config) -> UploadLimits {
    let limits = &config.limits;
    UploadLimits {
        message_bytes_max: usize::try_from(limits.message_bytes_max()).unwrap_or(usize::MAX),
        image_bytes_max: limits.image_bytes_max.into(),
        timeout: limits.upload_timeout,
        idle_timeout: limits.idle_timeout,
    }
}

fn connection_limits(config: &Config) -> ConnectionLimits {
    let limits = &config.limits;
    ConnectionLimits {
        connections_max: limits.connections_max.into(),
        streams_max: limits.streams_max,
        first_request_timeout: limits.first_request_timeout,
        idle_timeout: limits.idle_timeout,
        write_timeout: limits.write_timeout,
    }
}

/// Counts and traces each call with its answer. A panic becomes an answer like any other.
async fn watch(
    State((refusals, metrics)): State<(Refusals, Metrics)>,
    request: Request,
    next: Next,
) -> Response {
    let call = Call::of(request.extensions());
    let span = trace::call_span(&call, request.headers());
    let answering = AssertUnwindSafe(next.run(request)).catch_unwind();
    let response = answering.instrument(span.clone()).await;
    let response = response.unwrap_or_else(|_| {
        metrics.panics.inc();
        refusals.refuse(&call, &Failure::Internal(Fault::HandlerPanicked))
    });
    let response = match refused_by_tonic(&response) {
        Some(failure) => refusals.refuse(&call, &failure),
        None => response,
    };
    let code = response.headers().get("grpc-status");
    let code = code.map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes()));
    trace::record(&span, code);
    metrics.answered(call.method, call.protocol, code);
    if call.method == head::Method::Classify && code == Code::Ok {
        metrics.observe(Stage::Total, call.arrived_at.elapsed());
    }
    response
}

/// Why tonic itself has refused the call: its codec, which could not read the message, or its router. Neither gives details;
/// our own refusals always have some.
fn refused_by_tonic(response: &Response) -> Option<Failure> {
    const HELP: &str = "server reflection lists the methods";
    let headers = response.headers();
    if headers.contains_key("grpc-status-details-bin") {
        return None;
    }
    match Code::from_bytes(headers.get("grpc-status")?.as_bytes()) {
        Code::Internal | Code::OutOfRange => Some(Failure::MessageMalformed),
        Code::Unimplemented if headers.contains_key(error::ACCEPT_ENCODING) => {
            Some(Failure::MessageCompressed)
        }
        Code::Unimplemented => Some(Failure::UnknownMethod { help: HELP }),
        _ => None,
    }
}

fn metrics_app(metrics: Metrics) -> Router {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let scrape = async move || match metrics.render() {
        Ok(text) => Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], text)),
        Err(error) => Err((StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    };
    Router::new().route("/metrics", get(scrape))
}

/// Describes every service to clients that ask; some know only v1alpha of the protocol.
fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

/// Keeps pages of other origins from posting: the browser says where a request comes from.
fn csrf(origins: &[HeaderValue]) -> io::Result<CsrfLayer> {
    let mut layer = CsrfLayer::new();
    for origin in origins {
        let origin = origin.to_str().map_err(io::Error::other)?;
        layer = layer.add_trusted_origin(origin).map_err(io::Error::other)?;
    }
    Ok(layer)
}

/// How long a browser may remember that it may call.
const PREFLIGHT_LIFETIME: Duration = Duration::from_secs(7200);

/// Lets pages of the listed origins call, and read whatever the answer says about the call.
fn cors(origins: &[HeaderValue]) -> CorsLayer {
    const SENT: [&str; 9] = [
        "content-type",
        "x-grpc-web",
        "x-user-agent",
        "grpc-timeout",
        "grpc-accept-encoding",
        "authorization",
        "x-request-id",
        "traceparent",
        "tracestate",
    ];
    const READ: [&str; 7] = [
        "grpc-status",
        "grpc-message",
        "grpc-status-details-bin",
        "grpc-encoding",
        "grpc-retry-pushback-ms",
        "retry-after",
        "x-request-id",
    ];
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().cloned()))
        .allow_methods([Method::POST])
        .allow_headers(SENT.map(HeaderName::from_static))
        .expose_headers(READ.map(HeaderName::from_static))
        .max_age(PREFLIGHT_LIFETIME)
}
