use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Names what photographs show, by asking an image classifier server.
#[derive(Debug, Parser)]
#[command(name = "imageclassifier", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Classify(Classify),
}

/// Classify picture files (JPEG, PNG, WebP, GIF, BMP)
///
/// Exit status: 0 if every picture was classified, 1 if some were not, 2 if none could be asked about (wrong usage, or
/// the server is out of reach or does not accept the access token).
#[derive(Debug, clap::Args)]
pub(crate) struct Classify {
    /// The server to ask
    #[arg(
        long,
        env = "IMAGECLASSIFIER_SERVER",
        default_value = "http://localhost:50051",
        value_name = "URL"
    )]
    pub(crate) server: String,

    /// Present the access token in the first line of this file
    #[arg(long, env = "IMAGECLASSIFIER_TOKEN_FILE", value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,

    /// How many predictions to show for each picture, 1 to 1000
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) top_k: u32,

    /// Print one JSON object a line for each file, in order
    #[arg(long)]
    pub(crate) json: bool,

    /// The pictures
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}
