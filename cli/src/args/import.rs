use std::path::PathBuf;

use clap::{ValueEnum, ValueHint};

/// Make a model of an image classifier in ONNX, safetensors or PyTorch's format
///
/// SOURCE is an ONNX file, a file of weights (safetensors, or what torch.save wrote) of a known architecture, or a folder with one,
/// as Hugging Face and timm have them. Architecture, labels and preprocessing come from the folder's config.json,
/// preprocessor_config.json or labels.txt, from what the exporter wrote into the ONNX file, or from the options. The model is
/// written to MODEL_DIR; imageclassifier-server --models serves it, and classify --local --model uses it.
///
/// Exit status: 0 on success, 1 if --check finds other results than onnxruntime's or PyTorch's, 2 if there is no model.
#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// ONNX file, file of weights, or folder with one
    #[arg(value_name = "SOURCE", value_hint = ValueHint::AnyPath)]
    pub(crate) source: PathBuf,

    /// Where the model is written; the folder's name is the model's name
    #[arg(short, long, value_name = "MODEL_DIR", value_hint = ValueHint::DirPath)]
    pub(crate) output: PathBuf,

    /// For weights: the network that they belong to, as timm or torchvision calls it, for example resnet50
    #[arg(long, value_name = "NAME")]
    pub(crate) architecture: Option<String>,

    /// Names of the classes: a file with one per line in the order of class index, or `imagenet`
    #[arg(long, value_name = "FILE|imagenet", value_hint = ValueHint::FilePath)]
    pub(crate) labels: Option<PathBuf>,

    /// How images are prepared, for what the source does not say
    #[arg(long, value_name = "PRESET")]
    pub(crate) preprocessing: Option<Preset>,

    /// Side of the input in pixels, for networks that leave it open and for weights
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(crate) input_size: Option<u32>,

    /// Mean of each channel, in the network's order, for values from 0 to 1
    #[arg(long, value_name = "A,B,C", value_parser = three)]
    pub(crate) mean: Option<[f32; 3]>,

    /// Divisor of each channel after the mean was subtracted, for values from 0 to 1
    #[arg(long, value_name = "A,B,C", value_parser = three)]
    pub(crate) std: Option<[f32; 3]>,

    /// Resampling filter
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Option<ImportFilter>,

    /// Input size as a fraction of the resized image's shorter side; the network sees the centre
    #[arg(long, value_name = "FRACTION", conflicts_with = "squash")]
    pub(crate) crop_fraction: Option<f64>,

    /// Resize the whole image to a square instead of taking the centre
    #[arg(long)]
    pub(crate) squash: bool,

    /// The network reads blue, green, red
    #[arg(long)]
    pub(crate) bgr: bool,

    /// An image can show several classes: each has a probability of its own
    #[arg(long)]
    pub(crate) multi_label: bool,

    /// Compare the results for these images with onnxruntime's, or with PyTorch's for weights; python3 must have it
    #[arg(long, value_name = "IMAGE", num_args = 1.., value_hint = ValueHint::FilePath)]
    pub(crate) check: Vec<PathBuf>,
}

/// How images of well-known families are prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Preset {
    /// ImageNet's mean and deviation, bilinear, centre 7/8.
    Torchvision,
    /// -1 to 1, bicubic, centre 7/8.
    Inception,
    /// 0 to 1, bilinear, the whole centre square.
    Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportFilter {
    Bilinear,
    // `inspect` and the server call filters by these names.
    #[value(alias = "catmull-rom")]
    Bicubic,
    #[value(alias = "lanczos3")]
    Lanczos,
}

/// Show what a model consists of, and where its time goes
///
/// Exit status: 0 on success, 2 if the model cannot be used.
#[derive(Debug, clap::Args)]
pub(crate) struct Inspect {
    /// Folder that `import` or `train --base` wrote
    #[arg(value_name = "MODEL_DIR", value_hint = ValueHint::DirPath)]
    pub(crate) model: PathBuf,

    /// Run the network and show the time of each step
    #[arg(long)]
    pub(crate) profile: bool,

    /// Threads for --profile
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=16))]
    pub(crate) threads: u8,
}

fn three(text: &str) -> Result<[f32; 3], String> {
    let values: Result<Vec<f32>, _> = text.split(',').map(|value| value.trim().parse()).collect();
    let values = values
        .ok()
        .and_then(|values| <[f32; 3]>::try_from(values).ok());
    values.ok_or_else(|| "give three numbers, for example 0.485,0.456,0.406".to_owned())
}
