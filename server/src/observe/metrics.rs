//! Metrics for Prometheus. Every series exists from the first scrape, and no label contains a client's text.

use std::{fmt, sync::Arc, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
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
    pub(crate) connections: Gauge,
    /// Panics caught in decoding, inference or a handler.
    pub(crate) panics: Counter,
    pub(crate) worker_restarts: Counter,
    models: Family<ModelLabels, Gauge>,
    model_loads: Family<LoadLabels, Counter>,
}

/// A part of a request's time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stage {
    Upload,
    Queue,
    Decode,
    Inference,
    Total,
}

/// Why a job was abandoned.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Abandoned {
    /// Its deadline passed.
    Expired,
    /// The client left.
    Cancelled,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    protocol: &'static str,
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AbandonedLabels {
    why: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ModelLabels {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LoadLabels {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabels {
    stage: &'static str,
}

/// A model folder that works, and one that does not.
const LOAD_RESULTS: [&str; 2] = ["ok", "failed"];

impl Stage {
    const ALL: [Self; 5] = [
        Self::Upload,
        Self::Queue,
        Self::Decode,
        Self::Inference,
        Self::Total,
    ];

    fn labels(self) -> StageLabels {
        let stage = match self {
            Self::Upload => "upload",
            Self::Queue => "queue",
            Self::Decode => "decode",
            Self::Inference => "inference",
            Self::Total => "total",
        };
        StageLabels { stage }
    }
}

impl Abandoned {
    fn labels(self) -> AbandonedLabels {
        let why = match self {
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        };
        AbandonedLabels { why }
    }
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
            connections,
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
