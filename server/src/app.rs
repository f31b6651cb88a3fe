//! Every layer of the service, in order, each with its reason.

use std::{io, time::Duration};

use axum::{Router, middleware};
use http::{HeaderName, HeaderValue, Method, Request, header};
use imageclassifier_proto::{FILE_DESCRIPTOR_SET, image_classifier_server::ImageClassifierServer};
use tokio::net::TcpListener;
use tonic::{
    service::Routes,
    transport::{Server, server::TcpIncoming},
};
use tonic_web::GrpcWebLayer;
use tower::steer::Steer;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::{
    Config, Engine,
    oversize::{self, MessageLimit},
    page::PageSource,
    readiness::Readiness,
    request_id,
    service::Service,
};

/// Serves gRPC, gRPC-Web and the page on `listener` until `shutdown`, then finishes the calls in progress for at most
/// the configured time.
///
/// # Errors
/// If the reflection service cannot be built from the contract, or the listener fails.
pub async fn serve(
    listener: TcpListener,
    engine: Engine,
    config: &Config,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let (reporter, health) = tonic_health::server::health_reporter();
    let readiness = Readiness::new(reporter).await;

    let limit = message_limit(config);
    let service = ImageClassifierServer::new(Service::new(engine.clone()))
        .max_decoding_message_size(limit.message_bytes_max);
    let reflection_v1 = reflection().build_v1().map_err(io::Error::other)?;
    let reflection_v1alpha = reflection().build_v1alpha().map_err(io::Error::other)?;
    let grpc = Routes::new(service)
        .add_service(health)
        .add_service(reflection_v1)
        .add_service(reflection_v1alpha)
        .into_axum_router()
        // Only around the RPCs: it answers 400 to whatever else speaks HTTP/1.1.
        .layer(GrpcWebLayer::new())
        // Outside the translation, which hides how long a message is.
        .layer(middleware::from_fn_with_state(limit, oversize::refuse))
        // Outside whatever logs or answers.
        .layer(middleware::from_fn(request_id::assign))
        // Outermost, so that every answer, refusals too, can be read by pages that may call.
        .layer(cors(&config.cors_origins));
    let page = config
        .web_root
        .clone()
        .map_or(PageSource::Embedded, PageSource::Folder)
        .routes();
    let app = Steer::new([grpc, page], |request: &Request<_>, _: &[Router]| {
        usize::from(!is_rpc(request))
    });

    let warming_up = tokio::spawn(warm_up(engine, readiness.clone()));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    // Small frames, window updates above all, must not wait for an acknowledgement: that costs a caller 40 ms.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let serving = Server::builder()
        .accept_http1(true)
        .serve_with_incoming_shutdown(app, incoming, async {
            let _ = stopped.await;
        });
    let draining = async {
        shutdown.await;
        tracing::info!("stopping: finishing the calls in progress");
        warming_up.abort();
        readiness.not_ready().await;
        let _ = stop.send(());
        // Someone watching our health holds a call open for ever.
        tokio::time::sleep(config.drain_timeout).await;
        tracing::warn!("calls still in progress were cut off");
    };
    tokio::select! {
        served = serving => served.map_err(io::Error::other),
        () = draining => Ok(()),
    }
}

/// Ready only after the network has answered once.
async fn warm_up(engine: Engine, readiness: Readiness) {
    match engine.warm_up().await {
        Ok(()) => {
            readiness.ready().await;
            tracing::info!("ready");
        }
        Err(failure) => crate::telemetry::log_failure("warm-up", &failure),
    }
}

/// An image a little over its limit is still read, so that the answer can say how long it is.
fn message_limit(config: &Config) -> MessageLimit {
    const OTHER_FIELDS_BYTES_MAX: usize = 64 << 10;
    MessageLimit {
        message_bytes_max: config.image_bytes_max as usize * 2 + OTHER_FIELDS_BYTES_MAX,
        image_bytes_max: config.image_bytes_max.into(),
    }
}

/// Describes every service to clients that ask; some know only v1alpha of the protocol.
fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

/// Calls are recognised by their content type; so is the question a browser asks before a call from another origin.
fn is_rpc<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    let asks_first = request.method() == Method::OPTIONS
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let content_type = headers.get(header::CONTENT_TYPE);
    asks_first
        || content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// How long a browser may remember that it may call.
const PREFLIGHT_LIFETIME: Duration = Duration::from_secs(7200);

/// Lets pages of the listed origins call, and read whatever the answer says about the call.
fn cors(origins: &[HeaderValue]) -> CorsLayer {
    const SENT: [&str; 7] = [
        "content-type",
        "x-grpc-web",
        "x-user-agent",
        "grpc-timeout",
        "grpc-accept-encoding",
        "authorization",
        "x-request-id",
    ];
    const READ: [&str; 5] = [
        "grpc-status",
        "grpc-message",
        "grpc-status-details-bin",
        "grpc-encoding",
        "x-request-id",
    ];
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().cloned()))
        .allow_methods([Method::POST])
        .allow_headers(SENT.map(HeaderName::from_static))
        .expose_headers(READ.map(HeaderName::from_static))
        .max_age(PREFLIGHT_LIFETIME)
}
