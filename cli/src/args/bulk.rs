use std::fmt;

use clap::{ValueEnum, ValueHint};

use crate::shard::Shard;

/// Many images: where their results go, and which of the images this process classifies.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Bulk classification")]
pub(crate) struct Bulk {
    /// Write the results into this folder, which may be a URL (s3://, gs://, az://), instead of printing them
    ///
    /// Each object in it has the results of many images. The same command again continues after the last object.
    #[arg(
        long,
        value_name = "URL",
        conflicts_with_all = ["json", "csv", "explain"],
        value_hint = ValueHint::AnyPath
    )]
    pub(crate) output: Option<String>,

    /// Format of the results
    #[arg(long, requires = "output", default_value_t = Format::Jsonl, value_name = "FORMAT")]
    pub(crate) format: Format,

    /// Number of images in an object of results, at most
    #[arg(
        long,
        requires = "output",
        default_value_t = 10_000,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub(crate) rows_per_object: u32,

    /// Classify only one of N disjoint parts of the images: I is its index, from 0
    #[arg(
        long,
        requires = "output",
        conflicts_with = "shards",
        value_name = "I/N"
    )]
    pub(crate) shard: Option<Shard>,

    /// Number of shards, where the environment variable JOB_COMPLETION_INDEX has the index (Indexed Jobs of Kubernetes)
    #[arg(long, requires = "output", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=99_999))]
    pub(crate) shards: Option<u32>,
}

/// The format of results in object storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One JSON object per line, as --json prints it
    Jsonl,
    /// Apache Parquet
    Parquet,
}

/// As on the command line, and as the extension of files.
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
        })
    }
}
