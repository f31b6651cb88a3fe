use std::time::Duration;

use clap::Args;
use tokio::sync::Semaphore;

use crate::config::seconds::{positive_seconds, seconds};

/// What bounds memory, work and waiting. Every queue and buffer of the server has its bound here.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// Largest encoded image taken, in bytes
    #[arg(long, env = "IMAGECLASSIFIER_IMAGE_BYTES_MAX", default_value_t = 10 << 20, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..=1 << 30))]
    pub image_bytes_max: u32,

    /// Largest image decoded, width x height; a decoder may need 8 bytes of memory for each pixel
    #[arg(long, env = "IMAGECLASSIFIER_PIXELS_MAX", default_value_t = 25_000_000, value_name = "PIXELS", value_parser = clap::value_parser!(u64).range(1..=50_000_000))]
    pub pixels_max: u64,

    /// Most images in one batch
    #[arg(long, env = "IMAGECLASSIFIER_BATCH_IMAGES_MAX", default_value_t = 64, value_name = "IMAGES", value_parser = clap::value_parser!(u32).range(1..=65_535))]
    pub batch_images_max: u32,

    /// Most calls that may upload, wait or be worked on at once; further ones are told to try again
    #[arg(long, env = "IMAGECLASSIFIER_CALLS_MAX", default_value_t = 1024, value_name = "CALLS", value_parser = clap::value_parser!(u16).range(1..=65_535))]
    pub calls_max: u16,

    /// Most streams of images open at once; further ones are told to try again
    #[arg(long, env = "IMAGECLASSIFIER_OPEN_STREAMS_MAX", default_value_t = 64, value_name = "STREAMS", value_parser = clap::value_parser!(u16).range(1..=65_535))]
    pub open_streams_max: u16,

    /// Longest estimated wait for a core, in seconds; calls that would wait longer are told to try again
    #[arg(long, env = "IMAGECLASSIFIER_QUEUE_WAIT_MAX", default_value = "1", value_name = "SECONDS", value_parser = seconds)]
    pub queue_wait_max: Duration,

    /// Most bytes of images held for all calls together
    #[arg(long, env = "IMAGECLASSIFIER_UPLOAD_BYTES_MAX", default_value_t = 128 << 20, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..=u32::MAX.into()))]
    pub upload_bytes_max: u32,

    /// How long a call may take whose caller sets no deadline, in seconds
    #[arg(long, env = "IMAGECLASSIFIER_DEADLINE", default_value = "10", value_name = "SECONDS", value_parser = positive_seconds)]
    pub deadline: Duration,

    /// How long a call's message may take to arrive, in seconds
    #[arg(long, env = "IMAGECLASSIFIER_UPLOAD_TIMEOUT", default_value = "30", value_name = "SECONDS", value_parser = positive_seconds)]
    pub upload_timeout: Duration,

    /// Most connections open at once; further ones wait
    #[arg(long, env = "IMAGECLASSIFIER_CONNECTIONS_MAX", default_value_t = 1024, value_name = "CONNECTIONS", value_parser = clap::value_parser!(u16).range(1..=65_535))]
    pub connections_max: u16,

    /// Most calls at once on one HTTP/2 connection
    #[arg(long, env = "IMAGECLASSIFIER_STREAMS_MAX", default_value_t = 100, value_name = "STREAMS", value_parser = clap::value_parser!(u32).range(1..=65_535))]
    pub streams_max: u32,

    /// How long a new connection may take to ask for something, in seconds
    #[arg(long, env = "IMAGECLASSIFIER_FIRST_REQUEST_TIMEOUT", default_value = "10", value_name = "SECONDS", value_parser = positive_seconds)]
    pub first_request_timeout: Duration,

    /// How long a connection may be open without a call in progress, in seconds
    #[arg(long, env = "IMAGECLASSIFIER_IDLE_TIMEOUT", default_value = "60", value_name = "SECONDS", value_parser = positive_seconds)]
    pub idle_timeout: Duration,

    /// Most health watches and reflection streams open at once of one address; further ones are told to try again
    #[arg(long, env = "IMAGECLASSIFIER_WATCHES_PER_CLIENT_MAX", default_value_t = 32, value_name = "STREAMS", value_parser = clap::value_parser!(u16).range(1..=65_535))]
    pub watches_per_client_max: u16,

    /// How long a health watch or a reflection stream may last, in seconds; clients may open another
    #[arg(long, env = "IMAGECLASSIFIER_WATCH_AGE_MAX", default_value = "3600", value_name = "SECONDS", value_parser = positive_seconds)]
    pub watch_age_max: Duration,

    /// How long a client may take nothing of a response that is ready, in seconds
    #[arg(long, env = "IMAGECLASSIFIER_WRITE_TIMEOUT", default_value = "30", value_name = "SECONDS", value_parser = positive_seconds)]
    pub write_timeout: Duration,
}

/// Most bytes that a message has beside its image.
const OTHER_FIELDS_BYTES_MAX: u64 = 64 << 10;

impl Limits {
    /// Longest message of any kind. An image a little over its limit is still read, so that the answer can say how long it
    /// is.
    pub(crate) fn message_bytes_max(&self) -> u64 {
        u64::from(self.image_bytes_max) * 2 + OTHER_FIELDS_BYTES_MAX
    }

    /// Bytes of all messages that are held at once: the images, and what one message has beside its image. So the largest
    /// image is taken even if no more than one may be held.
    pub(crate) fn held_bytes_max(&self) -> usize {
        let bytes = u64::from(self.upload_bytes_max) + OTHER_FIELDS_BYTES_MAX;
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        bytes.min(Semaphore::MAX_PERMITS)
    }
}
