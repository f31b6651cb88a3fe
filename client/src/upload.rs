use std::sync::Arc;

/// Told how much of a call's message has been sent, as a fraction from 0 to 1. The last word is always 1: all is sent, and
/// the answer is awaited.
#[derive(Clone)]
pub struct UploadWatch(Arc<dyn Fn(f64) + Send + Sync>);

impl UploadWatch {
    /// A watch that runs `on_progress`, some times a second at most.
    pub fn new(on_progress: impl Fn(f64) + Send + Sync + 'static) -> Self {
        Self(Arc::new(on_progress))
    }

    #[cfg_attr(
        not(target_arch = "wasm32"),
        expect(dead_code, reason = "the native transport does not say")
    )]
    pub(crate) fn tell(&self, sent: f64) {
        (self.0)(sent);
    }
}

impl std::fmt::Debug for UploadWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UploadWatch")
    }
}
