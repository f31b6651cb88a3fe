//! The compute threads, one for each core. A free thread takes the next image and computes its logits from its bytes: no
//! timer, no batch to fill, no hand-over between threads. One image per core gives the highest throughput; only the
//! inference of a lone image uses all cores.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, TryLockError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use imageclassifier_model::{Classifier, Crop, Input, NetworkError, Ranked, ThreadTeam};
use tracing::Span;

use crate::{
    engine::{
        job::{Classification, ClassifyOptions, Job, JobContext, Payload},
        queue::Queue,
        service_time::ServiceTime,
        stages::{MakeStages, Stages},
    },
    observe::{
        metrics::{Abandoned, Metrics, Stage},
        trace::stage_span,
    },
    readiness::Readiness,
    request::error::{InternalError, RequestError},
};

/// What the compute threads share.
pub(crate) struct WorkerPool {
    pub(crate) make_stages: Box<MakeStages>,
    pub(crate) queue: Queue<Job>,
    pub(crate) service_time: ServiceTime,
    pub(crate) readiness: Readiness,
    pub(crate) metrics: Metrics,
    pub(crate) threads: usize,
    /// For the inference of a lone image.
    pub(crate) team: Mutex<ThreadTeam>,
    /// Compute threads at work.
    pub(crate) busy: AtomicUsize,
}

/// Pause before a dead worker is restarted.
const RESTART_DELAY: Duration = Duration::from_millis(100);

/// Starts the threads. They end when the queue is closed and empty.
///
/// # Errors
/// If a thread cannot be started.
pub(crate) fn start(pool: &Arc<WorkerPool>) -> io::Result<()> {
    for index in 0..pool.threads {
        let pool = Arc::clone(pool);
        let thread = thread::Builder::new().name(format!("compute-{index}"));
        thread.spawn(move || keep_working(&pool))?;
    }
    Ok(())
}

/// Restarts a worker that dies. The others keep working meanwhile.
fn keep_working(pool: &WorkerPool) {
    let mut dead = None;
    loop {
        let lived = catch_unwind(AssertUnwindSafe(|| {
            let mut worker = Worker::new(pool);
            dead.take();
            worker.run();
        }));
        if lived.is_ok() {
            return;
        }
        tracing::error!("a compute thread died: replacing it");
        pool.metrics.worker_restarts.inc();
        dead.get_or_insert_with(|| pool.readiness.worker_died());
        thread::sleep(RESTART_DELAY);
    }
}

/// A compute thread.
struct Worker<'a> {
    stages: Box<dyn Stages>,
    pool: &'a WorkerPool,
}

impl<'a> Worker<'a> {
    fn new(pool: &'a WorkerPool) -> Self {
        Self {
            stages: (pool.make_stages)(pool.threads),
            pool,
        }
    }

    fn run(&mut self) {
        while let Some(mut job) = self.pool.queue.pop() {
            job.context.spans[1] = Span::none();
            self.pool.busy.fetch_add(1, Ordering::Relaxed);
            let busy = Busy(&self.pool.busy);
            let mut stage = InternalError::DecodePanicked;
            // A panic fails only this request.
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                self.classify(job.payload, &job.context, &mut stage)
            }));
            let panicked = outcome.is_err();
            if panicked {
                self.pool.metrics.panics.inc();
            }
            drop(busy);
            // The client may have left meanwhile.
            let _ = job
                .context
                .reply
                .send(outcome.unwrap_or(Err(RequestError::Internal(stage))));
            if panicked {
                // The panic may have left the buffers inconsistent.
                *self = Self::new(self.pool);
            }
        }
    }

    /// Keeps `stage` up to date: the error to report if the current stage panics.
    fn classify(
        &mut self,
        payload: Payload,
        context: &JobContext,
        stage: &mut InternalError,
    ) -> Result<Classification, RequestError> {
        let begun_at = Instant::now();
        self.check_not_abandoned(context)?;
        let [span, _] = &context.spans;
        let (input, crop) = self.prepare(payload, &context.options.classifier, span)?;
        let decoded_at = Instant::now();
        self.check_not_abandoned(context)?;
        let ClassifyOptions {
            ref classifier,
            top_k,
            explain,
        } = context.options;
        *stage = InternalError::InferencePanicked;
        let _inferring = stage_span!(span, "inference").entered();
        let alone = self.is_alone();
        let inferred = self.pool.with_team(alone, |team| {
            let inference = self.stages.infer(input, classifier, team, explain)?;
            Ok((inference, team.threads()))
        });
        let (inference, threads) = inferred.map_err(network_error)?;
        *stage = InternalError::RankingPanicked;
        let ranked = self.stages.rank(classifier, &inference, top_k);
        let (logits, ranking) = ranked.map_err(network_error)?;
        let heatmap = |class: &Ranked| classifier.heatmap(&inference, class.index);
        let classification = Classification {
            classifier: classifier.clone(),
            heatmaps: ranking.classes().iter().map(heatmap).collect(),
            known: classifier.known(&inference),
            logits,
            ranking,
            embedding: inference.embedding,
            crop,
            queue: begun_at - context.queued_at,
            decode: decoded_at - begun_at,
            inference: decoded_at.elapsed(),
        };
        self.record(&classification, threads);
        Ok(classification)
    }

    /// The network's input, and where in the image it comes from. Frees the image.
    fn prepare(
        &mut self,
        payload: Payload,
        classifier: &Classifier,
        span: &Span,
    ) -> Result<(Input, Option<Crop>), RequestError> {
        match payload {
            Payload::Prepared(tensor) => Ok((tensor.into_input()?, None)),
            Payload::Encoded(image) => {
                let _decoding = stage_span!(span, "decode").entered();
                Ok(self.stages.prepare(&image, classifier)?)
            }
        }
    }

    /// Whether no other job needs a core.
    fn is_alone(&self) -> bool {
        self.pool.busy.load(Ordering::Relaxed) == 1 && self.pool.queue.len() == 0
    }

    /// Fails if the deadline has passed or the client has left. (In the latter case the error is not sent.)
    fn check_not_abandoned(&self, context: &JobContext) -> Result<(), RequestError> {
        let why = if Instant::now() >= context.deadline {
            Abandoned::Expired
        } else if context.reply.is_closed() {
            Abandoned::Cancelled
        } else {
            return Ok(());
        };
        self.pool.metrics.abandoned(why);
        Err(RequestError::DeadlineExceeded)
    }

    fn record(&self, classification: &Classification, threads: usize) {
        let threads = u32::try_from(threads).unwrap_or(u32::MAX);
        let core_time = classification.decode + classification.inference * threads;
        self.pool.service_time.record(core_time);
        let metrics = &self.pool.metrics;
        metrics.observe(Stage::Queue, classification.queue);
        metrics.observe(Stage::Decode, classification.decode);
        metrics.observe(Stage::Inference, classification.inference);
    }
}

impl WorkerPool {
    /// A lone request uses the whole team; otherwise each worker runs alone.
    fn with_team<T>(&self, alone: bool, work: impl FnOnce(&mut ThreadTeam) -> T) -> T {
        match alone.then(|| self.team.try_lock()) {
            Some(Ok(mut team)) => work(&mut team),
            // The team outlives a panic in one image.
            Some(Err(TryLockError::Poisoned(team))) => work(&mut team.into_inner()),
            Some(Err(TryLockError::WouldBlock)) | None => work(&mut ThreadTeam::solo()),
        }
    }
}

fn network_error(error: NetworkError) -> RequestError {
    RequestError::Internal(InternalError::Network(Arc::new(error)))
}

struct Busy<'a>(&'a AtomicUsize);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
