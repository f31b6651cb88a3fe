use std::path::PathBuf;

use clap::ValueHint;

use crate::args::connection::Connection;

/// Tell the server the correct class of images that were misclassified
///
/// The server keeps the images for the next training. It must run with --feedback-dir.
///
/// Exit status: 0 if every image was kept, 1 if some were not, 2 if none was.
#[derive(Debug, clap::Args)]
pub(crate) struct Feedback {
    /// Name of the class that the images show; it may be a new one
    #[arg(long, value_name = "CLASS")]
    pub(crate) label: String,

    #[command(flatten)]
    pub(crate) connection: Connection,

    /// Files, folders or patterns, as for `classify`
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) files: Vec<PathBuf>,
}
