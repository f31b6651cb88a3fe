use std::{path::PathBuf, time::Duration};

use clap::{Parser, Subcommand, ValueHint};

/// Classifies images with an imageclassifier server, or without one.
#[derive(Debug, Parser)]
#[command(name = "imageclassifier", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Classify(Classify),
    Models(Models),
    Health(Health),
}

/// Classify images (JPEG, PNG, WebP, GIF, BMP, TIFF, ICO, QOI, PNM, TGA, DIB)
///
/// Several files at a time are read and sent over one stream. The output is in the order of the files.
///
/// Exit status: 0 if every image was classified, 1 if some were not, 2 if none could be (wrong usage, or the server is
/// unreachable or rejects the access token).
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

    /// Name of the model; default: the server's default
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) model: String,

    /// Number of predictions for each image, 1 to 1000
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
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

    /// Files; folders, with all images in and below them; patterns, for example 'photos/**/*.jpg'; or - for standard input
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) files: Vec<PathBuf>,
}

/// Show the model that the server serves, its preprocessing and its limits
///
/// Exit status: 0 on success, 2 if the server is unreachable or rejects the request.
#[derive(Debug, clap::Args)]
pub(crate) struct Models {
    #[command(flatten)]
    pub(crate) connection: Connection,

    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Check whether the server is ready
///
/// Exit status: 0 if it is, 1 if it is starting or stopping, 2 if it is unreachable.
#[derive(Debug, clap::Args)]
pub(crate) struct Health {
    #[command(flatten)]
    pub(crate) connection: Connection,

    /// Wait until the server is ready, at most --timeout
    #[arg(long)]
    pub(crate) wait: bool,
}

/// The server, and how to connect to it.
#[derive(Debug, clap::Args)]
pub(crate) struct Connection {
    /// URL of the server
    #[arg(
        long,
        env = "IMAGECLASSIFIER_SERVER",
        default_value = "http://localhost:50051",
        value_name = "URL",
        value_hint = ValueHint::Url
    )]
    pub(crate) server: String,

    /// Trust the CA certificates in this file (PEM) instead of the system's, for an https URL
    #[arg(long, env = "IMAGECLASSIFIER_TLS_CA", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) tls_ca: Option<PathBuf>,

    /// Send the access token in the first line of this file
    #[arg(long, env = "IMAGECLASSIFIER_TOKEN_FILE", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) token_file: Option<PathBuf>,

    /// Timeout for each image or request, in seconds
    #[arg(long, default_value = "60", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Duration,
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .filter(|&seconds: &f64| seconds > 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "give a number of seconds greater than 0, for example 0.5 or 30".to_owned())
}

/// `UPDATE_GENERATED=1` regenerates the files.
#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    use clap::CommandFactory;
    use clap_complete::Shell;

    use super::*;

    #[test]
    fn man_pages_and_completions_match_the_options() {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let man = tempfile::tempdir().unwrap();
        // The server's too: its own tests would have to compile the generator once more.
        for command in [Args::command(), imageclassifier_server::Config::command()] {
            clap_mangen::generate_to(command, man.path()).unwrap();
        }
        check(man.path(), &repository.join("docs/man"));

        let completions = tempfile::tempdir().unwrap();
        for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
            clap_complete::generate_to(
                shell,
                &mut Args::command(),
                "imageclassifier",
                completions.path(),
            )
            .unwrap();
        }
        check(completions.path(), &repository.join("cli/completions"));
    }

    fn check(generated: &Path, committed: &Path) {
        if std::env::var_os("UPDATE_GENERATED").is_some() {
            let _ = fs::remove_dir_all(committed);
            fs::create_dir_all(committed).unwrap();
            for file in files(generated) {
                fs::copy(generated.join(&file), committed.join(file)).unwrap();
            }
        }
        assert_eq!(files(generated), files(committed));
        for file in files(generated) {
            let same = fs::read(generated.join(&file)).unwrap()
                == fs::read(committed.join(&file)).unwrap();
            assert!(same, "{file:?} is stale: run `cargo xtask generate`");
        }
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn rejects_timeouts_of_zero_seconds_or_less() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["0", "-1", "soon", "", "NaN", "1e300"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
