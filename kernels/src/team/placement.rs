//! Which CPUs the helpers of a team run on.
//!
//! Linux wakes a helper on the caller's own CPU if no other looks idle. In a virtual machine, a CPU that has been idle for some
//! milliseconds may not look idle. The helper then waits behind the caller until the kernel balances the load, some milliseconds
//! later, when the image is nearly done. (On two virtual CPUs, after 50 ms of silence, the helper began after 0.5 to 5 ms; kept off
//! the caller's CPU, after 0.1 ms.)

#[cfg(target_os = "linux")]
pub(super) use linux::Placement;

#[cfg(target_os = "linux")]
mod linux {
    use std::sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    };

    use rustix::thread::{CpuSet, Pid, gettid, sched_getaffinity, sched_getcpu, sched_setaffinity};

    /// No CPU.
    const NONE: usize = usize::MAX;

    /// The helpers, and the CPUs that they may run on.
    #[derive(Debug)]
    pub(in super::super) struct Placement {
        /// Those of the thread that made the team; `None` where they are unknown, or only one.
        allowed: Option<CpuSet>,
        helpers: Mutex<Vec<Pid>>,
        /// The CPU that the helpers are kept off.
        avoided: AtomicUsize,
    }

    impl Default for Placement {
        fn default() -> Self {
            let allowed = sched_getaffinity(None).ok();
            Self {
                allowed: allowed.filter(|cpus| cpus.count() > 1),
                helpers: Mutex::default(),
                avoided: AtomicUsize::new(NONE),
            }
        }
    }

    impl Placement {
        /// Counts the calling thread among the helpers.
        pub(in super::super) fn add_this_thread(&self) {
            let mut helpers = self.lock_helpers();
            helpers.push(gettid());
            self.avoided.store(NONE, Ordering::Relaxed);
        }

        /// Lets the helpers run on every CPU but the calling thread's, until it is called on another. CPUs that the process gets
        /// later are not used.
        pub(in super::super) fn keep_off_this_cpu(&self) {
            let Some(mut others) = self.allowed else {
                return;
            };
            let cpu = sched_getcpu();
            if self.avoided.load(Ordering::Relaxed) == cpu {
                return;
            }
            let helpers = self.lock_helpers();
            others.unset(cpu);
            for helper in &*helpers {
                // It fails if none of these CPUs is left to the process; the helper then runs where it may.
                let _ = sched_setaffinity(Some(*helper), &others);
            }
            self.avoided.store(cpu, Ordering::Relaxed);
        }

        fn lock_helpers(&self) -> std::sync::MutexGuard<'_, Vec<Pid>> {
            self.helpers.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}

/// Leaves the choice to the system.
#[cfg(not(target_os = "linux"))]
#[derive(Debug, Default)]
pub(super) struct Placement;

#[cfg(not(target_os = "linux"))]
impl Placement {
    pub(super) fn add_this_thread(&self) {}

    pub(super) fn keep_off_this_cpu(&self) {}
}
