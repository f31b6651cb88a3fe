//! Metrics for Prometheus. Every series exists from the first scrape, and no label contains a client's text.

mod labels;

use std::{
    fmt,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use imageclassifier_proto::ErrorReason;
use prometheus_client::{
    encoding::text::encode,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::{Registry, Unit},
};
use tonic::Code;

use crate::request::{
    error::code_name,
    head::{Method, Protocol},
};
pub(crate) use labels::{Abandoned, Stage};
use labels::{
    AbandonedLabels, LOAD_RESULTS, LoadLabels, ModelLabels, ReasonLabels, RequestLabels,
    StageLabels,
};

/// Counters of one server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Counters>);

pub(crate) struct Counters {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    errors: Family<ReasonLabels, Counter>,
    abandoned: Family<AbandonedLabels, Counter>,
    stages: Family<StageLabels, Histogram, fn() -> Histogram>,
    /// Requests to classify that are being uploaded, waiting or being worked on.
    pub(crate) calls_in_flight: Gauge,
    /// Bytes that their messages hold so far.
    pub(crate) bytes_in_flight: Gauge,
    queue_length: Gauge,
    queue_wait: Gauge<f64, AtomicU64>,
    workers_busy: Gauge,
    pub(crate) connections: Gauge,
    /// Connections that became too old.
    pub(crate) connections_aged: Counter,
    /// Of these, those with requests in progress at the end of the grace.
    pub(crate) connections_cut_off: Counter,
    /// Panics caught in decoding, inference or a handler.
    pub(crate) panics: Counter,
    pub(crate) worker_restarts: Counter,
    models: Family<ModelLabels, Gauge>,
    model_loads: Family<LoadLabels, Counter>,
}

impl Metrics {
    /// All metrics, at zero. `model` and `revision` identify the network.
    pub(crate) fn new(model: &str, revision: &str) -> Self {
        let mut registry = Registry::with_prefix("imageclassifier");
        let requests = Family::default();
        registry.register(
            "calls",
            "Finished requests, rejected ones included",
            requests.clone(),
        );
        let errors = Family::default();
        registry.register(
            "refusals",
            "Errors sent, by the reason in their ErrorInfo",
            errors.clone(),
        );
        let abandoned = Family::default();
        registry.register(
            "abandoned",
            "Images abandoned before the network ran",
            abandoned.clone(),
        );
        let stages = Family::new_with_constructor(stage_histogram as fn() -> Histogram);
        registry.register_with_unit(
            "stage",
            "Time that classified requests spend in each stage",
            Unit::Seconds,
            stages.clone(),
        );
        let mut gauge = |name, help| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let calls_in_flight = gauge(
            "calls_in_flight",
            "Requests with images that upload, wait or run",
        );
        let bytes_in_flight = gauge(
            "upload_in_flight_bytes",
            "Bytes that the messages of these requests hold so far",
        );
        let connections = gauge("connections", "Open connections");
        let queue_length = gauge("queue_length", "Images that wait for a compute thread");
        let workers_busy = gauge("workers_busy", "Compute threads at work");
        let queue_wait = Gauge::<f64, AtomicU64>::default();
        registry.register_with_unit(
            "queue_wait",
            "Estimated wait of an image that is queued now",
            Unit::Seconds,
            queue_wait.clone(),
        );
        let mut counter = |name, help| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let panics = counter("panics", "Panics caught; each failed one request");
        let worker_restarts = counter(
            "worker_restarts",
            "Compute threads that died and were replaced",
        );
        let connections_aged = counter(
            "connections_aged",
            "Connections that reached their maximum age",
        );
        let connections_cut_off = counter(
            "connections_cut_off",
            "Of these, connections with requests in progress at the end of the grace",
        );
        let models = Family::default();
        registry.register(
            "models",
            "Versions of models that are served, and those whose folder cannot be used",
            models.clone(),
        );
        let model_loads = Family::default();
        registry.register(
            "model_loads",
            "Attempts to read a model folder",
            model_loads.clone(),
        );
        let build = vec![
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("model", model.to_owned()),
            ("revision", revision.to_owned()),
        ];
        registry.register("build", "Version, model and revision", Info::new(build));

        let counters = Self(Arc::new(Counters {
            registry,
            requests,
            errors,
            abandoned,
            stages,
            calls_in_flight,
            bytes_in_flight,
            queue_length,
            queue_wait,
            workers_busy,
            connections,
            connections_aged,
            connections_cut_off,
            panics,
            worker_restarts,
            models,
            model_loads,
        }));
        counters.create_all();
        counters.set_models(1, 0);
        counters
    }

    /// Creates every series in advance: a missing series cannot show that nothing has happened.
    fn create_all(&self) {
        for stage in Stage::ALL {
            drop(self.0.stages.get_or_create(&stage.labels()));
        }
        for why in [Abandoned::Expired, Abandoned::Cancelled] {
            drop(self.0.abandoned.get_or_create(&why.labels()));
        }
        for result in LOAD_RESULTS {
            drop(self.0.model_loads.get_or_create(&LoadLabels { result }));
        }
        for reason in crate::request::error::reasons() {
            drop(self.0.errors.get_or_create(&ReasonLabels { reason }));
        }
        for protocol in Protocol::ALL {
            let labels = RequestLabels {
                method: Method::Classify.name(),
                protocol: protocol.name(),
                code: code_name(Code::Ok),
            };
            drop(self.0.requests.get_or_create(&labels));
        }
    }

    pub(crate) fn observe(&self, stage: Stage, time: Duration) {
        let histogram = self.0.stages.get_or_create(&stage.labels());
        histogram.observe(time.as_secs_f64());
    }

    pub(crate) fn abandoned(&self, why: Abandoned) {
        self.0.abandoned.get_or_create(&why.labels()).inc();
    }

    pub(crate) fn count_error(&self, reason: &'static str) {
        self.0.errors.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// Errors so far that are the server's fault, or that tell the client to come back later.
    pub(crate) fn server_errors(&self) -> u64 {
        let reasons = [
            ErrorReason::InternalError,
            ErrorReason::NotReady,
            ErrorReason::Overloaded,
        ];
        let reasons = reasons.map(|reason| reason.as_str_name());
        let counters = reasons.map(|reason| ReasonLabels { reason });
        counters
            .iter()
            .map(|labels| self.0.errors.get_or_create(labels).get())
            .sum()
    }

    /// Sets what can only be measured when it is asked for.
    pub(crate) fn set_load(&self, queue_length: usize, queue_wait: Duration, workers_busy: usize) {
        let whole = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.0.queue_length.set(whole(queue_length));
        self.0.queue_wait.set(queue_wait.as_secs_f64());
        self.0.workers_busy.set(whole(workers_busy));
    }

    pub(crate) fn answered(&self, method: Method, protocol: Protocol, code: Code) {
        let labels = RequestLabels {
            method: method.name(),
            protocol: protocol.name(),
            code: code_name(code),
        };
        self.0.requests.get_or_create(&labels).inc();
    }

    /// Sets how many versions of models are served, and how many have a folder that cannot be used.
    pub(crate) fn set_models(&self, serving: usize, broken: usize) {
        for (state, count) in [("serving", serving), ("broken", broken)] {
            let gauge = self.0.models.get_or_create(&ModelLabels { state });
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    pub(crate) fn model_loaded(&self, succeeded: bool) {
        let result = LOAD_RESULTS[usize::from(!succeeded)];
        self.0
            .model_loads
            .get_or_create(&LoadLabels { result })
            .inc();
    }

    /// Renders all metrics in the OpenMetrics text format.
    pub(crate) fn render(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.0.registry)?;
        Ok(text)
    }
}

impl std::ops::Deref for Metrics {
    type Target = Counters;

    fn deref(&self) -> &Counters {
        &self.0
    }
}

/// Buckets from 0.1 ms to 26 s.
fn stage_histogram() -> Histogram {
    Histogram::new(exponential_buckets(1e-4, 2.0, 19))
}
