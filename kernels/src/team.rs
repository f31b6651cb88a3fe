//! Threads that share the work of one image.
//!
//! An image takes a few milliseconds and has some fifty places where the threads must meet. They meet by spinning, but
//! only briefly: a thread that has to wait longer sleeps. No thread waits for work that has not begun: any free thread
//! takes the next part, so that a helper which the system has suspended costs its help, not a time slice. (With
//! fixed shares and spinning alone an image took 40 ms on two cores that were busy otherwise; with sleep, 6 ms.)
#![allow(unsafe_code)]

mod gate;
mod placement;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use gate::Gate;
use placement::Placement;

use crate::scratch::{Scratch, ScratchLen};

/// Threads in a team, at most. One image is too little work for more.
pub const THREADS_MAX: usize = 16;

/// The calling thread and its helpers, which sleep while there is nothing to do.
///
/// The team holds what its helpers write on their way. It allocates that for the first network that it runs, and grows
/// it for a larger one.
#[derive(Debug, Default)]
pub struct ThreadTeam {
    shared: Option<Arc<Shared>>,
    helpers: Vec<JoinHandle<()>>,
    /// One for each helper.
    scratch: Vec<Scratch>,
}

impl ThreadTeam {
    /// Only the calling thread. Costs nothing.
    #[must_use]
    pub fn solo() -> Self {
        Self::default()
    }

    /// The calling thread and `threads - 1` helpers; at least one thread, at most [`THREADS_MAX`].
    ///
    /// # Panics
    /// If the system cannot start a thread.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        let threads = threads.clamp(1, THREADS_MAX);
        if threads == 1 {
            return Self::solo();
        }
        let shared = Arc::new(Shared::default());
        let helpers = (1..threads).map(|index| {
            let shared = Arc::clone(&shared);
            let helper = std::thread::Builder::new().name(format!("kernels-{index}"));
            helper
                .spawn(move || shared.help())
                .expect("the system can start a thread")
        });
        Self {
            helpers: helpers.collect(),
            shared: Some(shared),
            scratch: Vec::new(),
        }
    }

    /// Threads in the team, the caller included.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.helpers.len() + 1
    }

    /// Makes room for helpers that need scratch of `len`.
    pub(crate) fn reserve_scratch(&mut self, len: ScratchLen) {
        self.scratch
            .resize_with(self.helpers.len(), Scratch::default);
        for scratch in &mut self.scratch {
            scratch.grow(len);
        }
    }

    /// As [`for_each`](Self::for_each), with scratch for each part: the caller's for the first, the team's own, of
    /// `helper_len`, for the others.
    ///
    /// # Panics
    /// As [`for_each`](Self::for_each).
    pub(crate) fn for_each_with_scratch<T: Send>(
        &mut self,
        helper_len: ScratchLen,
        scratch: &mut Scratch,
        parts: impl IntoIterator<Item = T>,
        work: impl Fn(T, &mut Scratch) + Sync,
    ) {
        self.reserve_scratch(helper_len);
        let mut helpers = std::mem::take(&mut self.scratch);
        let scratch = std::iter::once(scratch).chain(&mut helpers);
        self.for_each(parts.into_iter().zip(scratch), |(part, scratch)| {
            work(part, scratch);
        });
        self.scratch = helpers;
    }

    /// Calls `work` with each of `parts`, on the threads that are free, and returns when all are done.
    ///
    /// # Panics
    /// If there are more than [`THREADS_MAX`] parts, or if `work` panics.
    pub(crate) fn for_each<T: Send>(
        &mut self,
        parts: impl IntoIterator<Item = T>,
        work: impl Fn(T) + Sync,
    ) {
        let Some(shared) = &self.shared else {
            return parts.into_iter().for_each(work);
        };
        let mut slots: [Mutex<Option<T>>; THREADS_MAX] = [const { Mutex::new(None) }; THREADS_MAX];
        let mut count = 0;
        for part in parts {
            *slots[count]
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner) = Some(part);
            count += 1;
        }
        let next = AtomicUsize::new(0);
        shared.run(&|| {
            while let Some(slot) = slots[..count].get(next.fetch_add(1, Ordering::Relaxed)) {
                let part = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
                part.into_iter().for_each(&work);
            }
        });
    }

    /// The ranges that `total` items fall into, one for each thread, as even as possible.
    pub(crate) fn shares(&self, total: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let threads = self.threads();
        (0..threads).map(move |i| total * i / threads..total * (i + 1) / threads)
    }
}

impl Drop for ThreadTeam {
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            shared.stop.store(true, Ordering::Release);
            shared.rounds.add(1);
        }
        for helper in self.helpers.drain(..) {
            let _ = helper.join();
        }
    }
}

/// Splits `slice` into consecutive pieces of these lengths; what remains stays out.
pub(crate) fn split(
    mut slice: &mut [f32],
    lengths: impl Iterator<Item = usize>,
) -> impl Iterator<Item = &mut [f32]> {
    lengths.map(move |len| {
        let (piece, rest) = std::mem::take(&mut slice).split_at_mut(len);
        slice = rest;
        piece
    })
}

