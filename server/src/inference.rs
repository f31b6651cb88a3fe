//! The compute threads, one for each core. Each takes the next picture as soon as it is free: no timer, no batch to fill.
//! One picture a core is the fastest way to many answers; only a picture that is alone has all cores to itself.

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

use crossbeam_channel::Receiver;
use imageclassifier_model::{Input, Logits, Network, Runner, Team};
use tokio::sync::oneshot;

use crate::status::{Failure, Fault};

/// One input on its way to the network.
pub(crate) struct Job {
    pub(crate) input: Input,
    pub(crate) queued_at: Instant,
    /// Closed once the caller has left.
    pub(crate) reply: oneshot::Sender<Result<Inferred, Failure>>,
}

pub(crate) struct Inferred {
    pub(crate) logits: Logits,
    pub(crate) queue: Duration,
    pub(crate) inference: Duration,
}

/// Starts `threads` threads that run `network` on the jobs of `queue` until nobody can send any more.
///
/// # Errors
/// If a thread cannot be started.
pub(crate) fn start(network: &Network, threads: usize, queue: &Receiver<Job>) -> io::Result<()> {
    let all_cores = Arc::new(AllCores {
        team: Mutex::new(Team::new(threads)),
        busy: AtomicUsize::new(0),
    });
    for index in 0..threads {
        let worker = Worker {
            runner: network.runner(threads),
            queue: queue.clone(),
            all_cores: Arc::clone(&all_cores),
        };
        let thread = thread::Builder::new().name(format!("inference-{index}"));
        thread.spawn(move || worker.run())?;
    }
    Ok(())
}

/// A compute thread.
struct Worker {
    runner: Runner,
    queue: Receiver<Job>,
    all_cores: Arc<AllCores>,
}

/// What the compute threads share.
struct AllCores {
    /// For a picture that is alone.
    team: Mutex<Team>,
    /// Compute threads at work.
    busy: AtomicUsize,
}

impl Worker {
    /// Until nobody can send a job any more.
    fn run(mut self) {
        while let Ok(job) = self.queue.recv() {
            if !job.reply.is_closed() {
                self.answer(job);
            }
        }
    }

    fn answer(&mut self, job: Job) {
        let Job {
            input,
            queued_at,
            reply,
        } = job;
        let begun_at = Instant::now();
        let others = self.all_cores.busy.fetch_add(1, Ordering::Relaxed);
        let alone = others == 0 && self.queue.is_empty();
        let logits = self.infer(input, alone);
        self.all_cores.busy.fetch_sub(1, Ordering::Relaxed);
        let inferred = logits.map(|logits| Inferred {
            logits,
            queue: begun_at - queued_at,
            inference: begun_at.elapsed(),
        });
        // The caller may have left meanwhile.
        let _ = reply.send(inferred);
    }

    fn infer(&mut self, input: Input, alone: bool) -> Result<Logits, Failure> {
        let Self {
            runner, all_cores, ..
        } = self;
        // Whatever a panic leaves behind in the buffers, the next picture overwrites; the team works on.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let team = alone.then(|| all_cores.team.try_lock());
            match team {
                Some(Ok(mut team)) => runner.run(input, &mut team),
                Some(Err(TryLockError::Poisoned(team))) => {
                    runner.run(input, &mut team.into_inner())
                }
                Some(Err(TryLockError::WouldBlock)) | None => runner.run(input, &mut Team::solo()),
            }
        }));
        outcome
            .map_err(|_| Failure::Internal(Fault::InferencePanicked))?
            .map_err(|error| Failure::Internal(Fault::Network(Arc::new(error))))
    }
}
