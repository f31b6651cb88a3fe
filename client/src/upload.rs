use std::sync::Arc;

/// Receives how much of a request has been sent, as a fraction from 0 to 1. The last value is always 1: all is sent, and
/// the response is pending.
#[derive(Clone)]
pub struct UploadWatch(Arc<dyn Fn(f64) + Send + Sync>);

impl UploadWatch {
    /// A watch that calls `on_progress`, a few times a second at most.
    pub fn new(on_progress: impl Fn(f64) + Send + Sync + 'static) -> Self {
        Self(Arc::new(on_progress))
    }

    #[cfg_attr(
        not(target_arch = "wasm32"),
        expect(dead_code, reason = "the native transport reports no progress")
    )]
    pub(crate) fn report(&self, sent: f64) {
        (self.0)(sent);
    }
}

impl std::fmt::Debug for UploadWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UploadWatch")
    }
}
