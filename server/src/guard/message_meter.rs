//! What a request's messages may hold: their length, and how many images. Each limit is checked as soon as the bytes that
//! exceed it have arrived.

use std::{sync::Arc, time::Duration};

use crate::{
    guard::{
        batch_count::BatchCounter, memory_reservation::MemoryReservation,
        reflection_message::ReflectionMessage,
    },
    request::{
        error::{ImageCount, RequestError},
        head::{Method, Protocol, RequestHead},
    },
};

/// Length of the prefix of each gRPC message: a flag, and four bytes with the message's length.
pub(crate) const PREFIX_BYTES: usize = 5;
/// How many bytes of a long message in a stream have to arrive within the upload timeout.
const PROGRESS_BYTES: usize = 16 << 10;

/// Limits on a request's message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits {
    /// Longer messages are not even read to find out how long they are.
    pub(crate) message_bytes_max: usize,
    /// The limit that errors state.
    pub(crate) image_bytes_max: u64,
    pub(crate) batch_images_max: u32,
    pub(crate) timeout: Duration,
    /// How long a stream may be silent between two messages.
    pub(crate) idle_timeout: Duration,
}

/// What has arrived of a request's messages. Reserves memory for it.
pub(super) struct MessageMeter {
    method: Method,
    protocol: Protocol,
    limits: BodyLimits,
    reservation: Arc<MemoryReservation>,
    prefix: Vec<u8>,
    received_bytes: usize,
    /// Streams only: bytes of the current message that are still to come.
    missing_bytes: usize,
    /// Streams only: bytes of the current message since the last progress.
    progress_bytes: usize,
    /// Reflection only: the current message.
    reflection: ReflectionMessage,
    /// Counts the images of a batch.
    counter: BatchCounter,
}

/// Whether a stream's client has sent enough to be given more time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Made,
    TooLittle,
}

/// Why a message is not accepted.
pub(super) enum Rejection {
    /// Reject immediately.
    Now(RequestError),
    /// Reject after reading the rest: some clients read the response only then.
    AtEnd(RequestError),
    /// Reject once the first of the bytes, which end a message, have been handed on.
    After(usize, RequestError),
}

impl MessageMeter {
    pub(super) fn new(
        head: &RequestHead,
        limits: BodyLimits,
        reservation: Arc<MemoryReservation>,
    ) -> Self {
        Self {
            method: head.method,
            protocol: head.protocol,
            limits,
            reservation,
            prefix: Vec::with_capacity(PREFIX_BYTES),
            received_bytes: 0,
            missing_bytes: 0,
            progress_bytes: 0,
            reflection: ReflectionMessage::default(),
            counter: BatchCounter::default(),
        }
    }

    /// Whether no message is incomplete: the client may have nothing to send.
    pub(super) fn is_between_messages(&self) -> bool {
        is_stream(self.method) && self.missing_bytes == 0
    }

    /// How long to wait for the message or, in a stream, for progress.
    pub(super) fn timeout(&self) -> Duration {
        if self.is_between_messages() {
            self.limits.idle_timeout
        } else {
            self.limits.timeout
        }
    }

    pub(super) fn received_bytes(&self) -> usize {
        self.received_bytes
    }

    /// Accounts for bytes of a message that has been rejected.
    pub(super) fn discard(&mut self, bytes: usize) {
        self.received_bytes += bytes;
    }

    /// Accounts for `data`.
    pub(super) fn receive(&mut self, data: &[u8]) -> Result<Progress, Rejection> {
        if is_stream(self.method) {
            return self.receive_stream(data);
        }
        self.received_bytes += data.len();
        let missing = PREFIX_BYTES - self.prefix.len();
        self.prefix.extend(data.iter().take(missing));
        if let Some(error) = self.excess(&data[missing.min(data.len())..]) {
            return Err(Rejection::AtEnd(error));
        }
        self.hold(data.len()).map_err(Rejection::Now)?;
        // A single message has one timeout, however it arrives.
        Ok(Progress::TooLittle)
    }

    /// Accounts for the end of the messages.
    ///
    /// # Errors
    /// [`RequestError::MessageMalformed`] if the last message of a reflection stream is incomplete. Other services see that.
    pub(super) fn end(&self) -> Result<(), RequestError> {
        let incomplete = self.missing_bytes > 0 || !self.prefix.is_empty();
        if self.method == Method::Reflection && incomplete {
            return Err(RequestError::MessageMalformed);
        }
        Ok(())
    }

