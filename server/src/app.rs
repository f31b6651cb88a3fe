//! Every layer of the service, in order, each with its reason.

use std::{io, sync::Arc};

use axum::{Router, extract::Request, middleware};
use http::Method;
use imageclassifier_proto::{
    FILE_DESCRIPTOR_SET, image_classifier_server::ImageClassifierServer,
    inference::grpc_inference_service_server::GrpcInferenceServiceServer,
};
use tokio::sync::Semaphore;
use tonic::service::Routes;
use tonic_web::GrpcWebLayer;
use tower::{ServiceBuilder, steer::Steer};

use crate::{
    config::Config,
    engine::{Engine, offload::Offload},
    guard::{
        admission::{self, Admission},
        body_limit::{self, BodyLimiter},
        client_address, deadline,
        decompress::{self, Decompressor},
        expectation, framing,
        host::{self, AllowedHosts},
        long_lived::{LongLived, LongLivedLimits},
        message_meter::BodyLimits,
        metadata_size, origin,
        rate_limit::{self, RateLimit},
        reflection_message::SMALL_MESSAGE_BYTES_MAX,
        tokens::{self, Tokens},
        upload,
    },
    observe::{error_reporter::ErrorReporter, record},
    protocols::{
        classify::Service,
        compress,
        grpc::Grpc,
        http as plain_http, load_report,
        oip::{OipService, message, rest},
        page::PageSource,
    },
    request::{head, method::is_oip_path, trusted_proxies::TrustedProxies},
};

/// The routers for gRPC, the page, and plain HTTP.
pub(crate) type App = Steer<Router, fn(&Request, &[Router]) -> usize, Request>;

