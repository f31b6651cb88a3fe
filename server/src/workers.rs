//! The compute threads, one for each core. Each takes the next picture as soon as it is free, from its bytes to its
//! logits: no timer, no batch to fill, no hand-over in between. One picture a core is the fastest way to many answers; only
//! the inference of a picture that is alone has all cores to itself.

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

use bytes::Bytes;
use imageclassifier_model::{EncodedImage, Logits, Team};
use tokio::sync::oneshot;
use tracing::Span;

use crate::{
    metrics::{Abandoned, Metrics, Stage},
    queue::Queue,
    readiness::Readiness,
    service_time::ServiceTime,
    stages::{MakeStages, Stages},
    status::{Failure, Fault},
    trace::stage_span,
};

/// A picture on its way to the network.
pub(crate) struct Job {
    pub(crate) image: EncodedImage<Bytes>,
    pub(crate) queued_at: Instant,
    /// The call's span, and that of its waiting.
    pub(crate) spans: [Span; 2],
    pub(crate) deadline: Instant,
    /// Closed once the caller has left.
    pub(crate) reply: oneshot::Sender<Result<Computed, Failure>>,
}

/// What a compute thread gives back.
#[derive(Debug)]
pub(crate) struct Computed {
    pub(crate) logits: Logits,
    pub(crate) queue: Duration,
    pub(crate) decode: Duration,
    pub(crate) inference: Duration,
}

/// What the compute threads share.
pub(crate) struct Workplace {
    pub(crate) make_stages: Box<MakeStages>,
    pub(crate) queue: Queue<Job>,
    pub(crate) service_time: ServiceTime,
    pub(crate) readiness: Readiness,
    pub(crate) metrics: Metrics,
    pub(crate) threads: usize,
    /// For the inference of a picture that is alone.
    pub(crate) team: Mutex<Team>,
    /// Compute threads at work.
    pub(crate) busy: AtomicUsize,
}

/// How long a dead worker waits before it tries to live again.
const RESTART_DELAY: Duration = Duration::from_millis(100);

/// Starts the threads. They end when the queue is closed and empty.
///
/// # Errors
/// If a thread cannot be started.
pub(crate) fn start(workplace: &Arc<Workplace>) -> io::Result<()> {
    for index in 0..workplace.threads {
        let workplace = Arc::clone(workplace);
        let thread = thread::Builder::new().name(format!("compute-{index}"));
        thread.spawn(move || keep_working(&workplace))?;
    }
    Ok(())
}

/// Replaces a worker that dies by a new one. Calls are refused until the new one is at work.
fn keep_working(workplace: &Workplace) {
    let mut dead = None;
    loop {
        let lived = catch_unwind(AssertUnwindSafe(|| {
            let worker = Worker {
                stages: (workplace.make_stages)(workplace.threads),
                workplace,
            };
            dead.take();
            worker.run();
        }));
        if lived.is_ok() {
            return;
        }
        tracing::error!("a compute thread died: replacing it");
        workplace.metrics.worker_restarts.inc();
        dead.get_or_insert_with(|| workplace.readiness.worker_died());
        thread::sleep(RESTART_DELAY);
    }
}

/// A compute thread.
struct Worker<'a> {
    stages: Box<dyn Stages>,
    workplace: &'a Workplace,
}

impl Worker<'_> {
    fn run(mut self) {
        while let Some(mut job) = self.workplace.queue.pop() {
            job.spans[1] = Span::none();
            self.workplace.busy.fetch_add(1, Ordering::Relaxed);
            let guard = Busy(&self.workplace.busy);
            let outcome = self.compute(&job);
            drop(guard);
            // The caller may have left meanwhile.
            let _ = job.reply.send(outcome);
        }
    }

    fn compute(&mut self, job: &Job) -> Result<Computed, Failure> {
        let begun_at = Instant::now();
        self.wanted(job)?;
        let [call, _] = &job.spans;
        let decoding = stage_span!(call, "decode").entered();
        let input = self.guarded(Fault::DecodePanicked, |worker| {
            Ok(worker.stages.prepare(&job.image)?)
        })?;
        drop(decoding);
        let decoded_at = Instant::now();
        self.wanted(job)?;
        let _inferring = stage_span!(call, "inference").entered();
        let (logits, threads) = self.guarded(Fault::InferencePanicked, |worker| {
            let alone = worker.is_alone();
            let inferred = worker.workplace.with_team(alone, |team| {
                let logits = worker.stages.infer(input, team)?;
                Ok((logits, team.threads()))
            });
            inferred.map_err(|error| Failure::Internal(Fault::Network(Arc::new(error))))
        })?;
        let computed = Computed {
            logits,
            queue: begun_at - job.queued_at,
            decode: decoded_at - begun_at,
            inference: decoded_at.elapsed(),
        };
        self.record(&computed, threads);
        Ok(computed)
    }

    /// Whether nobody else wants a core.
    fn is_alone(&self) -> bool {
        self.workplace.busy.load(Ordering::Relaxed) == 1 && self.workplace.queue.len() == 0
    }

    /// Whether the answer can still reach somebody in time. (To somebody who has left, the failure goes nowhere.)
    fn wanted(&self, job: &Job) -> Result<(), Failure> {
        let why = if Instant::now() >= job.deadline {
            Abandoned::Expired
        } else if job.reply.is_closed() {
            Abandoned::Cancelled
        } else {
            return Ok(());
        };
        self.workplace.metrics.abandoned(why);
        Err(Failure::DeadlineExceeded)
    }

    fn record(&self, computed: &Computed, threads: usize) {
        let threads = u32::try_from(threads).unwrap_or(u32::MAX);
        let core_time = computed.decode + computed.inference * threads;
        self.workplace.service_time.record(core_time);
        let metrics = &self.workplace.metrics;
        metrics.observe(Stage::Queue, computed.queue);
        metrics.observe(Stage::Decode, computed.decode);
        metrics.observe(Stage::Inference, computed.inference);
    }

    /// A panic in `stage` fails this call alone. The stages are made anew: nobody knows what it left in their buffers.
    fn guarded<T>(
        &mut self,
        fault: Fault,
        stage: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        catch_unwind(AssertUnwindSafe(|| stage(self))).unwrap_or_else(|_| {
            self.workplace.metrics.panics.inc();
            self.stages = (self.workplace.make_stages)(self.workplace.threads);
            Err(Failure::Internal(fault))
        })
    }
}

impl Workplace {
    /// The team belongs to whoever is alone; everybody else works by themselves.
    fn with_team<T>(&self, alone: bool, work: impl FnOnce(&mut Team) -> T) -> T {
        match alone.then(|| self.team.try_lock()) {
            Some(Ok(mut team)) => work(&mut team),
            // The team outlives a panic in one picture.
            Some(Err(TryLockError::Poisoned(team))) => work(&mut team.into_inner()),
            Some(Err(TryLockError::WouldBlock)) | None => work(&mut Team::solo()),
        }
    }
}

struct Busy<'a>(&'a AtomicUsize);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
