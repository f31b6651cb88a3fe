//! What only native programs have: health checks, retries, streams to the server, and CA certificates of their own.

mod health;
mod publish;
mod retry;
mod stream;
mod tls;

pub use health::Health;
#[allow(deprecated, reason = "the old name stays for one release")]
pub use retry::patiently;
pub use retry::with_retries;
pub use stream::StreamOptions;