pub(crate) fn app(
    engine: &Engine,
    health: tonic_health::pb::health_server::HealthServer<
        impl tonic_health::pb::health_server::Health,
    >,
    config: &Config,
) -> io::Result<App> {
    let metrics = engine.metrics().clone();
    let reporter = ErrorReporter::new(metrics.clone());
    if config.limits.upload_bytes_max < config.limits.image_bytes_max {
        let help =
            "--upload-bytes-max is less than --image-bytes-max: no such image could ever be taken";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, help));
    }
    let offload = Offload::new()?;
    let limits = body_limits(config);
    let decompressor = Decompressor {
        limits,
        reporter: reporter.clone(),
        offload: offload.clone(),
    };
    let limiter = BodyLimiter {
        limits,
        bytes: Arc::new(Semaphore::new(config.limits.held_bytes_max())),
        reporter: reporter.clone(),
        metrics: metrics.clone(),
    };
    let admission = Admission {
        engine: engine.clone(),
        reporter: reporter.clone(),
        requests: Arc::new(Semaphore::new(config.limits.calls_max.into())),
        open_streams: Arc::new(Semaphore::new(config.limits.open_streams_max.into())),
        other_requests: Arc::new(Semaphore::new(config.limits.calls_max.into())),
        long_lived: LongLived::new(
            long_lived_limits(config),
            reporter.clone(),
            engine.readiness().clone(),
        ),
    };
    let tokens = match &config.token_file {
        Some(file) => Some((Tokens::watch(file)?, reporter.clone())),
        None => None,
    };
    let rate_limit = config
        .rate_limit
        .map(|rate| (RateLimit::new(rate), reporter.clone()));
    let service = Service::new(engine.clone(), reporter.clone(), config.limits.deadline);
    let classifier = ImageClassifierServer::new(Grpc::new(service.clone()))
        .max_decoding_message_size(limits.message_bytes_max);
    let oip = GrpcInferenceServiceServer::new(OipService::new(service.clone()))
        .max_decoding_message_size(limits.message_bytes_max);
    let reflection_v1 = reflection().build_v1().map_err(io::Error::other)?;
    let reflection_v1alpha = reflection().build_v1alpha().map_err(io::Error::other)?;
    let grpc = Routes::new(classifier)
        .add_service(oip)
        .add_service(health.max_decoding_message_size(SMALL_MESSAGE_BYTES_MAX))
        .add_service(reflection_v1.max_decoding_message_size(SMALL_MESSAGE_BYTES_MAX))
        .add_service(reflection_v1alpha.max_decoding_message_size(SMALL_MESSAGE_BYTES_MAX))
        .into_axum_router();
    // One stack, from the outside in: a router boxes what each of its layers surrounds, and clones all of it for every
    // request.
    let guards = ServiceBuilder::new()
        .layer(middleware::from_fn_with_state(
            (reporter.clone(), metrics.clone()),
            record::record,
        ))
        .layer(middleware::from_fn_with_state(
            reporter.clone(),
            metadata_size::check,
        ))
        // Before anything reads the body: the client would be asked to send it.
        .layer(middleware::from_fn_with_state(
            (limits, reporter.clone()),
            expectation::check,
        ))
        .layer(middleware::from_fn_with_state(limiter, body_limit::watch))
        .option_layer(tokens.map(|state| middleware::from_fn_with_state(state, tokens::require)))
        .option_layer(
            rate_limit.map(|state| middleware::from_fn_with_state(state, rate_limit::enforce)),
        )
        .layer(middleware::from_fn_with_state(
            (reporter.clone(), config.limits.deadline),
            deadline::enforce,
        ))
        // Outside everything that reads a message: a message is read only if its request has a permit and enough time.
        .layer(middleware::from_fn_with_state(admission, admission::admit))
        .layer(middleware::from_fn_with_state(
            offload.clone(),
            compress::compress,
        ))
        .layer(middleware::from_fn_with_state(
            decompressor,
            decompress::decompress,
        ))
        .layer(middleware::from_fn_with_state(
            (limits, offload.clone(), reporter),
            message::decode,
        ));
    // Around everything that rejects requests: overload is what reports are about.
    let load_reports = config
        .load_reports
        .then(|| middleware::from_fn_with_state(engine.clone(), load_report::report));
    // Outermost, so that pages of allowed origins can read every response, rejections included.
    let reported_guards = ServiceBuilder::new()
        .option_layer(load_reports.clone())
        .layer(guards.clone());
    let grpc = grpc.layer(reported_guards).layer(
        ServiceBuilder::new()
            .layer(origin::cors(&config.cors_origins))
            .layer(middleware::from_fn(origin::explain))
            .layer(origin::csrf(&config.cors_origins)?)
            // Outside the translation, which compares content types literally.
            .layer(middleware::from_fn(head::parse_head))
            // Around everything that rejects requests, so that rejections are translated too. Only around the RPCs: it
            // answers 400 to everything else over HTTP/1.1.
            .layer(GrpcWebLayer::new()),
    );
    let plain = plain_http::routes(service.clone()).merge(rest::routes(service, offload));
    let plain = plain.layer(
        ServiceBuilder::new()
            .layer(origin::cors(&config.cors_origins))
            .layer(middleware::from_fn(origin::explain))
            .layer(origin::csrf(&config.cors_origins)?)
            .layer(middleware::from_fn(head::parse_http_head))
            // Outside the translation, which replaces the headers.
            .option_layer(load_reports)
            // In place of the gRPC-Web layer, for the same reason.
            .layer(middleware::from_fn(plain_http::as_json))
            .layer(guards),
    );
    let page = config
        .web_root
        .clone()
        .map_or(PageSource::Embedded, PageSource::Folder)
        .routes()
        .merge(plain_http::documents());
    let hosts = AllowedHosts::from_config(config);
    let trusted = TrustedProxies::new(&config.trusted_proxies);
    let clients = (!trusted.is_empty())
        .then(|| middleware::from_fn_with_state(trusted, client_address::resolve));
    let routers = [grpc, page, plain].map(|routes| {
        routes.layer(
            ServiceBuilder::new()
                // Around everything that rejects requests.
                .layer(middleware::from_fn(upload::receive))
                .layer(middleware::from_fn_with_state(hosts.clone(), host::check))
                .layer(middleware::from_fn(framing::check))
                .option_layer(clients.clone()),
        )
    });
    Ok(Steer::new(routers, |request, _| pick(request)))
}

/// Selects the router for a request: 0 for gRPC, 1 for the page, 2 for plain HTTP. GET and HEAD requests are for the page, except
/// those of the Open Inference Protocol; everything else is a POST, or a browser's preflight with OPTIONS.
fn pick(request: &Request) -> usize {
    let method = request.method();
    if is_oip_path(request.uri().path()) {
        2
    } else if [Method::GET, Method::HEAD].contains(method) {
        1
    } else if plain_http::handles(request.uri().path()) {
        2
    } else {
        0
    }
}

fn body_limits(config: &Config) -> BodyLimits {
    let limits = &config.limits;
    BodyLimits {
        message_bytes_max: usize::try_from(limits.message_bytes_max()).unwrap_or(usize::MAX),
        image_bytes_max: limits.image_bytes_max.into(),
        batch_images_max: limits.batch_images_max,
        timeout: limits.upload_timeout,
        idle_timeout: limits.idle_timeout,
    }
}

fn long_lived_limits(config: &Config) -> LongLivedLimits {
    let limits = &config.limits;
    LongLivedLimits {
        // However many peers open them, half of the connections stay free for others.
        open_max: (limits.connections_max / 2).max(1).into(),
        per_peer_max: limits.watches_per_client_max.into(),
        age_max: limits.watch_age_max,
    }
}

/// Server reflection for every service. Some clients know only v1alpha of the protocol.
fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}
