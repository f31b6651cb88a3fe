use std::{path::PathBuf, time::Duration};

use clap::{Parser, Subcommand, ValueHint};

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
    Models(Models),
    Health(Health),
}

/// Classify pictures (JPEG, PNG, WebP, GIF, BMP)
///
/// Files are read as they are sent, several at a time, over one stream; what is printed keeps the order of the files.
///
/// Exit status: 0 if every picture was classified, 1 if some were not, 2 if none could be asked about (wrong usage, or
/// the server is out of reach or does not accept the access token).
#[derive(Debug, clap::Args)]
pub(crate) struct Classify {
    #[command(flatten)]
    pub(crate) connection: Connection,

    /// Classify in this process, without a server
    #[arg(long)]
    pub(crate) local: bool,

    /// With --local: use the weights in this file, of EfficientNet-Lite0, Lite1 or Lite2
    ///
    /// It is a safetensors file, as `cargo xtask weights` makes it. IMAGECLASSIFIER_WEIGHTS names one too; without either it is the
    /// Lite0 in this program.
    #[arg(long, value_name = "FILE", requires = "local", value_hint = ValueHint::FilePath)]
    pub(crate) weights: Option<PathBuf>,

    /// Ask this model; the server's default where none is named
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) model: String,

    /// How many predictions to show for each picture, 1 to 1000
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) top_k: u32,

    /// Print one JSON object a line for each file, in order
    #[arg(long, conflicts_with = "csv")]
    pub(crate) json: bool,

    /// Print CSV, with one row for each file, in order
    #[arg(long)]
    pub(crate) csv: bool,

    /// Draw into this folder, for each prediction, where in the picture the class was seen
    #[arg(long, value_name = "OUT_DIR", value_hint = ValueHint::DirPath)]
    pub(crate) explain: Option<PathBuf>,

    /// How many more times to send a picture that the server turned away for the moment or that was lost with the connection
    #[arg(long, default_value_t = 8, value_name = "N")]
    pub(crate) retries: u32,

    /// Files; folders, with all pictures in and below them; patterns, for example 'photos/**/*.jpg'; or - for standard input
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) files: Vec<PathBuf>,
}

/// Tell which model the server serves, how it prepares pictures, and what it accepts
///
/// Exit status: 0 if it was told, 2 if not.
#[derive(Debug, clap::Args)]
pub(crate) struct Models {
    #[command(flatten)]
    pub(crate) connection: Connection,

    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Tell whether the server answers calls
///
/// Exit status: 0 if it does, 1 if it is starting or stopping, 2 if it is out of reach.
#[derive(Debug, clap::Args)]
pub(crate) struct Health {
    #[command(flatten)]
    pub(crate) connection: Connection,

    /// Wait until it does, for as long as --timeout says
    #[arg(long)]
    pub(crate) wait: bool,
}

/// Which server to ask, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct Connection {
    /// The server to ask
    #[arg(
        long,
        env = "IMAGECLASSIFIER_SERVER",
        default_value = "http://localhost:50051",
        value_name = "URL",
        value_hint = ValueHint::Url
    )]
    pub(crate) server: String,

    /// Trust the certificate authorities in this file (PEM) in the place of the system's, for a server with an https URL
    #[arg(long, env = "IMAGECLASSIFIER_TLS_CA", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) tls_ca: Option<PathBuf>,

    /// Present the access token in the first line of this file
    #[arg(long, env = "IMAGECLASSIFIER_TOKEN_FILE", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) token_file: Option<PathBuf>,

    /// How long to wait for an answer, for each picture, in seconds
    #[arg(long, default_value = "60", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Duration,
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .filter(|&seconds: &f64| seconds > 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "give a number of seconds over 0, for example 0.5 or 30".to_owned())
}

/// `UPDATE_GENERATED=1` writes them anew.
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
        clap_mangen::generate_to(Args::command(), man.path()).unwrap();
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
    fn times_are_seconds_over_zero() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["0", "-1", "soon", "", "NaN", "1e300"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
