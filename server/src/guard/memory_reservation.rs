use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use http::Extensions;
use tokio::sync::Semaphore;

use crate::{observe::metrics::Metrics, request::error::RequestError};

/// Bytes of one request's messages that are held in memory, out of what all requests together may hold. They are released
/// when the last handle is dropped.
pub(crate) struct MemoryReservation {
    taken: AtomicU32,
    /// Streams only.
    messages: Mutex<Messages>,
    total: Arc<Semaphore>,
    metrics: Metrics,
}

/// The messages of a stream that have begun and that no handler has taken yet.
#[derive(Default)]
struct Messages {
    /// How many messages were taken before them.
    taken: u64,
    bytes: VecDeque<usize>,
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

    /// Reserves `bytes` more. Returns whether there was room.
    pub(super) fn take(&self, bytes: u32) -> bool {
        let Ok(permits) = self.total.try_acquire_many(bytes) else {
            return false;
        };
        permits.forget();
        self.taken.fetch_add(bytes, Ordering::Relaxed);
        self.metrics.bytes_in_flight.inc_by(bytes.into());
        true
    }

    /// The reservation of the request that has `extensions`.
    pub(crate) fn from_extensions(extensions: &Extensions) -> Arc<Self> {
        let reservation = extensions.get::<Arc<Self>>();
        Arc::clone(reservation.expect("`watch` lies around every handler"))
    }

    /// # Errors
    /// [`RequestError::Overloaded`] if `bytes` more cannot be held.
    pub(crate) fn reserve(&self, bytes: usize) -> Result<(), RequestError> {
        if u32::try_from(bytes).is_ok_and(|bytes| self.take(bytes)) {
            return Ok(());
        }
        Err(RequestError::Overloaded {
            retry_delay: Duration::from_secs(1),
        })
    }

    /// Records that message `index` has been decompressed: its bytes on the wire are released, and it holds
    /// `decoded_bytes`, which are already reserved.
    pub(crate) fn replace(&self, index: u64, wire_bytes: usize, decoded_bytes: usize) {
        self.give_back(wire_bytes);
        let mut messages = self.messages();
        let position = index.checked_sub(messages.taken);
        let position = position.and_then(|position| usize::try_from(position).ok());
        if let Some(bytes) = position.and_then(|position| messages.bytes.get_mut(position)) {
            *bytes = decoded_bytes;
        }
    }

    /// Records that a message of a stream has begun, `bytes` long with its prefix.
    pub(super) fn announce(&self, bytes: usize) {
        self.messages().bytes.push_back(bytes);
    }

    /// Length of the stream's next message on the wire, to be released when the message is done. (Encoding the message
    /// again may give another length: the client may have encoded it differently.)
    pub(crate) fn next_message_bytes(&self) -> usize {
        let mut messages = self.messages();
        messages.taken += 1;
        messages.bytes.pop_front().unwrap_or_default()
    }

    pub(crate) fn give_back(&self, bytes: usize) {
        let bytes = u32::try_from(bytes).expect("a message of bounded length");
        let given_back = (self.taken).fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
            taken.checked_sub(bytes)
        });
        // More than was taken would raise the limit for all.
        debug_assert!(given_back.is_ok(), "{bytes} bytes were not reserved");
        if given_back.is_err() {
            return;
        }
        self.total.add_permits(bytes as usize);
        self.metrics.bytes_in_flight.dec_by(bytes.into());
    }

    fn messages(&self) -> MutexGuard<'_, Messages> {
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
