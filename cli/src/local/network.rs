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
    Compute, Crop, DecodedImage, EncodedImage, Inference, Input, InvalidImage, Network,
    NetworkError, Runner, ThreadTeam, Weights,
};

/// The default limits of a server, so that the results are the same.
pub(crate) const IMAGE_BYTES_MAX: u64 = 10 << 20;
pub(crate) const PIXELS_MAX: u64 = 25_000_000;

/// Names the weights file where `--weights` is not given.
const WEIGHTS_VARIABLE: &str = "IMAGECLASSIFIER_WEIGHTS";

/// The network in this process, once for each core.
pub(crate) struct LocalNetwork {
    weights: Weights,
    threads: usize,
    /// Runners that are free.
    runners: Mutex<Vec<Runner>>,
}

/// What the network says about one image, and how long it took.
pub(crate) struct Inferred {
    pub(crate) inference: Inference,
    pub(crate) crop: Option<Crop>,
    pub(crate) decode: Duration,
    pub(crate) network: Duration,
}

impl LocalNetwork {
    /// Loads the network in the file `weights`, or without a file the one in this program.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub(crate) fn load(weights: Option<&Path>) -> Result<Self, String> {
        let weights = load_weights(weights)?;
        let network = Network::load(&weights, Compute::fastest())
            .map_err(|error| format!("cannot load the model: {error}"))?;
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let runners = iter::repeat_with(|| network.runner()).take(threads);
        Ok(Self {
            weights,
            threads,
            runners: Mutex::new(runners.collect()),
        })
    }

    pub(crate) fn weights(&self) -> &Weights {
        &self.weights
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
        let input_size = self.weights.variant().input_size();
        let decoded = DecodedImage::decode(&image, PIXELS_MAX, input_size).map_err(rejected)?;
        Ok((Input::prepare(&decoded), decoded.crop()))
    }

    /// Runs the network on `input`, on this thread. Keeps the feature map if `explain` is set.
    ///
    /// # Errors
    /// If the input is of another network's size, or the results are not finite.
    pub(crate) fn run(&self, input: Input, explain: bool) -> Result<Inference, NetworkError> {
        let runners = || self.runners.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = runners().pop();
        let mut runner = taken.expect("there is a runner for each image in progress");
        let outcome = runner.infer(input, &mut ThreadTeam::solo(), explain);
        runners().push(runner);
        outcome
    }
}

/// The flag overrides the variable. The variable alone does not require `--local`, which clap cannot express.
fn load_weights(file: Option<&Path>) -> Result<Weights, String> {
    let variable = || env::var_os(WEIGHTS_VARIABLE).filter(|file| !file.is_empty());
    let file = file
        .map(Path::to_owned)
        .or_else(|| variable().map(PathBuf::from));
    match file {
        None => Ok(Weights::lite0()),
        Some(file) => Weights::read(&file).map_err(|error| format!("{error}: {}", error.source)),
    }
}

pub(super) fn rejected(error: InvalidImage) -> CallError {
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