    /// Accounts for `data`, which may end one message of a stream and begin others. Each message may be as long as that of
    /// a unary call.
    fn receive_stream(&mut self, data: &[u8]) -> Result<Progress, Rejection> {
        let mut any_begun = false;
        let mut rest = data;
        let mut valid_bytes = 0;
        while !rest.is_empty() {
            let in_prefix = self.missing_bytes == 0;
            let wanted = if in_prefix {
                PREFIX_BYTES - self.prefix.len()
            } else {
                self.missing_bytes
            };
            let (part, after) = rest.split_at(wanted.min(rest.len()));
            rest = after;
            let received = if in_prefix {
                self.receive_prefix(part)
            } else {
                self.receive_content(part)
            };
            if let Err(error) = received {
                self.hold_stream(valid_bytes)?;
                return Err(Rejection::After(valid_bytes, error));
            }
            any_begun |= in_prefix && self.prefix.is_empty();
            if self.is_between_messages() && self.prefix.is_empty() {
                valid_bytes = data.len() - rest.len();
            }
        }
        self.progress_bytes += data.len();
        self.hold_stream(data.len())?;
        if any_begun || self.missing_bytes == 0 || self.progress_bytes >= PROGRESS_BYTES {
            self.progress_bytes = 0;
            return Ok(Progress::Made);
        }
        Ok(Progress::TooLittle)
    }

    /// Accounts for bytes of a prefix in a stream. It is empty again when it was complete.
    fn receive_prefix(&mut self, part: &[u8]) -> Result<(), RequestError> {
        self.prefix.extend(part);
        if self.prefix.len() < PREFIX_BYTES {
            return Ok(());
        }
        self.missing_bytes = self.declared_bytes();
        let flag = self.prefix[0];
        self.prefix.clear();
        if self.missing_bytes > self.limits.message_bytes_max {
            return Err(self.too_large());
        }
        if self.method == Method::Reflection {
            return self.reflection.begin(flag, self.missing_bytes);
        }
        // An upload keeps its reservation to its end.
        if self.method == Method::ClassifyStream {
            self.reservation.announce(PREFIX_BYTES + self.missing_bytes);
        }
        Ok(())
    }

    /// Accounts for bytes of a message in a stream.
    fn receive_content(&mut self, part: &[u8]) -> Result<(), RequestError> {
        self.missing_bytes -= part.len();
        if self.method == Method::Reflection {
            return self.reflection.receive(part, self.missing_bytes);
        }
        Ok(())
    }

    /// Reserves memory for bytes of a stream. Reflection requests are answered at once and need none.
    fn hold_stream(&self, bytes: usize) -> Result<(), Rejection> {
        if self.method == Method::Reflection {
            return Ok(());
        }
        self.hold(bytes).map_err(Rejection::Now)
    }

    fn hold(&self, bytes: usize) -> Result<(), RequestError> {
        self.reservation.reserve(bytes)
    }

    /// What the message has too much of, with the next of its bytes.
    fn excess(&mut self, data: &[u8]) -> Option<RequestError> {
        let limits = self.limits;
        let declared_bytes = self.declared_bytes();
        if declared_bytes.max(self.received_bytes) > limits.message_bytes_max {
            return Some(self.too_large());
        }
        // tonic would decode a second message before it drops it.
        let is_grpc = self.protocol != Protocol::Http;
        if is_grpc && self.received_bytes > PREFIX_BYTES + declared_bytes {
            return Some(RequestError::MessageMalformed);
        }
        // Compressed images are counted once they are decompressed.
        if self.method != Method::ClassifyBatch || self.prefix.first() != Some(&0) {
            return None;
        }
        let images = self.counter.count(data);
        let images_max = limits.batch_images_max;
        (images > images_max as usize).then_some(RequestError::BatchSize {
            images: ImageCount::AtLeast(images),
            images_max,
        })
    }

    fn too_large(&self) -> RequestError {
        too_large(self.method, self.limits)
    }

    /// The length that the message declares; zero before its prefix is complete, and in plain HTTP, which has no prefix.
    fn declared_bytes(&self) -> usize {
        if self.protocol == Protocol::Http {
            return 0;
        }
        match *self.prefix {
            [_, a, b, c, d] => u32::from_be_bytes([a, b, c, d]) as usize,
            _ => 0,
        }
    }
}

/// The error for a message of `method` that is too long.
pub(super) fn too_large(method: Method, limits: BodyLimits) -> RequestError {
    let bytes_max = match method {
        // Each of the images may be small.
        Method::ClassifyBatch | Method::ModelInfer => limits.message_bytes_max as u64,
        _ => limits.image_bytes_max,
    };
    RequestError::MessageTooLarge { bytes_max }
}

/// Whether the client may send any number of messages.
pub(super) fn is_stream(method: Method) -> bool {
    matches!(
        method,
        Method::ClassifyStream | Method::PublishModel | Method::Reflection
    )
}

#[cfg(test)]
mod tests;
