//! Traces of requests, for an OpenTelemetry collector: a span for each request and one for each of its stages, named and
//! described by OpenTelemetry's semantic conventions for RPC, within the trace that the client names (W3C Trace Context).
//! Without a collector no span is created.

use http::HeaderMap;
use opentelemetry::{
    propagation::{Extractor, TextMapPropagator},
    trace::TracerProvider,
};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tonic::Code;
use tracing::{Span, Subscriber, field::Empty, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{EnvFilter, Layer, filter::Targets, registry::LookupSpan};

use crate::request::head::RequestHead;

/// The target of every span, and of nothing else.
const TARGET: &str = "otel";

/// Where spans go, if anywhere.
#[derive(Clone, Debug)]
pub(crate) struct Traces(Option<SdkTracerProvider>);

impl Traces {
    pub(crate) fn to(endpoint: Option<&str>) -> Result<Self, ExporterBuildError> {
        let Some(endpoint) = endpoint else {
            return Ok(Self(None));
        };
        let exporter = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .build()?;
        let resource = Resource::builder()
            .with_service_name("imageclassifier")
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .build();
        Ok(Self(Some(provider)))
    }

    pub(crate) fn layer<S>(&self) -> Option<impl Layer<S> + use<S>>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let tracer = self.0.as_ref()?.tracer(TARGET);
        let spans = Targets::new().with_target(TARGET, tracing::Level::INFO);
        Some(
            tracing_opentelemetry::layer()
                .with_tracer(tracer)
                .with_filter(spans),
        )
    }

    /// Sends what has not been sent yet.
    pub(crate) fn finish(&self) {
        if let Some(provider) = &self.0
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!("some traces were not sent: {error}");
        }
    }
}

/// Log lines identify their request by its id, not by its span.
pub(crate) fn without_spans(filter: EnvFilter) -> EnvFilter {
    let off = format!("{TARGET}=off").parse();
    filter.add_directive(off.expect("a target and a level"))
}

/// The span of a request, under the client's.
pub(crate) fn request_span(head: &RequestHead, headers: &HeaderMap) -> Span {
    let span = info_span!(
        target: TARGET,
        "request",
        otel.name = head.method.full_name(),
        otel.kind = "server",
        otel.status_code = Empty,
        rpc.system.name = "grpc",
        rpc.method = head.method.full_name(),
        rpc.response.status_code = Empty,
        request_id = head.id.as_str(),
        protocol = head.protocol.name(),
    );
    if !span.is_disabled() {
        let context = TraceContextPropagator::new().extract(&Headers(headers));
        // Fails only where there is no collector.
        let _ = span.set_parent(context);
    }
    span
}

/// By OpenTelemetry's conventions, only the server's own faults count as errors of the span.
pub(crate) fn record(span: &Span, code: Code) {
    span.record(
        "rpc.response.status_code",
        crate::request::error::code_name(code),
    );
    if matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    ) {
        span.record("otel.status_code", "ERROR");
    }
}

/// The span of a stage of a request.
macro_rules! stage_span {
    ($parent:expr, $name:literal) => {
        tracing::info_span!(target: "otel", parent: $parent, $name)
    };
}
pub(crate) use stage_span;

/// The span of work that the server starts by itself.
macro_rules! root_span {
    ($name:literal) => {
        tracing::info_span!(target: "otel", parent: None, $name)
    };
}
pub(crate) use root_span;

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}
