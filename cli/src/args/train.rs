//! The options of the commands that need no server: training, measuring, embedding.

use std::path::{Path, PathBuf};

use clap::{
    ValueEnum, ValueHint,
    builder::{OsStringValueParser, PathBufValueParser, TypedValueParser},
};

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

    /// Network that computes the features: lite0, a file of weights as for `classify --weights`, or a folder that `import` wrote
    ///
    /// The default is the file that IMAGECLASSIFIER_WEIGHTS names, or lite0.
    #[arg(long, value_name = "lite0|FILE|MODEL_DIR", value_hint = ValueHint::FilePath, value_parser = base_choice())]
    pub(crate) base: Option<BaseChoice>,

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

/// Which network computes the features.
#[derive(Clone, Debug)]
pub(crate) enum BaseChoice {
    /// The one in this program.
    Lite0,
    /// A file of weights, or the folder of an imported model.
    Path(PathBuf),
}

impl BaseChoice {
    /// The file or folder.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Lite0 => None,
            Self::Path(path) => Some(path),
        }
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

    /// Network that the model was trained on, if it is not in its folder: lite0, or the file of its weights
    ///
    /// The default is the file that IMAGECLASSIFIER_WEIGHTS names, or lite0.
    #[arg(long, value_name = "lite0|FILE", value_hint = ValueHint::FilePath, value_parser = base_choice())]
    pub(crate) base: Option<BaseChoice>,

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

    /// Network that computes the features, as for `train`; also a folder that `train` wrote with an imported network
    ///
    /// The default is the file that IMAGECLASSIFIER_WEIGHTS names, or lite0.
    #[arg(long, value_name = "lite0|FILE|MODEL_DIR", value_hint = ValueHint::FilePath, value_parser = base_choice())]
    pub(crate) base: Option<BaseChoice>,

    /// As for `train`
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = path_or_nothing())]
    pub(crate) cache: Option<PathBuf>,

    /// Files, folders or patterns, as for `classify`
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) files: Vec<PathBuf>,
}

/// `lite0`, or a path.
fn base_choice() -> impl TypedValueParser<Value = BaseChoice> {
    PathBufValueParser::new().map(|base| match base {
        name if name == Path::new("lite0") => BaseChoice::Lite0,
        path => BaseChoice::Path(path),
    })
}

/// clap's own parser of paths rejects an empty one.
fn path_or_nothing() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}
