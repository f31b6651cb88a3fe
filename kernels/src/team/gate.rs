//! Where the threads of a team wait for each other.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Looks at a gate before a waiting thread lets others run first: some 10 µs, what even shares of a layer differ by.
const SPINS: usize = 1000;
/// Looks at a gate, letting others run in between, before a waiting thread sleeps: some 200 µs where no other thread
/// wants to run. Waking takes about as long as a layer, so a helper should sleep between images, not between layers.
const YIELDS: usize = 500;

/// A count, and threads that wait for it to change: spinning first, then asleep.
#[derive(Debug, Default)]
pub(super) struct Gate {
    count: AtomicUsize,
    sleepers: Mutex<usize>,
    wake: Condvar,
    /// Whether a thread may be asleep, so that a gate without sleepers is passed without the lock.
    any_asleep: AtomicBool,
}

impl Gate {
    pub(super) fn add(&self, count: usize) {
        self.count.fetch_add(count, Ordering::SeqCst);
        self.wake_sleepers();
    }

    pub(super) fn subtract(&self, count: usize) {
        self.count.fetch_sub(count, Ordering::SeqCst);
        self.wake_sleepers();
    }

    fn wake_sleepers(&self) {
        // Either this sees the sleeper's flag, or the sleeper sees the new count: all are sequentially consistent.
        if self.any_asleep.load(Ordering::SeqCst) {
            drop(self.lock_sleepers());
            self.wake.notify_all();
        }
    }

    /// Waits until `condition` holds for the count, and returns it.
    pub(super) fn wait_until(&self, condition: impl Fn(usize) -> bool) -> usize {
        let look = || Some(self.count.load(Ordering::SeqCst)).filter(|count| condition(*count));
        for i in 0..SPINS + YIELDS {
            if let Some(count) = look() {
                return count;
            }
            if i < SPINS {
                std::hint::spin_loop()
            } else {
                std::thread::yield_now()
            }
        }
        let mut sleepers = self.lock_sleepers();
        *sleepers += 1;
        self.any_asleep.store(true, Ordering::SeqCst);
        let count = loop {
            if let Some(count) = look() {
                break count;
            }
            sleepers = self
                .wake
                .wait(sleepers)
                .unwrap_or_else(PoisonError::into_inner);
        };
        *sleepers -= 1;
        self.any_asleep.store(*sleepers > 0, Ordering::SeqCst);
        count
    }

    fn lock_sleepers(&self) -> MutexGuard<'_, usize> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