type Job = dyn Fn() + Sync;

#[derive(Debug, Default)]
struct Shared {
    /// The job of the current round, for as long as helpers may still join it.
    job: Mutex<Option<JobPointer>>,
    /// Rounds begun.
    rounds: Gate,
    /// Helpers that work on the job.
    active: Gate,
    placement: Placement,
    panicked: AtomicBool,
    stop: AtomicBool,
}

/// A borrowed job, its lifetime forgotten.
#[derive(Clone, Copy, Debug)]
struct JobPointer(*const Job);

// SAFETY: the job behind it is `Sync`, so any thread may call it.
unsafe impl Send for JobPointer {}

impl Shared {
    /// Runs `job` on this thread and on the helpers that join in time; returns when none of them works on it any more.
    fn run(&self, job: &(dyn Fn() + Sync)) {
        // SAFETY: only the lifetime changes. A helper takes the pointer out of `self.job` and counts itself in `active`
        // under the same lock. Before this function returns or unwinds, `EndOfRound` takes the job away and waits until
        // no helper is active, so none uses the pointer after that.
        let job = unsafe { std::mem::transmute::<&(dyn Fn() + Sync), &'static Job>(job) };
        self.panicked.store(false, Ordering::Release);
        *self.lock_job() = Some(JobPointer(job));
        self.placement.keep_off_this_cpu();
        self.rounds.add(1);
        {
            let _end = EndOfRound(self);
            job();
        }
        assert!(
            !self.panicked.load(Ordering::Acquire),
            "a helper thread panicked"
        );
    }

    /// The loop of a helper thread.
    fn help(&self) {
        self.placement.add_this_thread();
        let mut seen = 0;
        loop {
            seen = self.rounds.wait_until(|rounds| rounds != seen);
            if self.stop.load(Ordering::Acquire) {
                return;
            }
            let Some(JobPointer(job)) = self.join() else {
                continue;
            };
            // SAFETY: `run` waits for this helper, which is counted as active, before it takes the job back.
            let job = unsafe { &*job };
            if catch_unwind(AssertUnwindSafe(job)).is_err() {
                self.panicked.store(true, Ordering::Release);
            }
            self.active.subtract(1);
        }
    }

    /// The job, if its round is not over, and this helper counted among the active.
    fn join(&self) -> Option<JobPointer> {
        let job = self.lock_job();
        if job.is_some() {
            self.active.add(1);
        }
        *job
    }

    fn lock_job(&self) -> MutexGuard<'_, Option<JobPointer>> {
        self.job.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a round, also when the caller's own work panics.
struct EndOfRound<'a>(&'a Shared);

impl Drop for EndOfRound<'_> {
    fn drop(&mut self) {
        *self.0.lock_job() = None;
        self.0.active.wait_until(|active| active == 0);
    }
}

#[cfg(test)]
mod tests {
    use super::{ThreadTeam, split};
    use std::time::Duration;

    #[test]
    fn works_on_every_part_once_in_every_round() {
        for threads in [1, 2, 3, 5] {
            let mut team = ThreadTeam::new(threads);
            let mut values = vec![0.0_f32; 100];
            for round in 0..200 {
                let lengths: Vec<_> = team.shares(100).map(|share| share.len()).collect();
                team.for_each(split(&mut values, lengths.into_iter()), |part| {
                    part.iter_mut().for_each(|x| *x += 1.0)
                });
                if round % 50 == 0 {
                    // Long enough for the helpers to fall asleep.
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
            assert!(values.iter().all(|x| *x == 200.0), "{threads} threads");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn helpers_keep_off_the_callers_cpu() {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
        use std::sync::{Barrier, Mutex};

        let allowed = sched_getaffinity(None).unwrap();
        let cpus: Vec<_> = (0..CpuSet::MAX_CPU)
            .filter(|cpu| allowed.is_set(*cpu))
            .collect();
        let mut team = ThreadTeam::new(2);
        // The helper has begun.
        let both = Barrier::new(2);
        team.for_each([(), ()], |()| {
            both.wait();
        });
        // A thread of its own, because it gives up CPUs.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for &cpu in &cpus {
                    let mut here = CpuSet::new();
                    here.set(cpu);
                    sched_setaffinity(None, &here).unwrap();
                    let (caller, both) = (std::thread::current().id(), Barrier::new(2));
                    let helpers = Mutex::new(None);
                    team.for_each([(), ()], |()| {
                        both.wait();
                        if std::thread::current().id() != caller {
                            *helpers.lock().unwrap() = sched_getaffinity(None).ok();
                        }
                    });
                    let mut expected = allowed;
                    if cpus.len() > 1 {
                        expected.unset(cpu);
                    }
                    assert_eq!(helpers.into_inner().unwrap(), Some(expected));
                }
            });
        });
    }

    #[test]
    fn forwards_a_panic_to_the_caller_and_keeps_working() {
        let mut team = ThreadTeam::new(2);
        for bad in 0..2 {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                team.for_each([0, 1], |part| assert_ne!(part, bad));
            }));
            assert!(result.is_err());
            team.for_each([0, 0], |part| assert_eq!(part, 0));
        }
    }
}
