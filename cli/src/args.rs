use std::{
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{
    Parser, Subcommand, ValueEnum, ValueHint,
    builder::{OsStringValueParser, TypedValueParser},
};

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
    Train(Train),
    Evaluate(Evaluate),
    Embed(Embed),
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

    /// Name of the model, or NAME@VERSION, or with --local the folder of one that `train` wrote; default: the server's default
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

/// Train a model of your own classes on photographs
///
/// FOLDER has one subfolder per class. The model recognises these classes, says "unknown" to images that resemble none of them, and
/// is written to MODEL_DIR with a report of how good it is. Training needs seconds and no server.
///
/// Exit status: 0 on success, 1 if some files could not be used, 2 if there is no model.
#[derive(Debug, clap::Args)]
pub(crate) struct Train {
    /// Folder with one subfolder of photographs per class
    #[arg(required_unless_present = "csv", conflicts_with = "csv", value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) folder: Option<PathBuf>,

    /// Where the model is written; the folder's name is the model's name
    #[arg(short, long, value_name = "MODEL_DIR", value_hint = ValueHint::DirPath)]
    pub(crate) output: PathBuf,

    /// Table of files and labels instead of FOLDER, for images that show several classes at once
    ///
    /// Each row has a file, relative to the table, and any number of labels in further columns. Each class gets a probability of
    /// its own (sigmoid instead of softmax).
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) csv: Option<PathBuf>,

    /// Network that computes the features: lite0, or a file of weights as for `classify --weights`
    #[arg(long, default_value = "lite0", value_name = "lite0|FILE", value_hint = ValueHint::FilePath)]
    pub(crate) base: PathBuf,

    /// Folder with photographs to measure the model on; default: photographs held out from training in turn
    #[arg(long, value_name = "FOLDER", conflicts_with = "csv", value_hint = ValueHint::DirPath)]
    pub(crate) validation: Option<PathBuf>,

    /// Whether the model says "unknown" to images that resemble no class
    #[arg(long, default_value = "auto", value_name = "auto|off")]
    pub(crate) unknown: Unknown,

    /// Folder that keeps features, so that each image is embedded once; '' for none [default: the user's cache folder]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = path_or_nothing())]
    pub(crate) cache: Option<PathBuf>,
}

/// Whether a model says "unknown".
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Unknown {
    /// To images that resemble the classes less than 95 % of the training images do.
    Auto,
    /// Never.
    Off,
}

impl Train {
    /// The file of `--base`; `None` for the network in this program.
    pub(crate) fn base_weights(&self) -> Option<&Path> {
        (self.base != Path::new("lite0")).then_some(&*self.base)
    }
}

/// Measure a trained model on labelled photographs
///
/// Exit status: 0 on success, 1 if some files could not be used, 2 if nothing could be measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Evaluate {
    /// Folder that `train` wrote
    #[arg(value_name = "MODEL_DIR", value_hint = ValueHint::DirPath)]
    pub(crate) model: PathBuf,

    /// Folder with one subfolder of photographs per class
    #[arg(value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,

    /// Folder with photographs that show none of the classes, to measure how well the model says "unknown"
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) unknown: Option<PathBuf>,

    /// Weights of the network that the model was trained on, if not the Lite0 in this program
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) base: Option<PathBuf>,

    /// As for `train`
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = path_or_nothing())]
    pub(crate) cache: Option<PathBuf>,

    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Write the feature vector of each image
///
/// The features after global average pooling: 1280 numbers for EfficientNet-Lite0. Similar images have a high cosine similarity.
///
/// Exit status: 0 if every image was embedded, 1 if some were not, 2 if none was.
#[derive(Debug, clap::Args)]
pub(crate) struct Embed {
    /// Write one matrix in NumPy's format, a row per image, instead of JSON lines
    #[arg(long)]
    pub(crate) npy: bool,

    /// Write one JSON object per line and image, with `file` and `embedding` (the default)
    #[arg(long, conflicts_with = "npy")]
    pub(crate) jsonl: bool,

    /// Weights of another network than the Lite0 in this program
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) base: Option<PathBuf>,

    /// As for `train`
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = path_or_nothing())]
    pub(crate) cache: Option<PathBuf>,

    /// Files, folders or patterns, as for `classify`
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) files: Vec<PathBuf>,
}

/// Show the server's models, and the preprocessing and limits of the default one
///
/// Exit status: 0 on success, 2 if the server is unreachable or rejects the request.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Models {
    #[command(subcommand)]
    pub(crate) action: Option<ModelsAction>,

    #[command(flatten)]
    pub(crate) connection: Connection,

    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsAction {
    Rollback(Rollback),
}

/// Serve the previous version of a model again
///
/// Renames the folder of the highest version in DIR/NAME so that servers no longer see it: 3 becomes .rolled-back-3. Servers
/// with --models DIR notice it within seconds. To undo it, rename the folder back.
///
/// Exit status: 0 on success, 2 if there is no previous version.
#[derive(Debug, clap::Args)]
pub(crate) struct Rollback {
    /// Name of the model
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Folder of the models, as for imageclassifier-server
    #[arg(long, env = "IMAGECLASSIFIER_MODELS", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) models: PathBuf,
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

    /// Timeout for each image or request, in seconds, at most a year
    #[arg(long, default_value = "60", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Duration,
}

/// clap's own parser of paths rejects an empty one.
fn path_or_nothing() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// From a millisecond to a year: practically for ever, and no clock overflows.
const TIMEOUTS: RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_secs(365 * 24 * 3600);

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: Option<f64> = text.parse().ok();
    let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    timeout
        .filter(|timeout| TIMEOUTS.contains(timeout))
        .ok_or_else(|| {
            format!(
                "give a number of seconds from {} to {}, for example 0.5 or 30",
                TIMEOUTS.start().as_secs_f64(),
                TIMEOUTS.end().as_secs()
            )
        })
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
    fn rejects_timeouts_that_are_too_short_or_too_long() {
        for (text, timeout_ms) in [("0.001", 1), ("0.5", 500), ("31536000", 31_536_000_000)] {
            assert_eq!(seconds(text), Ok(Duration::from_millis(timeout_ms)));
        }
        for wrong in [
            "0", "1e-4", "-1", "soon", "", "NaN", "inf", "31536001", "1e19", "1e300",
        ] {
            let error = seconds(wrong).unwrap_err();
            assert!(error.contains("from 0.001 to 31536000"), "{wrong}: {error}");
        }
    }
}
