use tracing_subscriber::EnvFilter;

/// Logs what `filter` selects to standard error, for the whole process. A filter that cannot be read counts as `info`.
pub fn log_to_stderr(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|error| {
        eprintln!("cannot read the log filter {filter:?} ({error}): logging at level info");
        EnvFilter::new("info")
    });
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
