use std::{io::IsTerminal, panic};

use opentelemetry_otlp::ExporterBuildError;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    config::{Config, LogFormat},
    observe::trace::{self, Traces},
    request::error::RequestError,
};

/// Logs what the configuration selects to standard error, for the whole process, panics included, and sends traces to its
/// collector. A filter that cannot be read counts as `info`.
///
/// # Errors
/// If the collector's address is none.
pub fn init_tracing(config: &Config) -> Result<Traces, ExporterBuildError> {
    let filter = EnvFilter::try_new(&config.log).unwrap_or_else(|error| {
        let filter = &config.log;
        eprintln!("cannot read the log filter {filter:?} ({error}): logging at level info");
        EnvFilter::new("info")
    });
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let lines = match config.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let traces = Traces::to(config.otlp_endpoint.as_deref())?;
    tracing_subscriber::registry()
        .with(lines.with_filter(trace::without_spans(filter)))
        .with(traces.layer())
        .init();
    panic::set_hook(Box::new(|panic| {
        tracing::error!("panic: {panic}");
    }));
    Ok(traces)
}

/// One line for a call that failed: the whole chain of causes if the fault is ours, the refusal alone if it is not.
pub(crate) fn log_error(request_id: &str, error: &RequestError) {
    let mut causes = String::new();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        causes.push_str(&format!(": {error}"));
        source = error.source();
    }
    match error {
        RequestError::Internal(_) => tracing::error!(request_id, "call failed{causes}"),
        _ => tracing::info!(request_id, "call refused: {error}{causes}"),
    }
}
