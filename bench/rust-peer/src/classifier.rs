use std::{
    num::NonZero,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
};

use anyhow::Context;
use bench_service::Classify;
use bytes::Bytes;
use imageclassifier_proto::ClassifyImageResponse;
use ort::{session::Session, value::TensorRef};
use tokio::sync::Semaphore;
use tonic::Status;

use crate::preprocessing::{SIZE, prepare};

/// Decodes and classifies images on blocking threads, at most one per core at the same time.
pub struct Classifier {
    shared: Arc<Shared>,
    cores: Arc<Semaphore>,
}

struct Shared {
    labels: Vec<String>,
    sessions: Sessions,
}

/// A pool of sessions.
struct Sessions {
    idle: Mutex<Vec<Session>>,
    free: Condvar,
}

impl Classifier {
    pub fn load(
        model: &str,
        labels: Vec<String>,
        sessions: usize,
        threads: usize,
    ) -> anyhow::Result<Self> {
        let environment = ort::init().with_telemetry(false).build()?;
        let session = || -> anyhow::Result<Session> {
            let builder = Session::builder(&environment)?;
            let mut builder = builder
                .with_intra_threads(threads)
                .map_err(|error| anyhow::anyhow!("{error}"))?;
            Ok(builder.commit_from_file(model)?)
        };
        let idle = (0..sessions).map(|_| session()).collect::<Result<_, _>>()?;
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Ok(Self {
            shared: Arc::new(Shared {
                labels,
                sessions: Sessions {
                    idle: Mutex::new(idle),
                    free: Condvar::new(),
                },
            }),
            cores: Arc::new(Semaphore::new(cores)),
        })
    }
}

impl Sessions {
    fn run(&self, input: &[f32]) -> anyhow::Result<Vec<f32>> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut idle = self
            .free
            .wait_while(idle, |idle| idle.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        let mut session = idle.pop().context("a session is idle after the wait")?;
        drop(idle);
        let logits = infer(&mut session, input);
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(session);
        self.free.notify_one();
        logits
    }
}

fn infer(session: &mut Session, input: &[f32]) -> anyhow::Result<Vec<f32>> {
    let side = i64::from(SIZE);
    let input = TensorRef::from_array_view(([1, 3, side, side], input))?;
    let outputs = session.run(ort::inputs![input])?;
    let (_, logits) = outputs[0].try_extract_tensor::<f32>()?;
    Ok(logits.to_vec())
}

impl Shared {
    fn classify(&self, encoded: &[u8]) -> Result<ClassifyImageResponse, Status> {
        let input =
            prepare(encoded).map_err(|error| Status::invalid_argument(error.to_string()))?;
        let logits = self
            .sessions
            .run(&input)
            .map_err(|error| Status::internal(error.to_string()))?;
        let (best, highest) = logits
            .iter()
            .copied()
            .enumerate()
            .max_by(|(_, a), (_, b)| a.total_cmp(b))
            .ok_or_else(|| Status::internal("no classes"))?;
        let sum: f32 = logits.iter().map(|logit| (logit - highest).exp()).sum();
        Ok(ClassifyImageResponse {
            label: self.labels[best].clone(),
            confidence: 1.0 / sum,
            ..ClassifyImageResponse::default()
        })
    }
}

impl Classify for Classifier {
    async fn classify(&self, image: Bytes) -> Result<ClassifyImageResponse, Status> {
        let core = Arc::clone(&self.cores).acquire_owned().await;
        let core = core.map_err(|_| Status::unavailable("stopping"))?;
        let shared = Arc::clone(&self.shared);
        let response = tokio::task::spawn_blocking(move || {
            let _core = core;
            shared.classify(&image)
        });
        response
            .await
            .map_err(|_| Status::internal("the classifier panicked"))?
    }
}
