use std::{
    io::{self, IsTerminal},
    net::IpAddr,
    panic,
    sync::{Arc, Mutex, PoisonError},
};

use opentelemetry_otlp::ExporterBuildError;
use tracing::field::display;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    config::{Config, LogFormat},
    observe::trace::{self, Traces},
    request::error::RequestError,
};

/// Most lines that may wait for standard error: a few megabytes. Further lines are dropped, so that no request waits for a
/// slow reader of the log.
const LOG_LINES_MAX: usize = 10_000;

/// Logs and traces that have yet to be written and sent. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Telemetry {
    traces: Traces,
    log: Arc<Mutex<Option<WorkerGuard>>>,
    dropped: ErrorCounter,
}

/// Starts logs and traces for the whole process. What the configuration selects is logged to standard error, panics
/// included, by a separate thread; traces go to the collector. An invalid filter counts as `info`.
///
/// # Errors
/// If the collector's address is invalid.
pub fn init_tracing(config: &Config) -> Result<Telemetry, ExporterBuildError> {
    let filter = EnvFilter::try_new(&config.log).unwrap_or_else(|error| {
        let filter = &config.log;
        eprintln!("cannot read the log filter {filter:?} ({error}): logging at level info");
        EnvFilter::new("info")
    });
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(LOG_LINES_MAX)
        .thread_name("log")
        .finish(io::stderr());
    let dropped = writer.error_counter();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(io::stderr().is_terminal());
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
    Ok(Telemetry {
        traces,
        log: Arc::new(Mutex::new(Some(guard))),
        dropped,
    })
}

impl Telemetry {
    /// Sends all remaining traces, and waits for that.
    pub fn send_traces(&self) {
        self.traces.finish();
    }

    /// Writes what has been logged so far. Nothing is logged afterwards.
    pub fn finish_log(&self) {
        let guard = self
            .log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(guard);
        match self.dropped.dropped_lines() {
            0 => {}
            lines => eprintln!("{lines} log lines were dropped: standard error was too slow"),
        }
    }
}

/// Logs one line for a failed request: the whole chain of causes if the server is at fault, otherwise the error alone.
pub(crate) fn log_error(request_id: &str, client: Option<IpAddr>, error: &RequestError) {
    let client = client.map(display);
    let mut causes = String::new();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        causes.push_str(&format!(": {error}"));
        source = error.source();
    }
    match error {
        RequestError::Internal(_) => tracing::error!(request_id, client, "request failed{causes}"),
        _ => tracing::info!(request_id, client, "request rejected: {error}{causes}"),
    }
}
