use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::sync::Semaphore;

use crate::observe::metrics::Metrics;

/// Bytes of one call's messages that are held in memory, out of what all calls together may hold. Given back when the last
/// one is gone who has a hand on it.
pub(crate) struct MemoryReservation {
    taken: AtomicU32,
    /// Of a stream: lengths of the messages that have begun and that nobody has taken up yet.
    messages: Mutex<VecDeque<usize>>,
    total: Arc<Semaphore>,
    metrics: Metrics,
}

impl MemoryReservation {
    pub(super) fn new(total: Arc<Semaphore>, metrics: Metrics) -> Self {
        Self {
            taken: AtomicU32::new(0),
            messages: Mutex::default(),
            total,
            metrics,
        }
    }

    /// Whether `bytes` more can be held.
    pub(super) fn take(&self, bytes: u32) -> bool {
        let Ok(permits) = self.total.try_acquire_many(bytes) else {
            return false;
        };
        permits.forget();
        self.taken.fetch_add(bytes, Ordering::Relaxed);
        self.metrics.bytes_in_flight.inc_by(bytes.into());
        true
    }

    /// A message of a stream has begun, `bytes` long with what stands before it.
    pub(super) fn announce(&self, bytes: usize) {
        self.messages().push_back(bytes);
    }

    /// How long the next message of the stream was on the wire, to be given back when it is done with. (What it takes to
    /// encode it anew says nothing: the caller may have written it otherwise.)
    pub(crate) fn next_message_bytes(&self) -> usize {
        self.messages().pop_front().unwrap_or_default()
    }

    pub(crate) fn give_back(&self, bytes: usize) {
        let bytes = u32::try_from(bytes).expect("a message of bounded length");
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
        self.total.add_permits(bytes as usize);
        self.metrics.bytes_in_flight.dec_by(bytes.into());
    }

    fn messages(&self) -> MutexGuard<'_, VecDeque<usize>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for MemoryReservation {
    fn drop(&mut self) {
        let taken = *self.taken.get_mut();
        self.total.add_permits(taken as usize);
        self.metrics.bytes_in_flight.dec_by(taken.into());
    }
}
