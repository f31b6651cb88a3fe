//! Decompresses the messages of requests, within the limits on any message. tonic could do so, but on a runtime thread, in
//! memory that nothing counts, and zstd only with a C library.

use std::{
    io::{self, Write},
    mem,
    sync::Arc,
};

use axum::{
    BoxError,
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use futures_util::stream;
use http::header;
use http_body_util::BodyExt;
use ruzstd::decoding::StreamingDecoder;

use crate::{
    engine::offload::Offload,
    guard::{
        batch_count::BatchCounter,
        memory_reservation::MemoryReservation,
        message_meter::{BodyLimits, PREFIX_BYTES},
    },
    observe::error_reporter::ErrorReporter,
    request::{
        encoding::Encoding,
        error::{ImageCount, RequestError},
        head::{Method, Protocol, RequestHead},
    },
};

/// A zstd frame may refer back this far, even if messages must be shorter.
const WINDOW_BYTES_MIN: usize = 8 << 20;
/// Smallest allocation.
const CAPACITY_MIN: usize = 64 << 10;

/// What the decompression of all requests shares. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Decompressor {
    pub(crate) limits: BodyLimits,
    pub(crate) reporter: ErrorReporter,
    pub(crate) offload: Offload,
}

/// Passes requests on as if their messages had never been compressed.
pub(crate) async fn decompress(
    State(decompressor): State<Decompressor>,
    mut request: Request,
    next: Next,
) -> Response {
    let head = RequestHead::from_extensions(request.extensions());
    let header = Encoding::header(head.protocol);
    let name = request.headers().get(&header);
    let encoding = name.and_then(|name| Encoding::parse(name.to_str().ok()?));
    let Some(encoding) = encoding else {
        return next.run(request).await;
    };
    request.headers_mut().remove(header);
    request.headers_mut().remove(header::CONTENT_LENGTH);
    let framed = head.protocol != Protocol::Http;
    let reservation = MemoryReservation::from_extensions(request.extensions());
    let request = request.map(|body| {
        let messages = Messages {
            body,
            received: BytesMut::new(),
            passing_bytes: 0,
            index: 0,
            decoder: Decoder {
                encoding,
                head,
                decompressor,
                reservation,
            },
        };
        Body::from_stream(stream::try_unfold(
            messages,
            move |mut messages| async move {
                let next = if framed {
                    messages.next().await?
                } else {
                    messages.whole().await?
                };
                Ok::<_, BoxError>(next.map(|bytes| (bytes, messages)))
            },
        ))
    });
    next.run(request).await
}

/// A request's body, whose compressed messages are replaced.
struct Messages {
    body: Body,
    received: BytesMut,
    /// Bytes of an uncompressed message, prefix included, that are still to be passed on.
    passing_bytes: usize,
    /// Messages passed on so far.
    index: u64,
    decoder: Decoder,
}

impl Messages {
    /// A decompressed message, a part of an uncompressed one, or `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, BoxError> {
        loop {
            if self.passing_bytes > 0 && !self.received.is_empty() {
                let bytes = self.passing_bytes.min(self.received.len());
                self.passing_bytes -= bytes;
                return Ok(Some(self.received.split_to(bytes).freeze()));
            }
            if let Some((compressed, bytes)) = self.prefix() {
                if !compressed {
                    self.index += 1;
                    self.passing_bytes = bytes;
                    continue;
                }
                if self.received.len() >= bytes {
                    let message = self.received.split_to(bytes).freeze();
                    let decoded = self
                        .decoder
                        .decode(message, PREFIX_BYTES, self.index)
                        .await?;
                    self.index += 1;
                    return Ok(Some(decoded));
                }
            }
            if !self.receive().await? {
                // The rest is not a whole message; the next reader will report that.
                let rest = mem::take(&mut self.received);
                return Ok((!rest.is_empty()).then(|| rest.freeze()));
            }
        }
    }

    /// The whole body, decompressed as one message.
    async fn whole(&mut self) -> Result<Option<Bytes>, BoxError> {
        while self.receive().await? {}
        if self.received.is_empty() {
            return Ok(None);
        }
        let body = mem::take(&mut self.received).freeze();
        Ok(Some(self.decoder.decode(body, 0, 0).await?))
    }

    /// Whether the next message is compressed, and its length with the prefix.
    fn prefix(&self) -> Option<(bool, usize)> {
        let [flag, a, b, c, d] = *self.received.first_chunk()?;
        let bytes = u32::from_be_bytes([a, b, c, d]) as usize;
        Some((flag == 1, PREFIX_BYTES + bytes))
    }

    /// Receives a part of the body. Returns whether there was one.
    async fn receive(&mut self) -> Result<bool, BoxError> {
        let Some(frame) = self.body.frame().await else {
            return Ok(false);
        };
        if let Ok(data) = frame?.into_data() {
            self.received.extend_from_slice(&data);
        }
        Ok(true)
    }
}

