use std::time::Duration;

use clap::Args;
use tokio::sync::Semaphore;

use crate::config::seconds::{positive_seconds, seconds};

/// Limits on memory, work and waiting. Every queue and buffer of the server has its bound here.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// Largest encoded image, in bytes
    #[arg(long, env = "IMAGECLASSIFIER_IMAGE_BYTES_MAX", default_value_t = 10 << 20, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..=1 << 30))]
    pub image_bytes_max: u32,

    /// Largest decoded image, width x height. A decoder may need 8 bytes per pixel
    #[arg(long, env = "IMAGECLASSIFIER_PIXELS_MAX", default_value_t = 25_000_000, value_name = "PIXELS", value_parser = clap::value_parser!(u64).range(65_536..=50_000_000))]
    pub pixels_max: u64,

    /// Images in one batch
    #[arg(long, env = "IMAGECLASSIFIER_BATCH_IMAGES_MAX", default_value_t = 64, value_name = "IMAGES", value_parser = clap::value_parser!(u32).range(1..=65_535))]
    pub batch_images_max: u32,

    /// Requests that upload, wait or run at the same time; clients of further ones are told to retry
    #[arg(long, env = "IMAGECLASSIFIER_CALLS_MAX", default_value_t = 1024, value_name = "REQUESTS", value_parser = clap::value_parser!(u16).range(1..=65_535))]
    pub calls_max: u16,

    /// Image streams open at the same time; clients of further ones are told to retry
    #[arg(long, env = "IMAGECLASSIFIER_OPEN_STREAMS_MAX", default_value_t = 64, value_name = "STREAMS", value_parser = clap::value_parser!(u16).range(1..=65_535))]
    pub open_streams_max: u16,

    /// Seconds of estimated wait for a core. Requests that would wait longer are rejected at once
    #[arg(long, env = "IMAGECLASSIFIER_QUEUE_WAIT_MAX", default_value = "1", value_name = "SECONDS", value_parser = seconds)]
    pub queue_wait_max: Duration,

    /// Bytes of request messages held for all requests together
    #[arg(long, env = "IMAGECLASSIFIER_UPLOAD_BYTES_MAX", default_value_t = 128 << 20, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..=u32::MAX.into()))]
    pub upload_bytes_max: u32,

    /// Seconds for a request whose client sets no deadline
    #[arg(long, env = "IMAGECLASSIFIER_DEADLINE", default_value = "10", value_name = "SECONDS", value_parser = positive_seconds)]
    pub deadline: Duration,

    /// Seconds to wait for a request's message to arrive
    #[arg(long, env = "IMAGECLASSIFIER_UPLOAD_TIMEOUT", default_value = "30", value_name = "SECONDS", value_parser = positive_seconds)]
    pub upload_timeout: Duration,

    /// Open connections; further ones wait
    #[arg(long, env = "IMAGECLASSIFIER_CONNECTIONS_MAX", default_value_t = 1024, value_name = "CONNECTIONS", value_parser = clap::value_parser!(u16).range(1..=65_535))]
    pub connections_max: u16,

    /// Requests at the same time on one HTTP/2 connection
    #[arg(long, env = "IMAGECLASSIFIER_STREAMS_MAX", default_value_t = 100, value_name = "STREAMS", value_parser = clap::value_parser!(u32).range(1..=65_535))]
    pub streams_max: u32,

    /// Seconds for a new connection to send its first request
    #[arg(long, env = "IMAGECLASSIFIER_FIRST_REQUEST_TIMEOUT", default_value = "10", value_name = "SECONDS", value_parser = positive_seconds)]
    pub first_request_timeout: Duration,

    /// Seconds that a connection may stay open without a request in progress
    #[arg(long, env = "IMAGECLASSIFIER_IDLE_TIMEOUT", default_value = "60", value_name = "SECONDS", value_parser = positive_seconds)]
    pub idle_timeout: Duration,

    /// Seconds after which a connection takes no further requests and its client opens another one, so that requests reach new
    /// servers behind a load balancer. Varies by 10 % from connection to connection [default: no limit]
    #[arg(long, env = "IMAGECLASSIFIER_CONNECTION_AGE_MAX", value_name = "SECONDS", value_parser = positive_seconds)]
    pub connection_age_max: Option<Duration>,

    /// Seconds that requests in progress have to finish after --connection-age-max; then the connection is cut off
    #[arg(long, env = "IMAGECLASSIFIER_CONNECTION_AGE_GRACE", default_value = "30", value_name = "SECONDS", value_parser = seconds)]
    pub connection_age_grace: Duration,

    /// Health watches and reflection streams of one address open at the same time; clients of further ones are told to retry
    #[arg(long, env = "IMAGECLASSIFIER_WATCHES_PER_CLIENT_MAX", default_value_t = 32, value_name = "STREAMS", value_parser = clap::value_parser!(u16).range(1..=65_535))]
    pub watches_per_client_max: u16,

    /// Seconds that a health watch or reflection stream may last; clients may open another
    #[arg(long, env = "IMAGECLASSIFIER_WATCH_AGE_MAX", default_value = "3600", value_name = "SECONDS", value_parser = positive_seconds)]
    pub watch_age_max: Duration,

    /// Seconds that a client may stop reading a response
    #[arg(long, env = "IMAGECLASSIFIER_WRITE_TIMEOUT", default_value = "30", value_name = "SECONDS", value_parser = positive_seconds)]
    pub write_timeout: Duration,
}

/// Bytes that a message may have beside its image.
const OTHER_FIELDS_BYTES_MAX: u64 = 64 << 10;

impl Limits {
    /// Longest message of any kind. A message with an image slightly over the limit is still read, so that the error can state
    /// the image's size.
    pub(crate) fn message_bytes_max(&self) -> u64 {
        u64::from(self.image_bytes_max) * 2 + OTHER_FIELDS_BYTES_MAX
    }

    /// Bytes of all messages that are held at once: the images, and the other fields of one message. So the largest image is
    /// accepted even if only one can be held.
    pub(crate) fn held_bytes_max(&self) -> usize {
        let bytes = u64::from(self.upload_bytes_max) + OTHER_FIELDS_BYTES_MAX;
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        bytes.min(Semaphore::MAX_PERMITS)
    }
}
