use std::path::PathBuf;

use clap::ValueHint;

use crate::args::{bulk::Bulk, connection::Connection};

/// Classify images (JPEG, PNG, WebP, GIF, BMP, TIFF, ICO, QOI, PNM, TGA, DIB)
///
/// Several files at a time are read and sent over one stream to each address of the servers. The output is in the order of the
/// files.
///
/// Exit status: 0 if every image was classified, 1 if some were not, 2 if none could be (wrong usage, or the server is
/// unreachable or rejects the access token). With --output also 2 if the run stopped early: the same command continues it.
#[derive(Debug, clap::Args)]
pub(crate) struct Classify {
    #[command(flatten)]
    pub(crate) connection: Connection,

    /// Classify in this process, without a server
    #[arg(long)]
    pub(crate) local: bool,

    /// Weights of EfficientNet-Lite0, Lite1 or Lite2 for --local
    ///
    /// A safetensors file, as `cargo xtask weights` writes it. The default is the file that IMAGECLASSIFIER_WEIGHTS names, or
    /// else the Lite0 in this program.
    #[arg(long, value_name = "FILE", requires = "local", value_hint = ValueHint::FilePath)]
    pub(crate) weights: Option<PathBuf>,

    /// Name of the model, or NAME@VERSION, or with --local the folder of one that `train` or `import` wrote; default: the server's default
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) model: String,

    /// Number of predictions for each image; at most 1000, or the number of the model's classes if that is larger
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) top_k: u32,

    /// Print one JSON object per line and file, in order
    #[arg(long, conflicts_with = "csv")]
    pub(crate) json: bool,

    /// Print CSV, one row per file, in order
    #[arg(long)]
    pub(crate) csv: bool,

    /// Write a heatmap for each prediction into this folder: where in the image the class was seen
    #[arg(long, value_name = "OUT_DIR", value_hint = ValueHint::DirPath)]
    pub(crate) explain: Option<PathBuf>,

    /// Number of retries for an image that the server rejects temporarily or that is lost with the connection
    #[arg(long, default_value_t = 8, value_name = "N")]
    pub(crate) retries: u32,

    #[command(flatten)]
    pub(crate) bulk: Bulk,

    /// Files; folders, with all images in and below them; patterns, for example 'photos/**/*.jpg'; - for standard input; or URLs
    ///
    /// A URL is s3://BUCKET/KEY, gs://BUCKET/KEY, az://CONTAINER/KEY or https://HOST/PATH. One of a bucket that ends with / means all
    /// images below it. Credentials come from the environment variables AWS_*, GOOGLE_* and AZURE_*.
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) files: Vec<PathBuf>,
}