struct Decoder {
    encoding: Encoding,
    head: RequestHead,
    decompressor: Decompressor,
    reservation: Arc<MemoryReservation>,
}

impl Decoder {
    /// Decompresses `message` on an offload thread. Its first `prefix_bytes` are the prefix of a gRPC message.
    async fn decode(
        &self,
        message: Bytes,
        prefix_bytes: usize,
        index: u64,
    ) -> Result<Bytes, BoxError> {
        let (encoding, limits) = (self.encoding, self.decompressor.limits);
        let method = self.head.method;
        let reservation = Arc::clone(&self.reservation);
        let decoding = move || {
            let decoded = decode(encoding, &message, prefix_bytes, limits, &reservation)?;
            if method == Method::ClassifyBatch {
                count_images(&decoded[prefix_bytes..], limits.batch_images_max)?;
            }
            reservation.replace(index, message.len(), decoded.len());
            Ok(Bytes::from(decoded))
        };
        let decoded = self.decompressor.offload.run(decoding).await;
        decoded.and_then(|decoded| decoded).map_err(|error| {
            let reporter = &self.decompressor.reporter;
            reporter.body_error(&self.head, error).into()
        })
    }
}

/// # Errors
/// [`RequestError::BatchSize`] if the message of a batch has more images than `images_max`.
fn count_images(message: &[u8], images_max: u32) -> Result<(), RequestError> {
    let images = BatchCounter::default().count(message);
    if images > images_max as usize {
        return Err(RequestError::BatchSize {
            images: ImageCount::Exactly(images),
            images_max,
        });
    }
    Ok(())
}

fn decode(
    encoding: Encoding,
    message: &[u8],
    prefix_bytes: usize,
    limits: BodyLimits,
    reservation: &MemoryReservation,
) -> Result<Vec<u8>, RequestError> {
    let mut decoded = Decoded {
        bytes: Vec::new(),
        reserved_bytes: 0,
        limits,
        reservation,
        error: None,
    };
    let prefix = [0; PREFIX_BYTES];
    let copied = decoded.write_all(&prefix[..prefix_bytes]);
    let copied = copied.and_then(|()| copy(encoding, &message[prefix_bytes..], &mut decoded));
    if copied.is_err() {
        let error = decoded.error.take();
        return Err(error.unwrap_or(RequestError::MessageMalformed));
    }
    let mut bytes = decoded.finish();
    if prefix_bytes > 0 {
        let length = bytes.len() - PREFIX_BYTES;
        let length = u32::try_from(length).expect("a message of bounded length");
        bytes[1..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
    }
    Ok(bytes)
}

fn copy(encoding: Encoding, mut compressed: &[u8], decoded: &mut Decoded<'_>) -> io::Result<()> {
    match encoding {
        Encoding::Gzip => {
            io::copy(&mut MultiGzDecoder::new(compressed), decoded)?;
        }
        Encoding::Zstd => {
            let window_bytes_max = decoded.limits.message_bytes_max.max(WINDOW_BYTES_MIN) as u64;
            while !compressed.is_empty() {
                let frame =
                    StreamingDecoder::new_with_max_window_size(&mut compressed, window_bytes_max);
                io::copy(&mut frame.map_err(io::Error::other)?, decoded)?;
            }
        }
    }
    Ok(())
}

/// The decompressed part of a message, in memory that is reserved before it is allocated.
struct Decoded<'a> {
    bytes: Vec<u8>,
    reserved_bytes: usize,
    limits: BodyLimits,
    reservation: &'a MemoryReservation,
    /// Why the last write failed.
    error: Option<RequestError>,
}

impl Decoded<'_> {
    fn reserve(&mut self, bytes: usize) -> Result<(), RequestError> {
        let bytes_max = self.limits.message_bytes_max + PREFIX_BYTES;
        let needed = self.bytes.len() + bytes;
        if needed > bytes_max {
            return Err(RequestError::MessageTooLarge {
                bytes_max: self.limits.image_bytes_max,
            });
        }
        if needed > self.bytes.capacity() {
            let capacity = (self.bytes.capacity() * 2).max(CAPACITY_MIN);
            let capacity = capacity.min(bytes_max).max(needed);
            self.reservation.reserve(capacity - self.reserved_bytes)?;
            self.reserved_bytes = capacity;
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        Ok(())
    }

    /// Returns the bytes without spare capacity.
    fn finish(mut self) -> Vec<u8> {
        self.bytes.shrink_to_fit();
        self.reservation
            .give_back(self.reserved_bytes - self.bytes.len());
        self.reserved_bytes = 0;
        mem::take(&mut self.bytes)
    }
}

impl Drop for Decoded<'_> {
    fn drop(&mut self) {
        self.reservation.give_back(self.reserved_bytes);
    }
}

impl Write for Decoded<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if let Err(error) = self.reserve(data.len()) {
            self.error = Some(error);
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
