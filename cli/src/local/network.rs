use std::{
    env, iter,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use imageclassifier_client::{CallError, ErrorKind, ErrorReason};
use imageclassifier_model::{
    Compute, Crop, DecodedImage, EncodedImage, ImportedModel, ImportedNetwork, ImportedRunner,
    Inference, Input, InvalidImage, Network, NetworkError, Preprocessing, Runner, ThreadTeam,
    Weights,
};

/// The default limits of a server, so that the results are the same.
pub(crate) const IMAGE_BYTES_MAX: u64 = 10 << 20;
pub(crate) const PIXELS_MAX: u64 = 25_000_000;

/// Names the weights file where `--weights` is not given.
const WEIGHTS_VARIABLE: &str = "IMAGECLASSIFIER_WEIGHTS";

/// A network in this process, once for each core.
pub(crate) struct LocalNetwork {
    preprocessing: Preprocessing,
    threads: usize,
    /// Runners that are free.
    runners: Mutex<Vec<LocalRunner>>,
}

#[allow(clippy::large_enum_variant, reason = "there is one for each core")]
enum LocalRunner {
    BuiltIn(Runner),
    Imported(ImportedRunner),
}

/// What the network says about one image, and how long it took.
pub(crate) struct Inferred {
    pub(crate) inference: Inference,
    pub(crate) crop: Option<Crop>,
    pub(crate) decode: Duration,
    pub(crate) network: Duration,
}

impl LocalNetwork {
    /// The built-in network with these weights.
    ///
    /// # Errors
    /// If they cannot be used.
    pub(crate) fn built_in(weights: &Weights) -> Result<Self, String> {
        let network = Network::load(weights, Compute::fastest())
            .map_err(|error| format!("cannot load the model: {error}"))?;
        let preprocessing = Preprocessing::of(weights.variant().input_size());
        let runner = || LocalRunner::BuiltIn(network.runner());
        Ok(Self::of(preprocessing, runner))
    }

    /// A network of a model's own.
    pub(crate) fn imported(network: &ImportedNetwork) -> Self {
        let runner = || LocalRunner::Imported(network.runner());
        Self::of(network.preprocessing().clone(), runner)
    }

    fn of(preprocessing: Preprocessing, runner: impl FnMut() -> LocalRunner) -> Self {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        Self {
            preprocessing,
            threads,
            runners: Mutex::new(iter::repeat_with(runner).take(threads).collect()),
        }
    }

    /// How images become the network's input.
    pub(crate) fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    /// As many images can be worked on at once.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Decodes `image` and runs the network on it, on this thread. Keeps the feature map if `explain` is set.
    ///
    /// # Errors
    /// If the image is rejected.
    pub(crate) fn infer(&self, image: &Bytes, explain: bool) -> Result<Inferred, CallError> {
        let begun_at = Instant::now();
        let (input, crop) = self.prepare(image)?;
        let decoded_at = Instant::now();
        let inference = self.run(input, explain).map_err(failed)?;
        Ok(Inferred {
            inference,
            crop,
            decode: decoded_at - begun_at,
            network: decoded_at.elapsed(),
        })
    }

    /// Decodes the part of `image` that the network sees.
    ///
    /// # Errors
    /// If the image is rejected.
    pub(crate) fn prepare(&self, image: &Bytes) -> Result<(Input, Option<Crop>), CallError> {
        let image = EncodedImage::new(image, IMAGE_BYTES_MAX).map_err(rejected)?;
        let view = self.preprocessing.view();
        let decoded = DecodedImage::decode(&image, PIXELS_MAX, view).map_err(rejected)?;
        let input = Input::prepare_for(&decoded, &self.preprocessing);
        Ok((input, decoded.crop()))
    }

    /// Runs the network on `input`, on this thread. Keeps the feature map if `explain` is set.
    ///
    /// # Errors
    /// If the input is of another network's size, or the results are not finite.
    pub(crate) fn run(&self, input: Input, explain: bool) -> Result<Inference, NetworkError> {
        let runners = || self.runners.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = runners().pop();
        let mut runner = taken.expect("there is a runner for each image in progress");
        let mut team = ThreadTeam::solo();
        let outcome = match &mut runner {
            LocalRunner::BuiltIn(runner) => runner.infer(input, &mut team, explain),
            LocalRunner::Imported(runner) => runner.infer(&input, &mut team, explain),
        };
        runners().push(runner);
        outcome
    }
}

/// Loads the network of `model`.
///
/// # Errors
/// If it cannot be used.
pub(crate) fn load_imported(model: &ImportedModel) -> Result<ImportedNetwork, String> {
    let network = ImportedNetwork::load(model, Compute::fastest());
    network.map_err(|error| format!("cannot use {}: {error}", model.name()))
}

/// The weights in `file`, or without a file those that the environment names, or those in this program.
///
/// The flag overrides the variable. The variable alone does not require `--local`, which clap cannot express.
///
/// # Errors
/// If the file cannot be used.
pub(crate) fn load_weights(file: Option<&Path>) -> Result<Weights, String> {
    let variable = || env::var_os(WEIGHTS_VARIABLE).filter(|file| !file.is_empty());
    let file = file
        .map(Path::to_owned)
        .or_else(|| variable().map(PathBuf::from));
    match file {
        None => Ok(Weights::lite0()),
        Some(file) => Weights::read(&file).map_err(|error| format!("{error}: {}", error.source)),
    }
}

fn rejected(error: InvalidImage) -> CallError {
    let reason = match error {
        InvalidImage::Empty => ErrorReason::ImageEmpty,
        InvalidImage::TooLarge { .. } => ErrorReason::ImageTooLarge,
        InvalidImage::UnknownFormat | InvalidImage::ForeignFormat(_) => {
            ErrorReason::ImageFormatUnknown
        }
        InvalidImage::Dimensions { .. } => ErrorReason::ImageDimensions,
        InvalidImage::Truncated { .. } | InvalidImage::Undecodable(_) | InvalidImage::Jpeg(_) => {
            ErrorReason::ImageUndecodable
        }
    };
    CallError::new(ErrorKind::InvalidInput, reason, error.to_string())
}

/// The network failed, not the image.
pub(crate) fn failed(error: NetworkError) -> CallError {
    CallError::new(
        ErrorKind::Internal,
        ErrorReason::InternalError,
        error.to_string(),
    )
}
