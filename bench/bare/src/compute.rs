use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use anyhow::Context;
use bench_service::Classify;
use bytes::Bytes;
use imageclassifier_model::{
    DecodedImage, EncodedImage, Input, Network, Ranking, Runner, ThreadTeam, Weights, labels,
};
use imageclassifier_proto::ClassifyImageResponse;
use tokio::sync::oneshot;
use tonic::Status;

const IMAGE_BYTES_MAX: u64 = 10 << 20;
const PIXELS_MAX: u64 = 25_000_000;
const TOP_K: usize = 5;

/// One thread per core, as in the product. A lone request uses all cores for its inference.
pub struct Compute(mpsc::Sender<Job>);

struct Job {
    image: Bytes,
    reply: oneshot::Sender<anyhow::Result<ClassifyImageResponse>>,
}

struct Shared {
    jobs: Mutex<mpsc::Receiver<Job>>,
    busy: AtomicUsize,
    team: Mutex<ThreadTeam>,
    input_size: u32,
}

impl Compute {
    pub fn start() -> anyhow::Result<Self> {
        let weights = Weights::lite0();
        let network = Network::load(&weights, imageclassifier_model::Compute::fastest())?;
        let threads = thread::available_parallelism()?.get();
        let (sender, jobs) = mpsc::channel();
        let shared = Arc::new(Shared {
            jobs: Mutex::new(jobs),
            busy: AtomicUsize::new(0),
            team: Mutex::new(ThreadTeam::new(threads)),
            input_size: weights.variant().input_size(),
        });
        for _ in 0..threads {
            let (shared, runner) = (Arc::clone(&shared), network.runner());
            thread::spawn(move || shared.work(runner));
        }
        Ok(Self(sender))
    }

    async fn run(&self, image: Bytes) -> anyhow::Result<ClassifyImageResponse> {
        let (reply, response) = oneshot::channel();
        self.0
            .send(Job { image, reply })
            .ok()
            .context("all worker threads have stopped")?;
        response.await?
    }
}

impl Classify for Compute {
    async fn classify(&self, image: Bytes) -> Result<ClassifyImageResponse, Status> {
        let response = self.run(image).await;
        response.map_err(|error| Status::internal(error.to_string()))
    }
}

impl Shared {
    fn work(&self, mut runner: Runner) {
        while let Some(Job { image, reply }) = self.next() {
            let alone = self.busy.fetch_add(1, Ordering::Relaxed) == 0;
            let response = self.classify(image, &mut runner, alone);
            self.busy.fetch_sub(1, Ordering::Relaxed);
            let _ = reply.send(response);
        }
    }

    fn next(&self) -> Option<Job> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.recv().ok()
    }

    fn classify(
        &self,
        image: Bytes,
        runner: &mut Runner,
        alone: bool,
    ) -> anyhow::Result<ClassifyImageResponse> {
        let image = EncodedImage::new(image, IMAGE_BYTES_MAX)?;
        let decoded = DecodedImage::decode(&image, PIXELS_MAX, self.input_size)?;
        let input = Input::prepare(&decoded);
        let logits = match alone.then(|| self.team.try_lock()) {
            Some(Ok(mut team)) => runner.run(input, &mut team)?,
            _ => runner.run(input, &mut ThreadTeam::solo())?,
        };
        let ranking = Ranking::of(&logits, TOP_K);
        let best = ranking.classes().first().context("the ranking is empty")?;
        Ok(ClassifyImageResponse {
            label: labels()[best.index].to_owned(),
            confidence: best.probability,
            ..ClassifyImageResponse::default()
        })
    }
}
